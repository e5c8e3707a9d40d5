"""A library under an S3 prefix."""

import errno
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from schemas.identity import VideoObject
from storage.errors import NoSpace, StorageUnavailable
from storage.s3 import S3_ERRORS, s3_client, translate
from storage.selection import Listing, Selection, is_hidden

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectRequestTypeDef

_CHUNK_BYTES = 1 << 20
_SPARE_BYTES = 64 << 20  # left free for everybody else on the disk
_MAX_RESUMES = 5  # of one download; botocore retries only until the first byte


@dataclass(frozen=True, slots=True)
class S3Library:
    """Holds names only; the client is made in the process that uses it."""

    bucket: str
    prefix: str
    endpoint_url: str | None = None

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def check(self) -> None:
        """One listing request: tells a missing bucket from a refused login, which HEAD cannot."""
        try:
            self._client().list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
        except S3_ERRORS as error:
            raise translate(error, self.url) from error

    def list_videos(self, selection: Selection) -> Listing:
        return Listing(self._objects(), selection)

    def fetch(self, video: VideoObject, folder: Path) -> Path:
        """Downloads into `folder`, pinned to the listed ETag; the name there owes nothing to the key."""
        _check_space(folder, video)
        extension = "".join(c for c in video.uri.rpartition(".")[2][:8] if c.isascii() and c.isalnum())
        with tempfile.NamedTemporaryFile(
            dir=folder, prefix=f"{video.video_id}-", suffix=f".{extension}", delete=False
        ) as file:
            path = Path(file.name)
            try:
                self._download(video, file)
            except BaseException:
                path.unlink(missing_ok=True)
                raise
        return path

    def peek(self, video: VideoObject) -> None:
        """One request, for one byte; the rest of the answer is never asked for."""
        key = video.uri.removeprefix(f"s3://{self.bucket}/")
        try:
            self._client().get_object(Bucket=self.bucket, Key=key, Range="bytes=0-0")["Body"].read()
        except S3_ERRORS as error:
            raise translate(error, video.uri) from error

    def _client(self) -> "S3Client":
        return s3_client(self.endpoint_url)

    def _objects(self) -> Iterator[tuple[str, VideoObject]]:
        pages = (
            self._client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix)
        )
        try:
            for page in pages:
                for found in page.get("Contents", ()):
                    key = found["Key"][len(self.prefix) :]
                    if is_hidden(key) or found["Key"].endswith("/"):
                        continue  # the latter are the "folders" that consoles make
                    yield (
                        key,
                        VideoObject(
                            uri=f"s3://{self.bucket}/{found['Key']}",
                            size_bytes=found["Size"],
                            modified_ns=int(found["LastModified"].timestamp()) * 1_000_000_000,
                            etag=found["ETag"].strip('"'),
                        ),
                    )
        except S3_ERRORS as error:
            raise translate(error, self.url) from error

    def _download(self, video: VideoObject, file: IO[bytes]) -> None:
        """A connection that breaks is taken up again where it broke, still pinned to the ETag."""
        for _ in range(1 + _MAX_RESUMES):
            body = self._open(video, file.tell())
            try:
                for chunk in body.iter_chunks(_CHUNK_BYTES):
                    file.write(chunk)
            except S3_ERRORS as error:
                broke_off: Exception | None = error
            except OSError as error:
                if error.errno == errno.ENOSPC:
                    raise _no_space(video) from error
                raise
            else:
                broke_off = None
            if file.tell() == video.size_bytes:
                return
        raise StorageUnavailable(
            f"{video.uri}: the download broke off {1 + _MAX_RESUMES} times, last at {file.tell()} of"
            f" {video.size_bytes} bytes",
            "Check the network, then repeat.",
        ) from broke_off

    def _open(self, video: VideoObject, offset: int) -> "StreamingBody":
        request: GetObjectRequestTypeDef = {
            "Bucket": self.bucket,
            "Key": video.uri.removeprefix(f"s3://{self.bucket}/"),
            "IfMatch": f'"{video.etag}"',
        }
        if video.version_id is not None:
            request["VersionId"] = video.version_id
        if offset:
            request["Range"] = f"bytes={offset}-"
        try:
            return self._client().get_object(**request)["Body"]
        except S3_ERRORS as error:
            raise translate(error, video.uri) from error


def _check_space(folder: Path, video: VideoObject) -> None:
    if shutil.disk_usage(folder).free < video.size_bytes + _SPARE_BYTES:
        raise _no_space(video)


def _no_space(video: VideoObject) -> NoSpace:
    return NoSpace(
        f"{video.uri}: no room for its {video.size_bytes / 1e6:.0f} MB on the local disk",
        "Free some space, or let temporary files go to another disk (TMPDIR).",
    )
