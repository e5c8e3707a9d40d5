"""A library under an S3 prefix."""

import io
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from schemas.identity import Sidecar, VideoObject
from storage.library.inventory import Inventory
from storage.library.inventory_rows import ARCHIVES, inventory_objects
from storage.library.listing import Listing
from storage.library.pairing import object_of
from storage.library.selection import Selection, is_hidden
from storage.s3.arrived import etags_of
from storage.s3.client import S3_ERRORS, s3_client, translate
from storage.s3.download import download, no_space, request_for
from storage.s3.ranges import Listed, Range, list_in_order, outermost

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

PAGE_KEYS = 1000  # S3 gives no more
MAX_PAGES, MAX_FIRST_PAGES = 4, 8  # listed at once
_FETCH_TRIES = 2  # of one request; a run tries each video several times, and what is silent takes its time
_SPARE_BYTES = 64 << 20  # left free for everybody else on the disk
_END_BYTES = 1 << 20  # of head and tail, each


@dataclass(frozen=True, slots=True)
class S3Library:
    """Holds names only; the client is made in the process that uses it.

    With an `inventory` that is what is listed, whatever has happened to the bucket since.
    """

    bucket: str
    prefix: str
    endpoint_url: str | None = None
    inventory: Inventory | None = None
    is_local: ClassVar[bool] = False

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def check(self) -> None:
        """One listing request: tells a missing bucket from a refused login, which HEAD cannot."""
        try:
            self._client().list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
        except S3_ERRORS as error:
            raise translate(error, self.url) from error
        if self.inventory:
            self.inventory.manifest(self.bucket)

    def list_videos(self, selection: Selection) -> Listing:
        prefixes = outermost(self.prefix + prefix for prefix in selection.listed_prefixes or ("",))
        if self.inventory is None:
            return Listing(self._objects(prefixes), selection)
        manifest = self.inventory.manifest(self.bucket)
        objects = inventory_objects(self.inventory, manifest, self.prefix, prefixes)
        return Listing(objects, selection, as_of=manifest.created_at)

    def fetch(self, video: VideoObject, folder: Path) -> Path:
        """Downloads into `folder`, pinned to the listed ETag; the name there owes nothing to the key."""
        _check_space(folder, video)
        extension = "".join(c for c in video.uri.rpartition(".")[2][:8] if c.isascii() and c.isalnum())
        with tempfile.NamedTemporaryFile(
            dir=folder, prefix=f"{video.video_id}-", suffix=f".{extension}", delete=False
        ) as file:
            path = Path(file.name)
            try:
                client = s3_client(self.endpoint_url, _FETCH_TRIES)
                download(client, etags_of(self.endpoint_url, self.bucket), video, file)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return path

    def fetch_sidecar(self, video: VideoObject, sidecar: Sidecar) -> bytes:
        """One request, pinned to the listed ETag."""
        file = io.BytesIO()
        client = s3_client(self.endpoint_url, _FETCH_TRIES)
        download(client, etags_of(self.endpoint_url, self.bucket), object_of(video, sidecar), file)
        return file.getvalue()

    def fetch_ends(self, video: VideoObject, folder: Path) -> Path:
        """Fetch both ends by two requests into a copy as long as the object, and sparse."""
        path = folder / f"{video.video_id}-ends"
        tail = max(0, video.size_bytes - _END_BYTES)
        with path.open("wb") as file:
            file.truncate(video.size_bytes)
            for offset in (0, tail) if tail else (0,):
                file.seek(offset)
                file.write(self._read_some(video, offset))
        return path

    def _read_some(self, video: VideoObject, offset: int) -> bytes:
        last = min(offset + _END_BYTES, video.size_bytes) - 1
        if last < offset:
            return b""
        request = request_for(video) | {"Range": f"bytes={offset}-{last}"}
        try:
            return s3_client(self.endpoint_url, _FETCH_TRIES).get_object(**request)["Body"].read()
        except S3_ERRORS as error:
            raise translate(error, video.uri) from error

    def peek(self, video: VideoObject) -> None:
        """One request, for one byte; the rest of the answer is never asked for."""
        key = video.uri.removeprefix(f"s3://{self.bucket}/")
        try:
            self._client().get_object(Bucket=self.bucket, Key=key, Range="bytes=0-0")["Body"].read()
        except S3_ERRORS as error:
            raise translate(error, video.uri) from error

    def _client(self) -> "S3Client":
        return s3_client(self.endpoint_url)

    def _objects(self, prefixes: Sequence[str]) -> Iterator[tuple[str, VideoObject]]:
        try:
            yield from list_in_order(map(Range, prefixes), self._list_some, self._first_key)
        except S3_ERRORS as error:
            raise translate(error, self.url) from error

    def _list_some(self, keys: Range) -> Listed[tuple[str, VideoObject]]:
        """A few pages; more of an unsplit library, so that a small one takes no further requests."""
        max_pages = MAX_PAGES if keys.after else MAX_FIRST_PAGES
        pages = (
            self._client()
            .get_paginator("list_objects_v2")
            .paginate(
                Bucket=self.bucket,
                Prefix=keys.prefix,
                StartAfter=keys.after,
                OptionalObjectAttributes=["RestoreStatus"],
                PaginationConfig={"PageSize": PAGE_KEYS},
            )
        )
        videos: list[tuple[str, VideoObject]] = []
        last = ""
        for number, page in enumerate(pages, start=1):
            for found in page.get("Contents", ()):
                last = found["Key"]
                if not is_hidden(last[len(self.prefix) :]) and not last.endswith("/"):
                    videos.append((last[len(self.prefix) :], self._video(found)))
            if number >= max_pages and last and page["IsTruncated"]:
                return videos, Range(keys.prefix, last)
        return videos, None

    def _first_key(self, keys: Range) -> str | None:
        page = self._client().list_objects_v2(
            Bucket=self.bucket, Prefix=keys.prefix, StartAfter=keys.after, MaxKeys=1
        )
        return next((found["Key"] for found in page.get("Contents", ())), None)

    def _video(self, found: "ObjectTypeDef") -> VideoObject:
        return VideoObject(
            uri=f"s3://{self.bucket}/{found['Key']}",
            size_bytes=found["Size"],
            modified_ns=int(found["LastModified"].timestamp()) * 1_000_000_000,
            etag=found["ETag"].strip('"'),
            is_archived=found.get("StorageClass") in ARCHIVES and not _is_restored(found),
        )


def _is_restored(found: "ObjectTypeDef") -> bool:
    """The restored copy has a day on which it goes away again; one that is still on its way has none."""
    return "RestoreExpiryDate" in found.get("RestoreStatus", {})


def _check_space(folder: Path, video: VideoObject) -> None:
    if shutil.disk_usage(folder).free < video.size_bytes + _SPARE_BYTES:
        raise no_space(video)
