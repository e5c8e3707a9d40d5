"""A library in a folder. Whatever lies in it, the listing goes on.

Broken links, folders that cannot be entered and names that are not UTF-8 are listed with what is
known about them; fetching such an object raises the reason.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from schemas.failures import UsageError
from schemas.identity import Sidecar, VideoObject
from storage.errors import AccessDenied, BadName, NotFound, ObjectChanged, ObjectError
from storage.library.listing import LinksOut, Listing
from storage.library.pairing import object_of
from storage.library.selection import Selection
from storage.library.walk import Walk, has_bad_name


@dataclass(frozen=True, slots=True)
class LocalLibrary:
    """A library in a folder; `root` is absolute and holds no links, so that it has the same URIs whichever
    link leads to it.

    A video's URI is its path as reached from there; see `storage.library.walk` for links inside of it.
    """

    root: Path
    follows_links: bool = False  # out of the library, too
    is_local: ClassVar[bool] = True

    @classmethod
    def at(cls, path: Path, follows_links: bool = False) -> "LocalLibrary":
        """The library that a path leads to. UsageError: its real name cannot be stored."""
        real = os.path.realpath(path)
        try:
            real.encode()
        except UnicodeEncodeError:
            raise UsageError(
                f"{path} leads to a name that is not valid UTF-8", "Rename the folder."
            ) from None
        return cls(Path(real), follows_links)

    @property
    def url(self) -> str:
        return str(self.root)

    def check(self) -> None:
        """The folder exists and may be read."""
        try:
            with os.scandir(self.root):
                pass
        except OSError as error:
            raise translate_os_error(error, self.url) from error

    def list_videos(self, selection: Selection) -> Listing:
        self.check()
        out = LinksOut()
        return Listing(iter(Walk(self.root, selection, self.follows_links, out)), selection, links_out=out)

    def fetch(self, video: VideoObject, folder: Path) -> Path:
        """The video's own path, after a look that it is still what was listed."""
        path = Path(video.uri)
        try:
            if stat.S_ISDIR(path.stat().st_mode):
                raise AccessDenied(f"{video.uri}: this folder cannot be entered", "Check its permissions.")
            with path.open("rb") as opened:
                found = os.fstat(opened.fileno())
        except OSError as error:
            raise translate_os_error(error, video.uri) from error
        _check_unchanged(video, found)
        return path

    def fetch_sidecar(self, video: VideoObject, sidecar: Sidecar) -> bytes:
        """Read the file, after a look that it is still what was listed."""
        text = object_of(video, sidecar)
        try:
            opened = os.open(text.uri, os.O_RDONLY | os.O_NONBLOCK)  # a pipe in its place must not block
            with os.fdopen(opened, "rb") as file:
                _check_unchanged(text, os.fstat(opened))
                return file.read(text.size_bytes)
        except OSError as error:
            raise translate_os_error(error, text.uri) from error

    def fetch_ends(self, video: VideoObject, folder: Path) -> Path:
        """The video's own path: what is not read costs nothing."""
        return self.fetch(video, folder)

    def peek(self, video: VideoObject) -> None:
        """Open it and read a byte."""
        try:
            with Path(video.uri).open("rb") as opened:
                opened.read(1)
        except OSError as error:
            raise translate_os_error(error, video.uri) from error


def _check_unchanged(video: VideoObject, found: os.stat_result) -> None:
    if (found.st_size, found.st_mtime_ns) != (video.size_bytes, video.modified_ns):
        raise ObjectChanged(f"{video.uri}: written to since it was listed", "The next run sees it as it is.")


def translate_os_error(error: OSError, path: str) -> ObjectError:
    """Turn an error of the file system into one that says what became of a video."""
    if isinstance(error, PermissionError):
        return AccessDenied(f"{path}: permission denied", "Let this user read it and enter its folders.")
    if isinstance(error, FileNotFoundError):
        if has_bad_name(path):
            return BadName(
                f"{path}: the name is not valid UTF-8", "Rename the file; the next run indexes it."
            )
        return NotFound(f"{path}: not found", "Check the name; it may be a broken link, or deleted since.")
    return ObjectError(f"{path}: {error.strerror}", "Check the path.")
