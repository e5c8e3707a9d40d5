"""Ids are hashes of what they stand for, so every process derives the same ones."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NewType

VideoId = NewType("VideoId", str)  # 16 hex digits; `video_id_of` makes one, `parse_video_id` checks one
_ID = re.compile("[0-9a-f]{16}")


def digest(*parts: str) -> str:
    """Return 16 hex digits (64 bits) of SHA-256 over the parts; a NUL keeps ("ab", "c") apart from ("a",
    "bc")."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# MD5 of the bytes, or of the parts' MD5s and their number. Some servers answer zeros where they don't know.
_DIGEST = re.compile(r"(?!0{32})[0-9a-f]{32}(-[1-9][0-9]*)?")


def moment_of(epoch_ns: int) -> datetime:
    """The moment that many nanoseconds after 1970 (UTC), rounded down to a microsecond.

    File systems hold times that calendars from year 1 to 9999 do not: those are the first or the last moment.
    """
    try:
        return _EPOCH + timedelta(microseconds=epoch_ns // 1000)
    except OverflowError:
        return (datetime.max if epoch_ns > 0 else datetime.min).replace(tzinfo=UTC)


def video_id_of(uri: str) -> VideoId:
    """Return the id of a video, which follows its URI: it survives every change of the object's bytes."""
    return VideoId(digest("video", uri))


def parse_video_id(text: str) -> VideoId | None:
    """An id that comes from outside; None: it is none."""
    return VideoId(text) if _ID.fullmatch(text) else None


def number_of(video_id: VideoId) -> int:
    """The id in 64 bits, where millions are held at once."""
    return int(video_id, 16)


def numbered(number: int) -> VideoId:
    """The id of that number."""
    return VideoId(f"{number:016x}")


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file of texts beside a video, as the listing shows it: `film.en.srt` beside `film.mp4`.

    `name` is the file's own name, in the video's folder.
    """

    name: str
    size_bytes: int
    modified_ns: int
    etag: str | None = None
    is_archived: bool = False  # in a storage class that must be restored from before it can be read

    @property
    def rev(self) -> str:
        """The revision of its bytes: etag and size on S3, size and modification time on a disk; and whether
        they are out of reach."""
        return f"{self.size_bytes}-{self.etag or self.modified_ns}{'-archived' if self.is_archived else ''}"


@dataclass(frozen=True, slots=True)
class VideoObject:
    """One media object as the library's listing shows it, before a byte of it is read.

    `uri` is `s3://bucket/key` (the key unescaped) or an absolute path. `etag` is S3's opaque change
    signal, never a content hash. `modified_ns` is nanoseconds since the epoch (S3 has whole seconds).
    `sidecars` are the texts beside it, by name.
    """

    uri: str
    size_bytes: int
    modified_ns: int
    etag: str | None = None
    version_id: str | None = None
    is_archived: bool = False  # in a storage class that must be restored from before it can be read
    sidecars: tuple[Sidecar, ...] = ()

    @property
    def video_id(self) -> VideoId:
        """Identity that follows from the URI."""
        return video_id_of(self.uri)

    @property
    def is_local(self) -> bool:
        """Whether the video is on a disk: S3 alone gives etags."""
        return self.etag is None

    @property
    def modified_at(self) -> datetime:
        """Time of the last change, in UTC."""
        return moment_of(self.modified_ns)

    @property
    def object_rev(self) -> str:
        """The revision of its bytes: etag and size (and version) on S3, size and modification time on a disk.

        S3's own modification time stays out: copying an object onto itself changes it, not the bytes.
        """
        if self.is_local:
            return f"{self.size_bytes}-{self.modified_ns}"
        return "-".join(filter(None, (self.etag, str(self.size_bytes), self.version_id)))

    @property
    def content_rev(self) -> str:
        """A revision that is equal for the same bytes under another name: a moved or copied object keeps
        it."""
        return f"{self.size_bytes}-{self.etag or self.modified_ns}"

    @property
    def tells_content(self) -> bool:
        """Whether an equal `content_rev` proves equal bytes: the etag is made of them.

        The same bytes may have other etags, too: uploaded in other parts, or encrypted with another key.
        """
        return self.etag is not None and _DIGEST.fullmatch(self.etag) is not None

    @property
    def sidecars_rev(self) -> str | None:
        """The revision of the texts beside it, of their names and bytes; None: there are none."""
        if not self.sidecars:
            return None
        in_order = sorted(self.sidecars, key=lambda sidecar: sidecar.name)
        return digest("sidecars", *(part for one in in_order for part in (one.name, one.rev)))

    def has_texts_of(self, sidecars_rev: str | None) -> bool:
        """Whether what lies beside it could be read by whoever found this `sidecars_rev`, as it lies there or
        as it would after being restored: texts that are archived again are not lost by that."""
        awake = tuple(replace(one, is_archived=False) for one in self.sidecars)
        return sidecars_rev in (self.sidecars_rev, replace(self, sidecars=awake).sidecars_rev)

    def analysis_key(self, recipe_id: str) -> str:
        """The idempotency key: committed once means never paid for again."""
        beside = (self.sidecars_rev,) if self.sidecars_rev else ()
        return digest("analysis", self.video_id, self.object_rev, recipe_id, *beside)


def new_run_id(started_at: datetime, entropy: str) -> str:
    """Return an id that sorts by time, e.g. `20261121T081502Z-4f9c1b`; `entropy` parts runs of one second."""
    return f"{started_at:%Y%m%dT%H%M%SZ}-{digest('run', entropy)[:6]}"
