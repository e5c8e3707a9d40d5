"""Folders of our own to write into."""

import getpass
import tempfile
from pathlib import Path

from schemas.failures import PreflightError


def default_scratch() -> Path:
    """Return the folder for copies of what is on S3, unless another is named; it need not be there yet."""
    return Path(tempfile.gettempdir()) / f"media-index-{getpass.getuser()}"


def make_writable(folder: Path, what: str, hint: str) -> None:
    """Make the folder if it is not there, and write to it. PreflightError: that fails; `what` names it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise PreflightError(f"{what} {folder}: {error.strerror}", hint) from None
