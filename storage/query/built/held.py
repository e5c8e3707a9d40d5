"""A file that stays the one it was when it was opened, whatever becomes of its name."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.failures import PreflightError


@contextmanager
def hold(file: Path) -> Iterator[Path | None]:
    """A path to the file that has the name now, whatever is put in its place meanwhile; None: there is none.

    DuckDB opens a file once when it attaches it, so a database outlives this. PreflightError: no file that
    can be opened.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)  # a pipe in its place must not block
    except FileNotFoundError:
        yield None
        return
    except OSError as error:
        hint = "Let this user read it, or name another."
        raise PreflightError(f"{file}: {error.strerror}", hint) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PreflightError(f"{file} is no regular file", "Remove it, then `media-index build`.")
        yield Path(f"/dev/fd/{descriptor}")
    finally:
        os.close(descriptor)
