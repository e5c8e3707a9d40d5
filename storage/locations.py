"""What a URL names: a folder on this machine, or a prefix in an S3 bucket."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from schemas.failures import UsageError

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_HINT = "Name a folder, or s3://bucket or s3://bucket/prefix."


@dataclass(frozen=True, slots=True)
class Folder:
    """An absolute path. Symbolic links in it stay as written, so ids follow the name the user chose."""

    path: Path

    @property
    def url(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class S3Prefix:
    """A place in a bucket; `prefix` is empty or ends with a slash, and keys are never percent-decoded."""

    bucket: str
    prefix: str

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def parse_location(url: str) -> Folder | S3Prefix:
    """Read a place's name; whether the place exists is for whoever opens it. UsageError: it names no
    place."""
    scheme = _SCHEME.match(url)
    if scheme is None and not url.startswith("s3:"):
        return _parse_folder(url)
    if scheme is None or scheme[1].lower() != "s3":
        raise UsageError(f"{url!r} is neither a folder nor an s3:// URL", _HINT)
    bucket, _, prefix = url[scheme.end() :].partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(f"{url!r} has no valid bucket name", _HINT)
    return S3Prefix(bucket, prefix if not prefix or prefix.endswith("/") else prefix + "/")


def _parse_folder(url: str) -> Folder:
    if not url or "\0" in url:
        raise UsageError("the location is empty or holds a NUL character", _HINT)
    try:
        url.encode()
    except UnicodeEncodeError:
        raise UsageError(f"the path {url!r} is not valid UTF-8", "Rename the folder.") from None
    return Folder(Path(os.path.abspath(url)))  # noqa: PTH100 - Path.absolute() would keep ".."


def cache_folder() -> Path:
    """Return this user's folder for what can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "media-index"
