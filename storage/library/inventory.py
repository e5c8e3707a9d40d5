"""S3 Inventory: the list of a bucket's objects that S3 writes once a day or a week, and its manifest.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, Field, ValidationError

from schemas.failures import PreflightError, UsageError
from storage.errors import NotFound, ObjectError
from storage.library.local import translate_os_error
from storage.locations import S3Prefix, parse_location
from storage.s3.client import S3_ERRORS, s3_client, translate

# What an object's row must say, by the names of the inventory's optional fields.
_NEEDED = {
    "size": "Size",
    "last_modified_date": "Last modified",
    "e_tag": "ETag",
    "storage_class": "Storage class",
}
_CSV_NAMES = {
    "Key": "key",
    "Size": "size",
    "LastModifiedDate": "last_modified_date",
    "ETag": "e_tag",
    "StorageClass": "storage_class",
    "IntelligentTieringAccessTier": "intelligent_tiering_access_tier",
    "IsLatest": "is_latest",
    "IsDeleteMarker": "is_delete_marker",
}
_PARQUET_COLUMN = re.compile(r"(?:required|optional)\s+\w+\s+(\w+)")
_COPIES = 2  # that may come damaged
_CHUNK_BYTES = 1 << 20


class DataFile(BaseModel):
    """File with some of the rows. `key` is relative to the bucket that the inventory was written to."""

    key: str
    md5: str = Field(alias="MD5checksum")


class Manifest(BaseModel):
    """The content of `manifest.json`."""

    bucket: str = Field(alias="sourceBucket")
    created_at: datetime = Field(alias="creationTimestamp")  # when S3 began to look at the bucket
    format: str = Field(alias="fileFormat")
    file_schema: str = Field(alias="fileSchema")
    files: tuple[DataFile, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns in order, by their names in Parquet; those with a number are of no interest here."""
        if self.format == "Parquet":
            return tuple(_PARQUET_COLUMN.findall(self.file_schema))
        names = enumerate(self.file_schema.split(","))
        return tuple(_CSV_NAMES.get(name.strip(), f"column{number}") for number, name in names)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The place of a manifest: `s3://bucket/…/manifest.json`, or a file with the data files beside it.

    Beside: in the same folder, in `data` below it, or in `data` next to it as S3 has it.
    """

    url: str
    endpoint_url: str | None = None

    def manifest(self, bucket: str) -> Manifest:
        """Read the manifest. UsageError: it is not of this bucket. PreflightError: it is not there, or not of
        use."""
        manifest = self._parse()
        if manifest.bucket != bucket:
            raise UsageError(
                f"{self.url} is the inventory of s3://{manifest.bucket}, not of s3://{bucket}",
                "Name the library's own inventory with --inventory.",
            )
        if manifest.format not in ("CSV", "Parquet"):
            raise PreflightError(
                f"{self.url}: the inventory's files are {manifest.format}, which is not read here",
                "Configure the bucket's inventory to be written as Parquet or CSV.",
            )
        if missing := [label for name, label in _NEEDED.items() if name not in manifest.columns]:
            raise PreflightError(
                f"{self.url}: the inventory has no {' and no '.join(missing)}",
                "Enable these fields in the bucket's inventory configuration; the next inventory has them.",
            )
        return manifest

    def copy(self, file: DataFile, folder: Path) -> Path:
        """A copy of a data file in `folder`, with the bytes that the manifest promises.

        PreflightError: missing or damaged.
        """
        path = folder / file.key.rpartition("/")[2]
        for _ in range(_COPIES):
            digest = hashlib.md5(usedforsecurity=False)
            with self._open(file.key) as source, path.open("wb") as target:
                while chunk := source.read(_CHUNK_BYTES):
                    digest.update(chunk)
                    target.write(chunk)
            if digest.hexdigest() == file.md5:
                return path
        raise PreflightError(
            f"{self.url}: its file {file.key} is damaged (MD5 {digest.hexdigest()}, not {file.md5})",
            "Copy the inventory again, or take the one before.",
        )

    def _parse(self) -> Manifest:
        key = parse_location(self.url)
        with self._open(key.prefix.rstrip("/") if isinstance(key, S3Prefix) else key.path.name) as source:
            data = source.read()
        try:
            return Manifest.model_validate_json(data)
        except ValidationError as error:
            raise PreflightError(
                f"{self.url} is not the manifest of an S3 Inventory: {error.errors()[0]['msg'].lower()}",
                "Name the inventory's manifest.json.",
            ) from error

    @contextmanager
    def _open(self, key: str) -> Iterator[IO[bytes] | Any]:
        """A file of the inventory. PreflightError: it cannot be read."""
        location = parse_location(self.url)
        try:
            if isinstance(location, S3Prefix):
                answer = s3_client(self.endpoint_url).get_object(Bucket=location.bucket, Key=key)
                with closing(answer["Body"]) as body:
                    yield body
            else:
                with _find(location.path, key).open("rb") as file:
                    yield file
        except NotFound as error:
            raise PreflightError(f"inventory {error.message}", error.hint) from error
        except (*S3_ERRORS, OSError) as error:
            name = f"s3://{location.bucket}/{key}" if isinstance(location, S3Prefix) else key
            found = translate_os_error(error, name) if isinstance(error, OSError) else translate(error, name)
            raise PreflightError(f"inventory {found.message}", _hint(found)) from error


def _find(manifest: Path, key: str) -> Path:
    name = key.rpartition("/")[2]
    folder = manifest.parent
    places = (folder / name, folder / "data" / name, folder.parent / "data" / name)
    for place in places:
        if place.is_file():
            return place
    raise NotFound(f"{places[0]}: not found", "Copy the inventory's data folder next to its manifest.")


def _hint(error: ObjectError) -> str:
    if isinstance(error, NotFound):
        return "Check the manifest's place; S3 keeps its data files in `data` beside it."
    return error.hint
