"""Which of a library's objects are videos to index. Looks at keys only, never at bytes."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from schemas.failures import UsageError
from schemas.identity import VideoObject

_EXTENSIONS = "3g2 3gp asf avi dv f4v flv gif m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv qt ts vob webm wmv"
VIDEO_EXTENSIONS = frozenset(_EXTENSIONS.split())


@dataclass(frozen=True, slots=True)
class Selection:
    """An object is taken if its extension is one of these, an `include` matches and no `exclude` does.

    With `prefixes`, objects whose keys start with none of them are not even listed. With
    `modified_since_ns` (since the epoch), older ones are left out.

    Extensions are compared without case; None takes any. No `include` at all means everything. Globs
    are case-sensitive and look at the key relative to the library's root: `*` and `?` stay inside one
    folder, `**/` stands for any folders or none, `[a-z]` and `[!a-z]` for one character. A pattern
    without a slash is compared with the name alone, at any depth; `folder/` means all below it.
    """

    extensions: frozenset[str] | None = VIDEO_EXTENSIONS
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    modified_since_ns: int | None = None

    def __post_init__(self) -> None:
        for pattern in self.include + self.exclude:
            _compile(pattern)  # a glob that cannot be read is said before the listing starts

    def takes(self, key: str) -> bool:
        """`key` is relative to the library's root; a folder that cannot be entered ends with a slash.

        Looks at the key alone: an object that is taken may still be too old.
        """
        if not self.has_prefix(key):
            return False
        extension = key.rpartition("/")[2].rpartition(".")[2].lower() if "." in key else ""
        if self.extensions is not None and not key.endswith("/") and extension not in self.extensions:
            return False
        if self.include and not any(_matches(pattern, key) for pattern in self.include):
            return False
        return not any(_matches(pattern, key) for pattern in self.exclude)

    def why_not(self, key: str) -> str:
        """Why an object that is listed and left out is no video to index."""
        if self.takes(key):
            return "older than --since"
        if replace(self, extensions=None).takes(key):
            return "no video by its name (--extension)"
        return "left out by --include, --exclude or --prefix"

    def has_prefix(self, key: str) -> bool:
        """Whether the key is in the part of the library that is listed at all."""
        return not self.prefixes or key.startswith(self.prefixes)

    def enters(self, folder: str) -> bool:
        """Whether keys below may have a prefix; `folder` ends with a slash."""
        return self.has_prefix(folder) or any(prefix.startswith(folder) for prefix in self.prefixes)

    def is_recent(self, video: VideoObject) -> bool:
        """Whether it was modified late enough."""
        return self.modified_since_ns is None or video.modified_ns >= self.modified_since_ns


@dataclass(slots=True)
class LinksOut:
    """How many links were not followed, as they lead out of the library."""

    num: int = 0


class Listing(Iterator[VideoObject]):
    """The selected videos in order of their keys; the counts grow while it is read.

    `as_of` is when S3 Inventory looked at the library, None where it is being looked at now. `is_whole`: a
    key that the selection takes and that is not listed is not there.
    """

    def __init__(
        self,
        objects: Iterator[tuple[str, VideoObject]],
        selection: Selection,
        as_of: datetime | None = None,
        links_out: LinksOut | None = None,
    ) -> None:
        self.as_of = as_of
        self.is_whole = as_of is None and selection.modified_since_ns is None
        self._objects = objects
        self._selection = selection
        self._links_out = links_out or LinksOut()
        self.num_listed = 0
        self.num_ignored = 0
        self.on_ignored: Callable[[str, str], None] | None = None  # is told URI and reason of each

    @property
    def num_links_out(self) -> int:
        """Links that were not followed, as they lead out of the library."""
        return self._links_out.num

    def __next__(self) -> VideoObject:
        for key, video in self._objects:
            if self._selection.takes(key) and self._selection.is_recent(video):
                self.num_listed += 1
                return video
            self.num_ignored += 1
            if self.on_ignored:
                self.on_ignored(video.uri, self._selection.why_not(key))
        raise StopIteration


def is_hidden(key: str) -> bool:
    """A dot file, or inside a dot folder: editors' and systems' own files, in neither count."""
    return key.startswith(".") or "/." in key


def _matches(pattern: str, key: str) -> bool:
    if "/" not in pattern:
        key = key.rstrip("/").rpartition("/")[2]
    return _compile(pattern).fullmatch(key) is not None


# `[` without its `]` stands for itself.
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|.", re.DOTALL)


@lru_cache(maxsize=256)
def _compile(pattern: str) -> re.Pattern[str]:
    glob = pattern.removeprefix("/") + ("**" if pattern.endswith("/") else "")
    if not glob:
        raise UsageError("an empty glob matches nothing", "Leave it out, or write * for any name.")
    try:
        return re.compile("".join(map(_to_regex, _TOKEN.findall(glob))), re.DOTALL)
    except re.error as error:
        raise UsageError(f"the glob {pattern!r} is not valid: {error}", "Check its [ranges].") from error


def _to_regex(token: str) -> str:
    match token:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
        case _ if len(token) == 1:
            return re.escape(token)
    members = token[1:-1]
    negation = "^" if members[0] in "!^" else ""
    escaped = re.sub(r"([\\\[\]&~|^])", r"\\\1", members[len(negation) :])
    return f"(?!/)[{negation}{escaped}]"
