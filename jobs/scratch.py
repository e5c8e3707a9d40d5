"""Node-local copies of the objects being read, shared by the tasks of one node and bounded in size.

A reading task holds a shared lock on its copy; whoever needs room removes the least recently used
copies that nobody holds. A library on a local disk is read in place and never comes here.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.identity import VideoObject, digest
from storage.library import Library

SHARE_OF_FREE_SPACE = 0.5


@contextmanager
def hold_copy(library: Library, video: VideoObject, scratch: Path) -> Iterator[Path]:
    """The video's bytes as a local file, fetched once per node and kept while held.

    Raises what `library.fetch` raises (`storage.errors`).
    """
    if video.etag is None:  # on a disk
        yield library.fetch(video, scratch)
        return
    entry = scratch / digest(video.video_id, video.object_rev)
    scratch.mkdir(parents=True, exist_ok=True)
    with (scratch / f"{entry.name}.lock").open("w") as lock:
        while True:
            fcntl.flock(lock, fcntl.LOCK_EX)
            path = _existing(entry) or _fetch(library, video, entry)
            fcntl.flock(lock, fcntl.LOCK_SH)  # not atomic: the copy may be evicted between the two locks
            if path.exists():
                break
        os.utime(lock.name)
        yield path


def _existing(entry: Path) -> Path | None:
    done = entry / "done"
    return Path(os.fsdecode(done.read_bytes())) if done.exists() else None


def _fetch(library: Library, video: VideoObject, entry: Path) -> Path:
    shutil.rmtree(entry, ignore_errors=True)  # a fetch that was cut off
    entry.mkdir()
    _make_room(entry.parent, video.size_bytes, keep=entry)
    path = library.fetch(video, entry)
    (entry / "done").write_bytes(os.fsencode(path))
    return path


def _make_room(scratch: Path, size_bytes: int, keep: Path) -> None:
    """Remove idle copies, oldest use first, while more than the share of free space is taken."""
    entries = [path for path in scratch.iterdir() if path.is_dir() and path != keep]
    used = {path: sum(f.stat().st_size for f in path.iterdir()) for path in entries}
    taken = sum(used.values()) + size_bytes
    allowed = SHARE_OF_FREE_SPACE * (shutil.disk_usage(scratch).free + taken - size_bytes)
    for path in sorted(entries, key=lambda p: _last_use(p)):
        if taken <= allowed:
            return
        if _remove_if_idle(path):
            taken -= used[path]


def _last_use(entry: Path) -> float:
    try:
        return entry.with_name(f"{entry.name}.lock").stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _remove_if_idle(entry: Path) -> bool:
    with entry.with_name(f"{entry.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        shutil.rmtree(entry, ignore_errors=True)
        return True
