"""The files of a checkpoint under an S3 prefix, as one listing shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import PurePosixPath

from schemas.failures import UsageError
from schemas.identity import digest
from storage.errors import NotFound
from storage.locations import S3Prefix, parse_location
from storage.s3.client import S3_ERRORS, s3_client, translate

WEIGHTS = ".safetensors"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One object; `name` is its path below the checkpoint's prefix."""

    name: str
    uri: str
    size_bytes: int
    etag: str
    version_id: str | None = None

    @property
    def has_weights(self) -> bool:
        """Whether it is large, and only its head says something of the model."""
        return self.name.endswith(WEIGHTS)


@dataclass(frozen=True, slots=True)
class RemoteCheckpoint:
    """A listed checkpoint; nothing of it is read so far."""

    url: str
    endpoint_url: str | None
    files: tuple[RemoteFile, ...]

    @property
    def revision(self) -> str:
        """A digest of 16 hex digits over names, sizes and ETags: another object under one of the names is
        another one."""
        return digest(*(f"{file.name}\t{file.size_bytes}\t{file.etag}" for file in self.files))

    @property
    def weight_bytes(self) -> int:
        """The size of all weights together."""
        return sum(file.size_bytes for file in self.files if file.has_weights)

    @property
    def num_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size_bytes for file in self.files)


def list_checkpoint(url: str, patterns: Sequence[str], endpoint_url: str | None = None) -> RemoteCheckpoint:
    """List what lies below `s3://bucket/prefix` under names that match one of the patterns.

    Raises `UsageError` for another kind of URL, NotFound where nothing matches, and other `ObjectError`s.
    """
    place = parse_location(url)
    if not isinstance(place, S3Prefix):
        raise UsageError(f"{url} is not on S3", "Name s3://bucket/prefix.")
    files = (file for file in _files(place, endpoint_url) if _is_wanted(file.name, patterns))
    found = RemoteCheckpoint(place.url, endpoint_url, tuple(sorted(files, key=lambda file: file.name)))
    if not found.files:
        raise NotFound(
            f"{place.url} has no checkpoint",
            f"Name the prefix below which {' and '.join(patterns[:2])} lie.",
        )
    return found


def _files(place: S3Prefix, endpoint_url: str | None) -> Iterator[RemoteFile]:
    pages = s3_client(endpoint_url).get_paginator("list_objects_v2")
    try:
        for page in pages.paginate(Bucket=place.bucket, Prefix=place.prefix):
            for found in page.get("Contents", ()):
                name, uri = found["Key"][len(place.prefix) :], f"s3://{place.bucket}/{found['Key']}"
                yield RemoteFile(name, uri, found["Size"], found["ETag"].strip('"'))
    except S3_ERRORS as error:
        raise translate(error, place.url) from error


def _is_wanted(name: str, patterns: Sequence[str]) -> bool:
    """Whether it matches, and can be a file's path below a folder, and nowhere else."""
    is_path = str(PurePosixPath(name)) == name and ".." not in name.split("/") and not name.startswith("/")
    return is_path and any(fnmatch(name, pattern) for pattern in patterns)
