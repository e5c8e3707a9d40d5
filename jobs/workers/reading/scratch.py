"""Node-local copies of the objects being read, shared by the tasks of one node and bounded in size.

A reading task holds a shared lock on its copy; whoever needs room removes the least recently used copies
that nobody holds. A library on a local disk is read in place and never comes here.

    scratch/lock             held while room is made
    scratch/<copy>.lock      shared: being read; exclusive: being fetched or removed. Goes with its copy, so
                             whoever has got it looks whether it is still the one of that name
    scratch/weights/         not ours: copies of weights
    scratch/<copy>/…         the object, complete: it is fetched under another name and renamed in
"""

import fcntl
import os
import random
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from jobs.weights import KEPT_IN as WEIGHTS_IN
from schemas.identity import VideoObject, digest
from storage.library.library import Library
from storage.locks import try_alone

SHARE_OF_FREE_SPACE = 0.5


@contextmanager
def hold_copy(library: Library, video: VideoObject, scratch: Path) -> Iterator[Path]:
    """The video's bytes as a local file, fetched once per node and kept while held.

    Raises what `library.fetch` raises (`storage.errors`), and OSError for a scratch that cannot be used.
    """
    if video.is_local:
        yield library.fetch(video, scratch)
        return
    scratch.mkdir(parents=True, exist_ok=True)
    copy = _copy_of(video, scratch)
    path: Path | None = None
    while path is None:
        with _lock_file(copy).open("a") as lock:
            if path := _share(lock.fileno(), library, video, copy):
                os.utime(lock.name)
                yield path


def drop_copy(video: VideoObject, scratch: Path) -> None:
    """Remove this node's copy, unless somebody still reads it."""
    copy = _copy_of(video, scratch)
    if copy.is_dir():
        _remove_if_idle(copy)


def _share(lock: int, library: Library, video: VideoObject, copy: Path) -> Path | None:
    """The copy's file under a shared lock; readers do not wait for each other. None: try it anew."""
    fcntl.flock(lock, fcntl.LOCK_SH)  # waits while somebody fetches
    if _is_lock_of(copy, lock) and (path := _file_in(copy)):
        return path
    if not try_alone(lock):  # another wants to fetch as well: look again
        time.sleep(random.uniform(0.01, 0.1))
        return None
    if _is_lock_of(copy, lock) and not _file_in(copy):
        _fetch(library, video, copy)
    # Going back to a shared lock lets go for a moment, in which the copy may be removed: look again.
    fcntl.flock(lock, fcntl.LOCK_SH)
    return _file_in(copy) if _is_lock_of(copy, lock) else None


def _fetch(library: Library, video: VideoObject, copy: Path) -> None:
    partial = copy.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)  # a fetch that was cut off
    partial.mkdir()
    try:
        with (copy.parent / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _make_room(copy.parent, video.size_bytes)
        library.fetch(video, partial)
        partial.rename(copy)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _make_room(scratch: Path, size_bytes: int) -> None:
    """Remove idle copies, longest unused first, while more than the share of free space is taken, and locks
    of copies that never came."""
    used = {path: _size(path) for path in scratch.iterdir() if path.is_dir() and path.name != WEIGHTS_IN}
    for path in scratch.glob("*.lock"):
        if path.with_suffix("") not in used:
            _remove_if_idle(path.with_suffix(""))
    taken = sum(used.values()) + size_bytes
    allowed = SHARE_OF_FREE_SPACE * (shutil.disk_usage(scratch).free + sum(used.values()))
    complete = [path for path in used if not path.suffix]
    for path in sorted(complete, key=_last_use):
        if taken <= allowed:
            return
        if _remove_if_idle(path):
            taken -= used[path]


def _remove_if_idle(copy: Path) -> bool:
    with _lock_file(copy).open("a") as lock:
        if not try_alone(lock.fileno()):
            return False
        if not _is_lock_of(copy, lock.fileno()):  # it went before, and may be fetched again by now
            return False
        shutil.rmtree(copy, ignore_errors=True)
        _lock_file(copy).unlink()
        return True


def _copy_of(video: VideoObject, scratch: Path) -> Path:
    return scratch / digest(video.video_id, video.object_rev)


def _lock_file(copy: Path) -> Path:
    return copy.with_suffix(".lock")


def _is_lock_of(copy: Path, lock: int) -> bool:
    """Whether this lock has not been removed with its copy while it was waited for."""
    try:
        return os.path.samestat(os.fstat(lock), _lock_file(copy).stat())
    except FileNotFoundError:
        return False


def _file_in(copy: Path) -> Path | None:
    return next(copy.iterdir(), None) if copy.is_dir() else None


def _size(folder: Path) -> int:
    """Bytes in it; what a neighbour removes meanwhile counts nothing."""
    total = 0
    with suppress(FileNotFoundError), os.scandir(folder) as files:
        for file in files:
            total += file.stat().st_size
    return total


def _last_use(copy: Path) -> float:
    try:
        return _lock_file(copy).stat().st_mtime
    except FileNotFoundError:
        return 0.0
