"""What videos say of themselves: headers, read by other processes, as a file may crash or hang its reader.

python -P -m jobs.planning.costs.headers    a pickled (library, videos, folder) on stdin, a line of JSON for
                                            each video on stdout; whoever asks removes the folder, as
                                            readers are killed
"""

import json
import os
import pickle
import select
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import astuple
from pathlib import Path

from schemas.identity import VideoObject
from storage.errors import ObjectError
from storage.library.library import Library
from videoxl2.frames.errors import MediaError
from videoxl2.frames.probing.stated import Stated, read_stated

_READERS = 4
_LEAST = 16  # videos for which another process is worth its start
_ANSWER_S = 20.0  # a header that takes longer hangs


def read_headers(library: Library, videos: Sequence[VideoObject]) -> list[Stated | None]:
    """Read what each header says; None where it does not say how long the video is, or cannot be read."""
    size = max(_LEAST, -(-len(videos) // _READERS))
    shares = [videos[first : first + size] for first in range(0, len(videos), size)]
    with ThreadPoolExecutor(_READERS) as pool:
        return [said for share in pool.map(lambda share: _share(library, share), shares) for said in share]


def _share(library: Library, videos: Sequence[VideoObject]) -> list[Stated | None]:
    """Read them with a new process after each video on which the last one ended."""
    said: list[Stated | None] = []
    while len(said) < len(videos):
        said += _ask(library, videos[len(said) :])
        if len(said) < len(videos):
            said.append(None)
    return said


def _ask(library: Library, videos: Sequence[VideoObject]) -> list[Stated | None]:
    """Read as many as one process can."""
    with tempfile.TemporaryDirectory(prefix="media-index-headers-") as folder:
        return _ask_in(Path(folder), library, videos)


def _ask_in(folder: Path, library: Library, videos: Sequence[VideoObject]) -> list[Stated | None]:
    command = [sys.executable, "-P", "-m", "jobs.planning.costs.headers"]
    with tempfile.TemporaryFile() as asked:
        pickle.dump((library, list(videos), folder), asked)
        asked.seek(0)
        reader = subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert reader.stdout
    answers = b""
    try:
        while answers.count(b"\n") < len(videos):
            if not select.select([reader.stdout], [], [], _ANSWER_S)[0]:
                break
            if not (some := os.read(reader.stdout.fileno(), 1 << 16)):
                break
            answers += some
    finally:
        reader.kill()
        reader.communicate()
    read = [json.loads(line) for line in answers.decode().split("\n")[:-1]]
    return [None if one is None else Stated(*one) for one in read]


def _answer() -> None:
    library, videos, folder = pickle.load(sys.stdin.buffer)
    for video in videos:
        said = None
        with suppress(ObjectError, MediaError, OSError):
            path = library.fetch_ends(video, folder)
            try:
                said = read_stated(path)
            finally:
                if path.is_relative_to(folder):
                    path.unlink()
        print(json.dumps(said and astuple(said)), flush=True)


if __name__ == "__main__":
    _answer()
