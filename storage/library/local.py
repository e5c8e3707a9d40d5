"""A library in a folder. Whatever lies in it, the listing goes on.

Broken links, folders that cannot be entered and names that are not UTF-8 are listed with what is
known about them; fetching such an object raises the reason.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.identity import VideoObject
from storage.errors import AccessDenied, NotFound, ObjectChanged, ObjectError
from storage.library.selection import Listing, Selection, is_hidden


@dataclass(frozen=True, slots=True)
class LocalLibrary:
    """`root` is absolute; a video's URI is its path as reached from there, links not resolved."""

    root: Path

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
        above = frozenset({_identity(self.root.stat())})
        return Listing(self._walk(selection, self.root, "", above), selection)

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
        if (found.st_size, found.st_mtime_ns) != (video.size_bytes, video.modified_ns):
            raise ObjectChanged(
                f"{video.uri}: written to since it was listed", "The next run sees it as it is."
            )
        return path

    def peek(self, video: VideoObject) -> None:
        """Open it and read a byte."""
        try:
            with Path(video.uri).open("rb") as opened:
                opened.read(1)
        except OSError as error:
            raise translate_os_error(error, video.uri) from error

    def _walk(
        self, selection: Selection, folder: Path, prefix: str, above: frozenset[tuple[int, int]]
    ) -> Iterator[tuple[str, VideoObject]]:
        """`above` holds the folders this one is in, so that a link back to one of them ends there."""
        for entry in _sorted_entries(folder):
            key = prefix + _printable(entry.name)
            if is_hidden(key):
                continue
            if not _is_dir(entry):
                if not selection.has_prefix(key):
                    continue
                yield from _describe(key, f"{folder}/{entry.name}", entry)
                continue
            if not selection.enters(key + "/"):
                continue
            inside = _identity(entry.stat())
            if inside in above:
                continue
            try:
                with os.scandir(entry.path):
                    pass
            except OSError:
                yield from _describe(key + "/", entry.path, entry)
            else:
                yield from self._walk(selection, Path(entry.path), key + "/", above | {inside})


def _sorted_entries(folder: Path) -> list["os.DirEntry[str]"]:
    """As S3 sorts keys: by bytes, a folder as if its slash belonged to the name."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: os.fsencode(entry.name) + b"/" * _is_dir(entry))
    except OSError:
        return []  # removed, or closed to us, since the parent was read


def _is_dir(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _describe(key: str, path: str, entry: "os.DirEntry[str]") -> Iterator[tuple[str, VideoObject]]:
    """Nothing for sockets and pipes; what the link itself says where its target is out of reach."""
    try:
        found = entry.stat()
    except OSError:
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            return  # deleted since the folder was read
    mode = found.st_mode
    if stat.S_ISREG(mode) or stat.S_ISLNK(mode) or stat.S_ISDIR(mode):
        yield key, VideoObject(_printable(path), found.st_size, found.st_mtime_ns)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _printable(name: str) -> str:
    r"""Bytes that are not UTF-8 become `\xff`: such a name can be shown and stored, but not opened."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def translate_os_error(error: OSError, path: str) -> ObjectError:
    if isinstance(error, PermissionError):
        return AccessDenied(f"{path}: permission denied", "Let this user read it and enter its folders.")
    if isinstance(error, FileNotFoundError):
        if "\\x" in path:
            return NotFound(f"{path}: the name is not valid UTF-8", "Rename the file.")
        return NotFound(f"{path}: not found", "Check the name; it may be a broken link, or deleted since.")
    return ObjectError(f"{path}: {error.strerror}", "Check the path.")
