"""This machine's copies of checkpoints: fetched once, whoever asks, and taken up where a process was killed.

folder/<url>/<revision>            a whole copy, complete: it is fetched under another name and renamed
folder/<url>/<revision>.heads      what a plan needs of it
folder/<url>/<revision>.lock       exclusive: being fetched or removed; shared: in use by a process
folder/<url>/<revision>.partial    files that have come, and as NAME.part those under way
"""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from schemas.identity import digest
from storage.checkpoints.fetching import fetch_files
from storage.checkpoints.heads import fetch_heads
from storage.checkpoints.remote import RemoteCheckpoint
from storage.errors import NoSpace, ObjectError
from storage.locks import try_alone

_SPARE_BYTES = 64 << 20  # left free for everybody else on the disk
_LOOK_EVERY_S = 0.05
_HINT = "Free some space, or name a folder on a larger disk with --scratch."

_in_use: dict[Path, int] = {}  # the lock of each copy that this process uses until it ends


@dataclass(frozen=True, slots=True)
class CheckpointCopies:
    """Copies of checkpoints in one folder. Methods raise `ObjectError`: NoSpace where the disk is too
    small."""

    folder: Path

    def heads(self, checkpoint: RemoteCheckpoint) -> Path:
        """A folder with the small files and the heads of the weights; the whole copy where there is one."""
        copy = self._copy_of(checkpoint)
        if _is_whole(copy, checkpoint):
            return copy
        heads = copy.with_name(f"{copy.name}.heads")
        if not heads.is_dir():
            with _told_in_our_words(checkpoint, self.folder):
                fetch_heads(checkpoint, heads)
        return heads

    def whole(self, checkpoint: RemoteCheckpoint) -> Path:
        """A folder with all files, which stays until this process ends. Waits while another fetches it."""
        copy = self._copy_of(checkpoint)
        with _told_in_our_words(checkpoint, self.folder):
            copy.parent.mkdir(parents=True, exist_ok=True)
            lock = _in_use.get(copy) or _open_lock(copy)
            try:
                self._lock_whole(checkpoint, copy, lock)
            except BaseException:
                _in_use.pop(copy, None)
                os.close(lock)
                raise
        _in_use[copy] = lock
        return copy

    def _lock_whole(self, checkpoint: RemoteCheckpoint, copy: Path, lock: int) -> None:
        fcntl.flock(lock, fcntl.LOCK_SH)
        while not _is_whole(copy, checkpoint):
            if not try_alone(lock):  # who fetched it meanwhile has it in use until its process ends
                time.sleep(_LOOK_EVERY_S)
            elif not _is_whole(copy, checkpoint):
                self._fetch(checkpoint, copy)
            # Waits for who fetches it. It lets go for a moment, in which the copy may be removed: look again.
            fcntl.flock(lock, fcntl.LOCK_SH)

    def _fetch(self, checkpoint: RemoteCheckpoint, copy: Path) -> None:
        shutil.rmtree(copy, ignore_errors=True)  # not what it should be
        partial = copy.with_name(f"{copy.name}.partial")
        partial.mkdir(exist_ok=True)
        _remove_others(copy)
        there = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
        if shutil.disk_usage(partial).free < checkpoint.num_bytes - there + _SPARE_BYTES:
            raise OSError(errno.ENOSPC, "")
        fetch_files(checkpoint, partial)
        partial.rename(copy)

    def _copy_of(self, checkpoint: RemoteCheckpoint) -> Path:
        return self.folder / digest(checkpoint.url) / checkpoint.revision


def _is_whole(copy: Path, checkpoint: RemoteCheckpoint) -> bool:
    """Whether every file is there and as large as it should be: a disk that lost power keeps names longer
    than bytes."""
    with suppress(OSError):
        return all((copy / file.name).stat().st_size == file.size_bytes for file in checkpoint.files)
    return False


def _remove_others(copy: Path) -> None:
    """Remove what is here of other revisions of the same checkpoint, unless a process uses or fetches it."""
    here = copy.parent.iterdir()
    for other in {path.with_suffix("") for path in here if not path.name.startswith(".")} - {copy}:
        lock = _open_lock(other)
        try:
            if try_alone(lock):
                for name in (other.name, f"{other.name}.partial", f"{other.name}.heads"):
                    shutil.rmtree(other.with_name(name), ignore_errors=True)
        finally:
            os.close(lock)


def _open_lock(copy: Path) -> int:
    return os.open(copy.with_name(f"{copy.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)


@contextmanager
def _told_in_our_words(checkpoint: RemoteCheckpoint, folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, NoSpace) as error:
        number = errno.ENOSPC if isinstance(error, NoSpace) else error.errno
        if number not in (errno.ENOSPC, errno.EDQUOT):
            raise ObjectError(f"{folder}: {error}", "Name another folder with --scratch.") from error
        free = shutil.disk_usage(folder).free
        raise NoSpace(
            f"{checkpoint.url}: no room for its {checkpoint.num_bytes / 1e9:.3g} GB in {folder}, "
            f"where {free / 1e9:.3g} GB are free",
            _HINT,
        ) from error
