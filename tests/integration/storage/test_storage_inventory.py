"""A library listed by S3 Inventory: as S3 itself lists it, without asking S3 for the list."""

import csv
import gzip
import hashlib
import io
import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import boto3
import pyarrow as pa
import pytest
from pyarrow import parquet

from schemas.failures import MediaIndexError, PreflightError, UsageError
from storage.library.library import open_library
from storage.library.selection import Selection

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import StorageClassType

ALL = Selection(extensions=None)
CREATED_AT = datetime(2026, 11, 20, 1, tzinfo=UTC)
NAMES = (
    "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, IsMultipartUploaded, "
    "StorageClass, IntelligentTieringAccessTier"
)
FIELDS = {
    "bucket": pa.string(),
    "key": pa.string(),
    "version_id": pa.string(),
    "is_latest": pa.bool_(),
    "is_delete_marker": pa.bool_(),
    "size": pa.int64(),
    "last_modified_date": pa.timestamp("ms", tz="UTC"),
    "e_tag": pa.string(),
    "is_multipart_uploaded": pa.bool_(),
    "storage_class": pa.string(),
    "intelligent_tiering_access_tier": pa.string(),
}


@dataclass(frozen=True)
class Entry:
    """A row of an inventory."""

    key: str
    size: int | None = 7
    modified: datetime = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    etag: str | None = "e"
    storage_class: str | None = "STANDARD"
    tier: str | None = None
    is_latest: bool = True
    is_delete_marker: bool = False


def as_csv(bucket: str, entries: Iterable[Entry]) -> bytes:
    """Every value in quotes, keys URL-encoded, no header; as S3 writes it."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for e in entries:
        flags = ("v1", str(e.is_latest).lower(), str(e.is_delete_marker).lower())
        modified = e.modified.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        key = quote_plus(e.key, safe="/")
        writer.writerow((bucket, key, *flags, e.size, modified, e.etag, "false", e.storage_class, e.tier))
    return gzip.compress(text.getvalue().encode())


def as_parquet(bucket: str, entries: Iterable[Entry]) -> bytes:
    """Keys as they are."""
    rows = []
    for e in entries:
        flags = ("v1", e.is_latest, e.is_delete_marker)
        rows.append((bucket, e.key, *flags, e.size, e.modified, e.etag, False, e.storage_class, e.tier))
    schema = pa.schema(list(FIELDS.items()))
    sink = pa.BufferOutputStream()
    parquet.write_table(
        pa.Table.from_pylist([dict(zip(FIELDS, row, strict=True)) for row in rows], schema), sink
    )
    return bytes(sink.getvalue())


FORMATS: dict[str, tuple[Callable[[str, Iterable[Entry]], bytes], str, str]] = {
    "CSV": (as_csv, ".csv.gz", NAMES),
    "Parquet": (
        as_parquet,
        ".parquet",
        "message s3.inventory {  required binary bucket (STRING);  required binary key (STRING);"
        + "".join(f"  optional int64 {name};" for name in list(FIELDS)[2:])
        + "}",
    ),
}


def write_inventory(
    folder: Path, bucket: str, entries: list[Entry], format_: str = "CSV", num_files: int = 3, **values: Any
) -> Path:
    """`folder` as S3 fills it: `data/…` and `2026-11-20T01-00Z/manifest.json`, which is returned."""
    encode, extension, schema = FORMATS[format_]
    files = []
    for number in range(num_files):
        data = encode(bucket, entries[number::num_files])
        name = f"data/{number}{extension}"
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
        digest = hashlib.md5(data).hexdigest()
        files.append({"key": f"all/library/daily/{name}", "size": len(data), "MD5checksum": digest})
    manifest = {
        "sourceBucket": bucket,
        "destinationBucket": "arn:aws:s3:::inventories",
        "version": "2016-11-30",
        "creationTimestamp": str(int(CREATED_AT.timestamp() * 1000)),
        "fileFormat": format_,
        "fileSchema": schema,
        "files": files,
    }
    path = folder / "2026-11-20T01-00Z" / "manifest.json"
    path.parent.mkdir()
    path.write_text(json.dumps(manifest | values))
    return path


@pytest.fixture
def client(s3_endpoint: str) -> "S3Client":
    """To prepare buckets with; not the code under test."""
    return boto3.client("s3", endpoint_url=s3_endpoint)


@pytest.mark.parametrize("format_", FORMATS)
def test_an_inventory_gives_what_the_listing_gives(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, tmp_path: Path, format_: str
) -> None:
    """The same objects, revisions, sidecars and order, from files in any order, with or without prefixes."""
    draw = random.Random(7)
    odd = [
        "a b.mp4",
        "a+b.mp4",
        "a%20b.mp4",
        'q"uo,te.mp4',
        "Ünï/😀.mp4",
        "in/x/",
        "in/.hidden.mp4",
        "notes.txt",
        "a b.en.srt",
        "a b.vtt",
        "a c.vtt",
    ]
    keys = odd + [f"in/{draw.choice('abc')}/{number}.mp4" for number in range(60)]
    entries = []
    classes: list[StorageClassType] = ["STANDARD", "GLACIER", "GLACIER_IR"]
    for key in keys:
        storage_class = draw.choice(classes)
        client.put_object(Bucket=s3_bucket, Key=key, Body=key.encode(), StorageClass=storage_class)
        head = client.head_object(Bucket=s3_bucket, Key=key)
        etag = head["ETag"].strip('"')
        entries.append(Entry(key, head["ContentLength"], head["LastModified"], etag, storage_class))
    draw.shuffle(entries)
    manifest = write_inventory(tmp_path, s3_bucket, entries, format_)
    for url, selection in (
        (f"s3://{s3_bucket}", ALL),
        (f"s3://{s3_bucket}/in", Selection(exclude=("a/",))),
        (f"s3://{s3_bucket}", Selection(prefixes=("in/b", "a"))),
        (f"s3://{s3_bucket}", Selection(with_sidecars=True)),
        (f"s3://{s3_bucket}", Selection(prefixes=("a b.mp",), with_sidecars=True)),
    ):
        listed = open_library(url, s3_endpoint).list_videos(selection)
        found = open_library(url, s3_endpoint, str(manifest)).list_videos(selection)
        assert list(found) == list(listed)
        assert (found.num_listed, found.num_ignored) == (listed.num_listed, listed.num_ignored)
        assert (found.as_of, listed.as_of) == (CREATED_AT, None)


@pytest.mark.parametrize("format_", FORMATS)
def test_only_current_objects_are_listed(
    s3_endpoint: str, s3_bucket: str, tmp_path: Path, format_: str
) -> None:
    """No older versions, no delete markers, and what is listed twice once, as it was last."""
    later = Entry("twice.mp4", size=2, modified=datetime(2026, 2, 1, tzinfo=UTC))
    entries = [
        Entry("old.mp4", is_latest=False),
        Entry("deleted.mp4", size=None, etag=None, storage_class=None, is_delete_marker=True),
        replace(later, modified=datetime(2026, 1, 31, tzinfo=UTC), size=1),
        later,
        later,
        Entry("cold.mp4", storage_class="INTELLIGENT_TIERING", tier="ARCHIVE"),
        Entry("warm.mp4", storage_class="INTELLIGENT_TIERING", tier="FREQUENT"),
    ]
    manifest = write_inventory(tmp_path, s3_bucket, entries, format_)
    videos = list(open_library(f"s3://{s3_bucket}", s3_endpoint, str(manifest)).list_videos(ALL))
    assert [(v.uri.rpartition("/")[2], v.size_bytes, v.is_archived) for v in videos] == [
        ("cold.mp4", 7, True),
        ("twice.mp4", 2, False),
        ("warm.mp4", 7, False),
    ]


def test_an_inventory_is_read_where_s3_wrote_it(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, tmp_path: Path
) -> None:
    """The manifest's keys count from the root of the bucket that it lies in."""
    manifest = write_inventory(tmp_path, s3_bucket, [Entry("a.mp4"), Entry("b.mp4")])
    for path in (*tmp_path.glob("data/*"), manifest):
        key = f"all/library/daily/{path.relative_to(tmp_path)}"
        client.put_object(Bucket=s3_bucket, Key=key, Body=path.read_bytes())
    url = f"s3://{s3_bucket}/all/library/daily/2026-11-20T01-00Z/manifest.json"
    assert len(list(open_library(f"s3://{s3_bucket}", s3_endpoint, url).list_videos(ALL))) == 2
    client.delete_object(Bucket=s3_bucket, Key="all/library/daily/data/1.csv.gz")
    with pytest.raises(PreflightError, match=r"data/1\.csv\.gz"):
        list(open_library(f"s3://{s3_bucket}", s3_endpoint, url).list_videos(ALL))
    with pytest.raises(PreflightError, match="nowhere"):
        open_library(f"s3://{s3_bucket}", s3_endpoint, f"s3://{s3_bucket}/nowhere.json")


def test_data_files_may_lie_beside_the_manifest(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> None:
    """As a person would copy them."""
    manifest = write_inventory(tmp_path, s3_bucket, [Entry("a.mp4")], num_files=1)
    (tmp_path / "data" / "0.csv.gz").rename(manifest.parent / "0.csv.gz")
    assert len(list(open_library(f"s3://{s3_bucket}", s3_endpoint, str(manifest)).list_videos(ALL))) == 1
    (manifest.parent / "0.csv.gz").unlink()
    with pytest.raises(PreflightError, match=r"0\.csv\.gz"):
        list(open_library(f"s3://{s3_bucket}", s3_endpoint, str(manifest)).list_videos(ALL))


def test_a_damaged_data_file_is_no_shorter_library(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> None:
    """Its checksum is compared before the first video is handed out; what is no CSV at all is said too."""
    manifest = write_inventory(tmp_path, s3_bucket, [Entry("a.mp4"), Entry("b.mp4")])
    (tmp_path / "data" / "2.csv.gz").write_bytes(gzip.compress(b'"short"\n'))
    library = open_library(f"s3://{s3_bucket}", s3_endpoint, str(manifest))
    with pytest.raises(PreflightError, match=r"data/2\.csv\.gz is damaged"):
        next(library.list_videos(ALL))
    digest = hashlib.md5((tmp_path / "data" / "2.csv.gz").read_bytes()).hexdigest()
    said = json.loads(manifest.read_text())
    said["files"][2]["MD5checksum"] = digest
    manifest.write_text(json.dumps(said))
    with pytest.raises(PreflightError, match=r"data/2\.csv\.gz cannot be read"):
        next(library.list_videos(ALL))


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"fileFormat": "ORC"}, "ORC"),
        ({"fileSchema": "Bucket, Key, Size, LastModifiedDate"}, "no ETag and no Storage class"),
        ({"files": None}, "not the manifest"),
        ({"sourceBucket": "other"}, "s3://other"),
    ],
)
def test_an_inventory_of_no_use_is_said_at_once(
    s3_endpoint: str, s3_bucket: str, tmp_path: Path, values: dict[str, Any], complaint: str
) -> None:
    """Before anything is listed, with what to do about it."""
    manifest = write_inventory(tmp_path, s3_bucket, [Entry("a.mp4")], **values)
    with pytest.raises(MediaIndexError, match=complaint) as caught:
        open_library(f"s3://{s3_bucket}", s3_endpoint, str(manifest))
    assert caught.value.hint


def test_a_folder_has_no_inventory(tmp_path: Path) -> None:
    """Nor is a missing manifest an empty library."""
    with pytest.raises(UsageError, match="folder"):
        open_library(str(tmp_path), None, str(tmp_path / "manifest.json"))


def test_a_missing_manifest_is_said_at_once(s3_endpoint: str, s3_bucket: str, tmp_path: Path) -> None:
    """By its name."""
    with pytest.raises(PreflightError, match=r"none\.json"):
        open_library(f"s3://{s3_bucket}", s3_endpoint, str(tmp_path / "none.json"))
