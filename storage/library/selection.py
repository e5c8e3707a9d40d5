"""Which of a library's objects are videos to index. Looks at keys only, never at bytes."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from schemas.failures import UsageError
from schemas.identity import VideoObject

_EXTENSIONS = "3g2 3gp asf avi dv f4v flv gif m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogv qt ts vob webm wmv"
VIDEO_EXTENSIONS = frozenset(_EXTENSIONS.split())
# Not xml: beside a video that is a camera's or an editor's own data far more often than captions.
_TEXTS = "ass dfxp idx itt mpl2 sbv scc smi srt ssa stl sub ttml vtt"
SIDECAR_EXTENSIONS = frozenset(_TEXTS.split())


@dataclass(frozen=True, slots=True)
class Selection:
    """An object is taken if its extension is one of these, an `include` matches and no `exclude` does.

    With `prefixes`, objects whose keys start with none of them are not even listed. With
    `modified_since_ns` (since the epoch), older ones are left out.

    Extensions are compared without case; None takes any. No `include` at all means everything. Globs
    are case-sensitive and look at the key relative to the library's root: `*` and `?` stay inside one
    folder, `**/` stands for any folders or none, `[a-z]` and `[!a-z]` for one character. A pattern
    without a slash is compared with the name alone, at any depth; `folder/` means all below it.

    `with_sidecars`: what has the extension of a text is none of the videos, unless `extensions` names it,
    but may belong to one (`storage.library.pairing`). No `include` and no prefix parts the two.
    """

    extensions: frozenset[str] | None = VIDEO_EXTENSIONS
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    modified_since_ns: int | None = None
    with_sidecars: bool = False

    def __post_init__(self) -> None:
        for pattern in self.include + self.exclude:
            _compile(pattern)  # a glob that cannot be read is said before the listing starts

    def takes(self, key: str) -> bool:
        """Whether an object is taken by its key, which is relative to the library's root; a folder that
        cannot be entered ends with a slash.

        Looks at the key alone: an object that is taken may still be too old.
        """
        if not self.has_prefix(key) or not (key.endswith("/") or self._is_video(extension_of(key))):
            return False
        if self.include and not any(_matches(pattern, key) for pattern in self.include):
            return False
        return not self._excludes(key)

    def takes_sidecar(self, key: str) -> bool:
        """Whether it belongs to the video beside it, if there is one."""
        extension = extension_of(key)
        if not self.with_sidecars or extension not in SIDECAR_EXTENSIONS or self._is_video(extension):
            return False
        return not self._excludes(key)

    def has_video_name(self, key: str) -> bool:
        """Whether it is a video to look at, left out or not: texts with its name are its own."""
        extension = extension_of(key)
        return bool(extension) and (extension in VIDEO_EXTENSIONS or self._is_video(extension))

    def why_not(self, key: str) -> str:
        """Return why an object that is listed and left out is no video to index."""
        if self.takes(key):
            return "older than --since"
        if replace(self, extensions=None, with_sidecars=False).takes(key):
            return "no video by its name (--extension)"
        return "left out by --include, --exclude or --prefix"

    def has_prefix(self, key: str) -> bool:
        """Whether the key is in the part of the library that was asked for."""
        return not self.prefixes or key.startswith(self.prefixes)

    @property
    def listed_prefixes(self) -> tuple[str, ...]:
        """The prefixes to list: `prefixes`, shortened where they end inside of an extension, so that texts
        are listed as well."""
        return tuple(map(self._widened, self.prefixes)) if self.with_sidecars else self.prefixes

    def lists(self, key: str) -> bool:
        """Whether the key is in the part of the library that is listed."""
        return not self.prefixes or key.startswith(self.listed_prefixes)

    def enters(self, folder: str) -> bool:
        """Whether keys below may have a prefix; `folder` ends with a slash."""
        return self.has_prefix(folder) or any(prefix.startswith(folder) for prefix in self.prefixes)

    def is_recent(self, video: VideoObject) -> bool:
        """Whether it, or a text beside it, was modified late enough."""
        since_ns = self.modified_since_ns
        if since_ns is None or video.modified_ns >= since_ns:
            return True
        return any(sidecar.modified_ns >= since_ns for sidecar in video.sidecars)

    def _is_video(self, extension: str) -> bool:
        if self.extensions is None:
            return not (self.with_sidecars and extension in SIDECAR_EXTENSIONS)
        return extension in self.extensions

    def _excludes(self, key: str) -> bool:
        return any(_matches(pattern, key) for pattern in self.exclude)

    def _widened(self, prefix: str) -> str:
        start, dot, rest = prefix.rpartition(".")
        if not dot or "/" in rest:
            return prefix
        known = VIDEO_EXTENSIONS | (self.extensions or frozenset())
        is_inside = self.extensions is None or any(one.startswith(rest.lower()) for one in known)
        return start + dot if is_inside else prefix


def extension_of(key: str) -> str:
    """The extension in lower case, without its dot; empty: it has none, or is a folder."""
    extension = key.rpartition(".")[2]
    return "" if "/" in extension or len(extension) == len(key) else extension.lower()


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
