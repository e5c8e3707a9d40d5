"""The folder of a private Ray: sockets, logs and spilled objects of one run.

It is where Ray itself would put it (RAY_TMPDIR, else TMPDIR, else /tmp), with two differences. A path too
long for Unix sockets is reached through a short link. And after a run that ended well the folder is removed.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.folders import make_writable
from schemas.failures import MediaIndexError, PreflightError, UsageError

LEAVING_THREAD = "leaving Ray"  # it has Ray's lock, for which a process would wait at its end
SOCKET_PATH_BYTES = 107  # of sockaddr_un.sun_path, less its end
# As Ray names them, with the largest process id of Linux.
_IN_ROOT = "/session_2026-11-29_22-38-11_058883_4194304/sockets/plasma_store"
MAX_ROOT_BYTES = SOCKET_PATH_BYTES - len(_IN_ROOT)
SHORT_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass
class SessionFolder:
    """A folder for one Ray: `root` is what Ray is told; `path` is this run's own folder in it, once Ray has
    said its name."""

    root: Path
    path: Path | None = None
    words: str = ""  # what Ray said in the driver's process


def wanted_root() -> Path:
    """The folder for Ray's session folders."""
    folder = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    return Path(folder).absolute() / "ray"


def is_short(root: Path) -> bool:
    """Whether sockets can have a path in it."""
    return len(os.fsencode(root)) <= MAX_ROOT_BYTES


@contextmanager
def short_root() -> Iterator[Path]:
    """The wanted root, which exists and can be written to; through a link where its path is too long.

    Raises `PreflightError` where there can be none.
    """
    root = wanted_root()
    make_writable(root, "Ray's folder", "Set TMPDIR to a folder that can be written to.")
    if is_short(root):
        yield root
        return
    link_folder = _make_short_folder(root)
    try:
        link = link_folder / "ray"
        link.symlink_to(root)
        yield link
    finally:
        shutil.rmtree(link_folder, ignore_errors=True)  # the link, not what it leads to


def _make_short_folder(root: Path) -> Path:
    for folder in SHORT_FOLDERS:
        with suppress(OSError):
            return Path(tempfile.mkdtemp(prefix="mi-", dir=folder))
    raise PreflightError(
        f"Ray's folder {root}: its path is too long for the sockets in it, and none of "
        f"{', '.join(SHORT_FOLDERS)} can hold a link to it",
        f"Set RAY_TMPDIR to a folder whose path has at most {MAX_ROOT_BYTES - len('/ray')} bytes.",
    )


@contextmanager
def session_folder() -> Iterator[SessionFolder]:
    """Make a folder for a Ray session, removed at the end; after a failure it stays, and the error says
    where."""
    with short_root() as root:
        session = SessionFolder(root)
        try:
            yield session
        except (UsageError, KeyboardInterrupt):
            _remove(session)
            raise
        except Exception as error:
            _say_where(session, error)
            raise
        _remove(session)


def _say_where(session: SessionFolder, error: Exception) -> None:
    if session.path is None:
        return
    logs = session.path.resolve() / "logs"  # not through a link that is gone by then
    with suppress(OSError):
        (logs / "media-index.err").write_text(session.words)
    if isinstance(error, MediaIndexError):
        error.hint += f" Ray's logs are in {logs}."
    else:
        error.add_note(f"Ray's logs are in {logs}.")


def _remove(session: SessionFolder) -> None:
    if session.path is None:
        return
    for _ in range(5):  # workers end a moment after the processes that were waited for
        shutil.rmtree(session.path, ignore_errors=True)
        if not session.path.exists():
            break
        time.sleep(0.2)
    latest = session.root / "session_latest"
    if latest.is_symlink() and not latest.exists():
        latest.unlink(missing_ok=True)
