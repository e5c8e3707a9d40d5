"""The place that an indexed video's bytes can be played from: its file, or a link to its object."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from schemas.identity import VideoObject
from storage.errors import NotFound, ObjectChanged, ObjectError
from storage.library.local import translate_os_error
from storage.locations import Folder, S3Prefix, parse_location
from storage.s3.client import S3_ERRORS, link_client, s3_client, translate

_REPLACED = "Its times would be wrong; the next run indexes it."
LINK_SECONDS = 3600  # a link must outlive a look at a film, and not much more


@dataclass(frozen=True, slots=True)
class IndexedObject:
    """The object that a `videos` row speaks of; the names are its columns."""

    uri: str
    object_rev: str
    etag: str | None
    version_id: str | None

    @property
    def is_local(self) -> bool:
        return not self.uri.startswith("s3://")


def is_inside(uri: str, library: str) -> bool:
    """Whether the library at that location holds what this URI names, links followed.

    Names with `..` are in no library, and a link inside of one leads out of it wherever it may point to.
    """
    place = parse_location(library)
    if isinstance(place, Folder):
        is_plain = "\0" not in uri and Path(uri).is_absolute() and os.path.normpath(uri) == uri
        return is_plain and _real(uri).is_relative_to(_real(place.path))
    return uri.startswith(f"s3://{place.bucket}/{place.prefix}")


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


def find_file(video: IndexedObject) -> Path:
    """The path of a local video without links, after a look that it holds the bytes that were indexed.

    Raises NotFound, AccessDenied, or ObjectChanged where it was replaced.
    """
    if not Path(video.uri).is_absolute() or "\0" in video.uri:
        raise NotFound(f"{video.uri!r} is no path of a file", "The index names it so; look where it is from.")
    path = _real(video.uri)
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe in its place must not block
        try:
            found = os.fstat(opened)
        finally:
            os.close(opened)
    except OSError as error:
        raise translate_os_error(error, video.uri) from error
    if not stat.S_ISREG(found.st_mode):
        raise NotFound(f"{video.uri}: not a regular file", "It was replaced since it was indexed.")
    if VideoObject(video.uri, found.st_size, found.st_mtime_ns).object_rev != video.object_rev:
        raise ObjectChanged(
            f"{video.uri}: replaced since it was indexed",
            "Its times would be wrong; the next run indexes it.",
        )
    return path


def presign(video: IndexedObject, endpoint_url: str | None, content_type: str) -> str:
    """A link that anybody can GET the object by, and do nothing else, for `LINK_SECONDS`.

    One HEAD first: a link says nothing about the ETag, so a replaced object is told here. Where the index
    knows the version, the link is to that one. Raises ObjectError.
    """
    place = parse_location(video.uri)
    assert isinstance(place, S3Prefix)
    target = {"Bucket": place.bucket, "Key": video.uri.removeprefix(f"s3://{place.bucket}/")}
    if video.version_id is not None:
        target["VersionId"] = video.version_id
    try:
        found = s3_client(endpoint_url).head_object(**target)  # type: ignore[arg-type]  # a TypedDict, built in two steps
        if found["ETag"].strip('"') != video.etag:
            raise ObjectChanged(f"{video.uri}: replaced since it was indexed", _REPLACED)
        return link_client(endpoint_url, place.bucket).generate_presigned_url(
            "get_object", Params=target | {"ResponseContentType": content_type}, ExpiresIn=LINK_SECONDS
        )
    except S3_ERRORS as error:
        raise translate(error, video.uri) from error


def link_origin(uri: str, endpoint_url: str | None) -> str:
    """Return scheme and host of the links to this object, e.g. `https://films.s3.amazonaws.com`. ObjectError:
    it is in no bucket."""
    place = parse_location(uri)
    if not isinstance(place, S3Prefix):
        raise ObjectError(f"{uri} is in no bucket", "Only objects in S3 have links.")
    try:
        link = link_client(endpoint_url, place.bucket).generate_presigned_url(
            "get_object", Params={"Bucket": place.bucket, "Key": "-"}
        )
    except S3_ERRORS as error:
        raise translate(error, uri) from error
    scheme, _, rest = link.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}"
