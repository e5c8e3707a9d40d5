"""Whether two files on a disk hold the same bytes: cheaply for a plan, surely before rows are shared."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from schemas.identity import VideoObject

_SAMPLE_BYTES = 64 << 10
_QUARTERS = 4  # a sample at the head, at each quarter, and at the tail
_CHUNK_BYTES = 4 << 20
_READERS = 16  # files being looked at


def fingerprints(videos: Iterable[VideoObject]) -> Iterator[str | None]:
    """A hash of size, head, tail and some samples of each, in their order; None: the file is not as listed.

    Files with different fingerprints differ; with equal ones they are most likely the same.
    """
    with ThreadPoolExecutor(_READERS) as pool:
        yield from pool.map(_fingerprint, videos)


def are_same(pairs: Iterable[tuple[str, VideoObject]]) -> Iterator[bool]:
    """Whether each path and video are one file, or two that are equal byte for byte."""
    with ThreadPoolExecutor(_READERS) as pool:
        yield from pool.map(_is_same, pairs)


def _fingerprint(video: VideoObject) -> str | None:
    try:
        with Path(video.uri).open("rb") as file:
            if not _is_as_listed(file.fileno(), video):
                return None
            found = hashlib.sha256(f"{video.size_bytes}\0".encode())
            for quarter in range(_QUARTERS + 1):
                last = max(0, video.size_bytes - _SAMPLE_BYTES)
                file.seek(last * quarter // _QUARTERS)
                found.update(file.read(_SAMPLE_BYTES))
            return found.hexdigest()
    except OSError:
        return None  # whoever fetches it is told why


def _is_same(pair: tuple[str, VideoObject]) -> bool:
    path, video = pair
    try:
        with Path(path).open("rb") as one, Path(video.uri).open("rb") as other:
            if not _is_as_listed(other.fileno(), video):
                return False
            if os.path.sameopenfile(one.fileno(), other.fileno()):
                return True
            while (chunk := one.read(_CHUNK_BYTES)) == other.read(_CHUNK_BYTES):
                if not chunk:
                    return True
    except OSError:
        pass  # whoever fetches it is told why
    return False


def _is_as_listed(descriptor: int, video: VideoObject) -> bool:
    found = os.fstat(descriptor)
    return (found.st_size, found.st_mtime_ns) == (video.size_bytes, video.modified_ns)
