"""The place of a serving file: who may write there, and what killed writers left."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.failures import PreflightError


def spill_folder(pending: Path) -> Path:
    """Folder into which DuckDB spills while it makes a file."""
    return pending.with_name(f"{pending.name}.tmp")


def remove_pending(pending: Path) -> None:
    """Remove it with what spilled, and the log, which DuckDB would take for the next file's of that name."""
    pending.unlink(missing_ok=True)
    shutil.rmtree(spill_folder(pending), ignore_errors=True)
    pending.with_name(f"{pending.name}.wal").unlink(missing_ok=True)


@contextmanager
def lock_file(file: Path) -> Iterator[None]:
    """Lock a search database for one builder; the lock ends with its process. PreflightError: nothing can be
    written there."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        message = f"{error.filename}: {error.strerror}"
        raise PreflightError(message, "Name another place: --output FILE.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
