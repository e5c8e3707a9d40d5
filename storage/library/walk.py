"""Walks a folder and what is linked into it: every file of the library once, whatever links lead to it.

A link to what the library lists by itself adds nothing. A link to what lies in it but is not listed (in a
hidden folder, or left out by the filters) is a place of its own, entered once however many links lead there.
A link that leads out of the library is followed only if asked; one to a folder above the library, or into
what the kernel makes up (/proc, /sys), never.
"""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from schemas.identity import VideoObject
from storage.library.listing import LinksOut
from storage.library.selection import Selection, is_hidden

_MADE_UP = ("/proc", "/sys")
_ESCAPED = re.compile(rb"\\x([89a-f][0-9a-f])")  # as `printable` writes a byte


@dataclass(frozen=True, slots=True)
class _Place:
    """A folder: its path as reached, which names its videos, the keys' start, and where it really is."""

    path: str
    prefix: str  # empty, or ends with a slash
    real: str
    is_linked: bool = False


class Walk:
    """One pass over the folder `root`, whose own path holds no links. `out` counts the links not followed."""

    def __init__(self, root: Path, selection: Selection, follows_links: bool, out: LinksOut) -> None:
        self._root = str(root)
        self._selection = selection
        self._follows_links = follows_links
        self._out = out
        self._entered: set[str] = set()  # real folders that links led into, and files that they led to

    def __iter__(self) -> Iterator[tuple[str, VideoObject]]:
        """Keys and objects, in order of the keys' bytes."""
        return self._folder(_Place(self._root, "", self._root))

    def _folder(self, place: _Place) -> Iterator[tuple[str, VideoObject]]:
        for entry in _sorted_entries(place.path):
            key = place.prefix + printable(entry.name)
            if is_hidden(key):
                continue
            here = _Place(
                f"{place.path}/{entry.name}", key + "/", f"{place.real}/{entry.name}", place.is_linked
            )
            if entry.is_symlink():
                yield from self._link(here, key, entry)
            elif _is_dir(entry):
                yield from self._enter(here, entry)
            elif self._selection.lists(key) and not (here.is_linked and self._lists(here.real)):
                yield from _describe(key, here.path, entry)

    def _link(self, here: _Place, key: str, entry: "os.DirEntry[str]") -> Iterator[tuple[str, VideoObject]]:
        try:
            real = os.path.realpath(here.path, strict=True)
        except OSError:
            real = ""  # broken, a loop, or closed to us: listed, so that fetching it says why
        if real and Path(real).is_dir():
            linked = _Place(here.path, here.prefix, real, is_linked=True)
            if self._selection.enters(here.prefix) and self._may_follow(real, is_wanted=True):
                yield from self._enter(linked, entry)
        elif self._selection.lists(key) and not (here.is_linked and self._lists(here.real)):
            is_wanted = self._selection.takes(key) or self._selection.takes_sidecar(key)
            is_followed = not real or self._may_follow(real, is_wanted)
            if is_followed and not (real and (self._lists(real) or self._was_listed(real, key))):
                yield from _describe(key, here.path, entry)

    def _enter(self, here: _Place, entry: "os.DirEntry[str]") -> Iterator[tuple[str, VideoObject]]:
        if not self._selection.enters(here.prefix):
            return
        if here.is_linked:
            if here.real in self._entered:
                return
            self._entered.add(here.real)
        try:
            with os.scandir(here.path):
                pass
        except OSError:
            yield from _describe(here.prefix, here.path, entry)
        else:
            yield from self._folder(here)

    def _may_follow(self, real: str, is_wanted: bool) -> bool:
        """Whether a link there is followed; those that are not are counted if anything was wanted of them."""
        if _is_below(real, self._root):
            return real != self._root
        is_above = _is_below(self._root, real) or any(_is_below(real, made_up) for made_up in _MADE_UP)
        is_followed = self._follows_links and not is_above
        self._out.num += is_wanted and not is_followed
        return is_followed

    def _was_listed(self, real: str, key: str) -> bool:
        """Whether a link before this one led to the same file, and was taken."""
        was_listed = real in self._entered
        if self._selection.takes(key):
            self._entered.add(real)
        return was_listed

    def _lists(self, real: str) -> bool:
        """Whether that file is listed as what it is, without any link."""
        if not _is_below(real, self._root):
            return False
        key = printable(real[len(self._root.rstrip("/")) + 1 :])
        return not is_hidden(key) and self._selection.takes(key)


def _is_below(path: str, folder: str) -> bool:
    """Whether it is the folder, or inside of it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _sorted_entries(folder: str) -> list["os.DirEntry[str]"]:
    """Entries as S3 sorts keys: by bytes, a folder as if its slash belonged to the name."""
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
        yield key, VideoObject(printable(path), found.st_size, found.st_mtime_ns)


def printable(name: str) -> str:
    r"""Bytes that are not UTF-8 become `\xff`: such a name can be shown and stored, but not opened."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def has_bad_name(path: str) -> bool:
    r"""Whether it is the printable path of a file whose own is not UTF-8, and not of one called `\xff`."""
    real = _ESCAPED.sub(lambda found: bytes([int(found[1], 16)]), path.encode())
    return shows_bad_name(path) and os.path.lexists(real) and not os.path.lexists(path)


def shows_bad_name(path: str) -> bool:
    """Whether a printable path may be that of such a file."""
    return _ESCAPED.search(path.encode()) is not None
