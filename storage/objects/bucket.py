"""Objects below an S3 prefix. `If-None-Match: *` is the "create unless it exists"."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import duckdb
import pyarrow as pa
from botocore.exceptions import ClientError

from schemas.failures import CommitUnknownError
from storage.errors import Damaged, NoSpace, ObjectError, StorageUnavailable
from storage.objects.stored import Place, StoredObject
from storage.s3.arrived import etag_md5, header_md5, is_express, promised_md5
from storage.s3.client import S3_ERRORS, s3_client, translate
from storage.s3.put import conditional_put
from storage.s3.relay import relay_of, trouble_behind

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import PutObjectRequestTypeDef

_READ_TRIES = 3
_CHUNK_BYTES = 1 << 20
_CONFLICT_TRIES = 6  # S3 answers 409 while another write of the same key is in progress
_CONFLICT_WAIT_S = 0.1  # doubled each time


@dataclass(frozen=True, slots=True)
class S3Store:
    """Objects of an index on S3; `prefix` is empty or ends with a slash."""

    bucket: str
    prefix: str
    endpoint_url: str | None = None
    takes_requests: ClassVar[bool] = True
    exists_already: ClassVar[bool] = True

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def put_if_absent(self, key: str, data: bytes) -> bool:
        put = conditional_put(self.endpoint_url, self.bucket)
        if put and (created := put(self.prefix + key, data)) is not None:
            return created
        request: PutObjectRequestTypeDef = {
            "Bucket": self.bucket,
            "Key": self.prefix + key,
            "Body": data,
            "IfNoneMatch": "*",
        }
        if not is_express(self.bucket):
            request["ContentMD5"] = header_md5(data)
        for attempt in range(_CONFLICT_TRIES):
            try:
                self._client().put_object(**request)
                return True
            except S3_ERRORS as error:
                status = _status(error)
                if status == 412:
                    return False
                if status != 409:
                    return self._look_after(key, error)
                time.sleep(_CONFLICT_WAIT_S * 2**attempt)
        raise StorageUnavailable(
            f"{self._name(key)}: still in conflict with other writers after {_CONFLICT_TRIES} tries",
            "Repeat the command.",
        )

    def replace(self, key: str, make: Callable[[], bytes]) -> None:
        pass

    def read(self, key: str) -> bytes:
        """Read it, again where the answer broke off or its bytes are not those of the ETag.

        Bytes that come twice alike are those that are stored, whatever the ETag means to this server.
        """
        came: list[bytes] = []
        for tries_left in reversed(range(_READ_TRIES)):
            try:
                answer = self._client().get_object(Bucket=self.bucket, Key=self.prefix + key)
            except S3_ERRORS as error:
                raise translate(error, self._name(key)) from error
            try:
                data = answer["Body"].read()
            except S3_ERRORS as error:
                if not tries_left:
                    raise translate(error, self._name(key)) from error
                continue
            promised = promised_md5(answer.get("ETag", "").strip('"'), answer, self.bucket)
            if promised in (None, etag_md5(data)) or data in came:
                return data
            came.append(data)
        raise Damaged(
            f"{self._name(key)}: its bytes arrived damaged, {len(came)} times",
            "Something between here and the store changes them: check the network, then repeat.",
        )

    def share(self, key: str, file: Path) -> None:
        try:
            with file.open("rb") as body:
                self._client().put_object(
                    Bucket=self.bucket, Key=self.prefix + key, Body=body, IfNoneMatch="*"
                )
        except S3_ERRORS as error:
            if _status(error) != 412:  # there already
                raise translate(error, self._name(key)) from error

    def fetch(self, key: str, file: Path) -> None:
        try:
            answer = self._client().get_object(Bucket=self.bucket, Key=self.prefix + key)
            with file.open("wb") as sink:
                for some in answer["Body"].iter_chunks(_CHUNK_BYTES):
                    sink.write(some)
        except S3_ERRORS as error:
            raise translate(error, self._name(key)) from error
        except OSError as error:
            hint = "Free some space, or set XDG_CACHE_HOME to a folder with more."
            raise NoSpace(f"{file}: {error.strerror}", hint) from error
        if file.stat().st_size != answer["ContentLength"]:
            raise StorageUnavailable(f"{self._name(key)}: the answer broke off", "Repeat the command.")

    def open(self, key: str) -> pa.NativeFile:
        files = relay_of(self.endpoint_url).file_system()
        return files.open_input_file(f"{self.bucket}/{self.prefix}{key}")

    def trouble_behind(self, error: Exception) -> ObjectError | None:
        return trouble_behind(self.endpoint_url, error)

    def scan(
        self,
        connection: duckdb.DuckDBPyConnection,
        name: str,
        keys: Sequence[str],
        schema: "Callable[[], pa.Schema]",
    ) -> str:
        """Arrow reads S3 for DuckDB: no extension needed, and columns and row groups are still skipped."""
        import pyarrow.dataset as ds  # a third of a second, and a local index does without

        dataset = ds.FileSystemDataset.from_paths(
            [f"{self.bucket}/{self.prefix}{key}" for key in keys],
            schema=schema(),
            format=ds.ParquetFileFormat(),
            filesystem=relay_of(self.endpoint_url).file_system(),
        )
        connection.register(f"_{name}_parts", dataset)
        return f"FROM _{name}_parts"

    def expect(self, places: Iterable[Place]) -> None:
        relay_of(self.endpoint_url).shelf.expect(f"{self.bucket}/{self.prefix}", places)

    def gather(self, keys: Iterable[str]) -> None:
        relay_of(self.endpoint_url).shelf.gather(f"{self.bucket}/{self.prefix}{key}" for key in keys)

    def allow_scans(self, connection: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> None:
        """Do nothing: a connection may read what is registered."""

    def exists(self, key: str) -> bool:
        try:
            self._client().head_object(Bucket=self.bucket, Key=self.prefix + key)
        except S3_ERRORS as error:
            if _status(error) == 404:
                return False
            raise translate(error, self._name(key)) from error
        return True

    def delete(self, key: str) -> None:
        try:
            self._client().delete_object(Bucket=self.bucket, Key=self.prefix + key)
        except S3_ERRORS as error:
            raise translate(error, self._name(key)) from error

    def list(self, prefix: str, after: str = "") -> Iterator[str]:
        return (found.key for found in self._pages(prefix, after))

    def list_objects(self, prefix: str) -> Iterator[StoredObject]:
        return self._pages(prefix, "")

    def list_folders(self) -> Iterator[str]:
        paginator = self._client().get_paginator("list_objects_v2")
        try:
            for page in paginator.paginate(Bucket=self.bucket, Prefix=self.prefix, Delimiter="/"):
                for found in page.get("CommonPrefixes", ()):
                    yield found["Prefix"][len(self.prefix) : -1]
        except S3_ERRORS as error:
            raise translate(error, self.url) from error

    def list_pending(self) -> Iterator[StoredObject]:
        return iter(())

    def remove_folder(self, prefix: str) -> None:
        pass

    def now(self) -> datetime:
        """The time by the `Date` of an answer, in whole seconds."""
        try:
            answer = self._client().list_objects_v2(Bucket=self.bucket, Prefix=self.prefix, MaxKeys=1)
            return parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        except S3_ERRORS as error:
            raise translate(error, self.url) from error
        except (KeyError, ValueError):
            message = f"{self.url}: the store's answers have no date"
            raise ObjectError(message, "Use a server that dates its answers, as HTTP asks.") from None

    def _pages(self, prefix: str, after: str) -> Iterator[StoredObject]:
        paginator = self._client().get_paginator("list_objects_v2")
        start = self.prefix + after if after else ""
        try:
            for page in paginator.paginate(Bucket=self.bucket, Prefix=self.prefix + prefix, StartAfter=start):
                for found in page.get("Contents", ()):
                    key = found["Key"][len(self.prefix) :]
                    yield StoredObject(key, found["Size"], found["LastModified"])
        except S3_ERRORS as error:
            raise translate(error, self._name(prefix)) from error

    def _look_after(self, key: str, error: Exception) -> bool:
        """A write whose answer got lost may have happened; only a look at the store can tell."""
        translated = translate(error, self._name(key))
        if not isinstance(translated, StorageUnavailable):
            raise translated from error
        try:
            written = self.exists(key)
        except ObjectError:
            raise CommitUnknownError(
                f"{self._name(key)}: the store did not say whether it was written",
                "Repeat the command when the store answers again; it looks before it writes.",
            ) from error
        if not written:
            raise translated from error
        return False

    def _client(self) -> "S3Client":
        return s3_client(self.endpoint_url)

    def _name(self, key: str) -> str:
        return f"s3://{self.bucket}/{self.prefix}{key}"


def _status(error: Exception) -> int | None:
    if not isinstance(error, ClientError):
        return None
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
