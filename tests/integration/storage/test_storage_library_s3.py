"""A library on S3: every key is listed, and only the listed bytes are fetched."""

import os
import pickle
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from schemas.failures import PreflightError, UsageError
from schemas.identity import VideoObject
from storage.errors import NoSpace, NotFound, ObjectChanged, ObjectError
from storage.library import bucket as library_s3
from storage.library.library import open_library
from storage.library.selection import Selection
from storage.s3.client import s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import StorageClassType
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

ALL = Selection(extensions=None)
KEYS = [
    "a b.mp4",
    "a#1.mp4",
    "a%20b.mp4",
    "a+b.mp4",
    "a/b/c.mp4",
    "a//b.mp4",
    'it\'s "quoted" <&>.mp4',
    "back\\slash.mp4",
    "Ünï/😀.mp4",
    "[x]*?.mp4",
    "k" * 1000 + ".mp4",
]


@pytest.fixture
def client(s3_endpoint: str) -> "S3Client":
    """To prepare buckets with; not the code under test."""
    return boto3.client("s3", endpoint_url=s3_endpoint)


def _put(client: "S3Client", bucket: str, *keys: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: client.put_object(Bucket=bucket, Key=key, Body=key.encode()), keys))


def _only(url: str, endpoint: str) -> VideoObject:
    (video,) = open_library(url, endpoint).list_videos(ALL)
    return video


def test_keys_of_all_kinds_are_listed_and_fetched(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, tmp_path: Path
) -> None:
    """In order, unescaped, and under local names that owe the key nothing but its extension."""
    _put(client, s3_bucket, *KEYS)
    library = open_library(f"s3://{s3_bucket}", s3_endpoint)
    videos = list(library.list_videos(ALL))
    assert [video.uri for video in videos] == [
        f"s3://{s3_bucket}/{key}" for key in sorted(KEYS, key=str.encode)
    ]
    for video in videos:
        path = library.fetch(video, tmp_path)
        assert path.read_bytes().decode() == video.uri.removeprefix(f"s3://{s3_bucket}/")
        assert path.parent == tmp_path
        assert path.name.startswith(video.video_id)
        assert path.suffix == ".mp4"


def test_listing_goes_on_past_the_first_page(client: "S3Client", s3_endpoint: str, s3_bucket: str) -> None:
    """S3 gives a thousand keys at a time."""
    keys = [f"videos/{n:04}.mp4" for n in range(1001)] + ["videos/notes.txt"]
    _put(client, s3_bucket, *keys)
    listing = open_library(f"s3://{s3_bucket}/videos", s3_endpoint).list_videos(Selection())
    assert [video.uri.removeprefix(f"s3://{s3_bucket}/") for video in listing] == keys[:-1]
    assert (listing.num_listed, listing.num_ignored) == (1001, 1)


def test_a_prefix_is_a_folder(client: "S3Client", s3_endpoint: str, s3_bucket: str) -> None:
    """Globs are relative to it; hidden keys and the consoles' folder markers are no objects."""
    _put(
        client,
        s3_bucket,
        "in/a.mp4",
        "in/x/b.mp4",
        "in/",
        "in/.trash/c.mp4",
        "in/x/",
        "inside/d.mp4",
        "e.mp4",
    )
    listing = open_library(f"s3://{s3_bucket}/in", s3_endpoint).list_videos(Selection(exclude=("x/*",)))
    assert [video.uri for video in listing] == [f"s3://{s3_bucket}/in/a.mp4"]
    assert listing.num_ignored == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_a_library_listed_in_parts_is_the_same(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders of all sizes and depths, page after page or side by side: the same objects, the same order."""
    draw = random.Random(seed)
    folders = ["", *("".join(draw.choices("ab/ é0", k=draw.randrange(9))) + "/" for _ in range(9))]
    keys = {f"{draw.choice(folders).lstrip('/')}{draw.randrange(300)}.mp4" for _ in range(250)}
    _put(client, s3_bucket, *keys)
    library = open_library(f"s3://{s3_bucket}", s3_endpoint)
    one_after_the_other = list(library.list_videos(ALL))
    for name, value in {"PAGE_KEYS": 5, "MAX_PAGES": 1, "MAX_FIRST_PAGES": 2}.items():
        monkeypatch.setattr(library_s3, name, value)
    assert list(library.list_videos(ALL)) == one_after_the_other
    assert [v.uri.removeprefix(f"s3://{s3_bucket}/") for v in one_after_the_other] == sorted(
        keys, key=str.encode
    )


def test_only_what_has_a_prefix_is_listed(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below the library's own; the rest of the library costs no request and is in neither count."""
    _put(client, s3_bucket, *(f"in/{folder}/{n}.mp4" for folder in ("a", "b", "c", "c2") for n in range(5)))
    _put(client, s3_bucket, "in/c/notes.txt", "c/out.mp4")
    monkeypatch.setattr(library_s3, "PAGE_KEYS", 5)
    pages: list[str] = []
    s3_client(s3_endpoint).meta.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: pages.append(params["Prefix"])
    )
    selection = Selection(prefixes=("c", "a/", "c/"))
    listing = open_library(f"s3://{s3_bucket}/in", s3_endpoint).list_videos(selection)
    assert [video.uri.removeprefix(f"s3://{s3_bucket}/in/")[:-5] for video in listing] == [
        *["a/"] * 5,
        *["c/"] * 5,
        *["c2/"] * 5,
    ]
    assert (listing.num_listed, listing.num_ignored) == (15, 1)
    assert set(pages) == {"in/", "in/a/", "in/c"}  # the first is the look whether the library is there


def test_objects_in_cold_storage_are_known_by_the_listing(
    client: "S3Client", s3_endpoint: str, s3_bucket: str
) -> None:
    """Those that a request for their bytes would be refused for."""
    readable: tuple[StorageClassType, ...] = ("STANDARD", "STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR")
    archived: tuple[StorageClassType, ...] = ("GLACIER", "DEEP_ARCHIVE")
    for storage_class in (*readable, *archived):
        client.put_object(Bucket=s3_bucket, Key=f"{storage_class}.mp4", Body=b"x", StorageClass=storage_class)
    listing = list(open_library(f"s3://{s3_bucket}", s3_endpoint).list_videos(ALL))
    assert {video.uri.rpartition("/")[2] for video in listing if video.is_archived} == {
        "GLACIER.mp4",
        "DEEP_ARCHIVE.mp4",
    }
    assert len(listing) == 6


def test_an_object_restored_from_cold_storage_is_read(scripted_s3: Callable[..., Any]) -> None:
    """From the listing alone; one whose restore is under way is not."""
    restored = "<RestoreExpiryDate>2026-12-01T00:00:00Z</RestoreExpiryDate>"
    entries = [
        f"<Contents><Key>{key}.mp4</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>&quot;e&amp;1&quot;</ETag><Size>1</Size><StorageClass>GLACIER</StorageClass>"
        f"<RestoreStatus><IsRestoreInProgress>{is_under_way}</IsRestoreInProgress>{expiry}</RestoreStatus>"
        "</Contents>"
        for key, is_under_way, expiry in (("a+b%2B", "true", ""), ("c", "false", restored))
    ]
    page = (
        "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
        + "".join(entries)
        + "</ListBucketResult>"
    )
    server = scripted_s3({"status": 200, "body": page.encode()})
    videos = list(open_library("s3://bucket", server.url).list_videos(ALL))
    assert [(v.uri, v.etag, v.is_archived) for v in videos] == [
        ("s3://bucket/a b+.mp4", "e&1", True),
        ("s3://bucket/c.mp4", "e&1", False),
    ]
    assert server.requests[-1][1]["x-amz-optional-object-attributes"] == "RestoreStatus"


def test_a_page_that_is_cut_off_is_an_error(scripted_s3: Callable[..., Any]) -> None:
    """Not the end of the library."""
    page = b"<ListBucketResult><Contents><Key>a.mp4</Key><Size>1</Size></Contents><Contents><Key>b.m"
    empty = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    server = scripted_s3({"status": 200, "body": empty}, {"status": 200, "body": page})
    library = open_library("s3://bucket", server.url)
    with pytest.raises(ObjectError, match="s3://bucket"):
        list(library.list_videos(ALL))


def test_what_identifies_the_bytes(client: "S3Client", s3_endpoint: str, s3_bucket: str) -> None:
    """ETag and size; new bytes under the same key are another revision of the same video."""
    _put(client, s3_bucket, "a.mp4")
    before = _only(f"s3://{s3_bucket}", s3_endpoint)
    assert before.size_bytes == 5
    assert before.etag == client.head_object(Bucket=s3_bucket, Key="a.mp4")["ETag"].strip('"')
    client.put_object(Bucket=s3_bucket, Key="a.mp4", Body=b"other")
    after = _only(f"s3://{s3_bucket}", s3_endpoint)
    assert after.video_id == before.video_id
    assert after.object_rev != before.object_rev


def test_a_replaced_object_is_not_fetched(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, tmp_path: Path
) -> None:
    """Nor one that is gone; nothing is left in the folder."""
    _put(client, s3_bucket, "a.mp4")
    library = open_library(f"s3://{s3_bucket}", s3_endpoint)
    video = _only(f"s3://{s3_bucket}", s3_endpoint)
    client.put_object(Bucket=s3_bucket, Key="a.mp4", Body=b"other")
    with pytest.raises(ObjectChanged, match=r"a\.mp4"):
        library.fetch(video, tmp_path)
    client.delete_object(Bucket=s3_bucket, Key="a.mp4")
    with pytest.raises(NotFound, match=r"a\.mp4"):
        library.fetch(video, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_object_is_fetched_empty(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, tmp_path: Path
) -> None:
    """That it is no video is for the reader of videos to say."""
    client.put_object(Bucket=s3_bucket, Key="a.mp4", Body=b"")
    video = _only(f"s3://{s3_bucket}", s3_endpoint)
    assert open_library(f"s3://{s3_bucket}", s3_endpoint).fetch(video, tmp_path).stat().st_size == 0


def test_a_multipart_object_is_fetched_whole(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, tmp_path: Path
) -> None:
    """Its ETag is not a checksum, only a name for its bytes."""
    upload = client.create_multipart_upload(Bucket=s3_bucket, Key="a.mp4")["UploadId"]
    parts: list[CompletedPartTypeDef] = []
    for number, body in enumerate((b"x" * (5 << 20), b"end"), start=1):
        part = client.upload_part(
            Bucket=s3_bucket, Key="a.mp4", UploadId=upload, PartNumber=number, Body=body
        )
        parts.append({"PartNumber": number, "ETag": part["ETag"]})
    client.complete_multipart_upload(
        Bucket=s3_bucket, Key="a.mp4", UploadId=upload, MultipartUpload={"Parts": parts}
    )
    video = _only(f"s3://{s3_bucket}", s3_endpoint)
    path = open_library(f"s3://{s3_bucket}", s3_endpoint).fetch(video, tmp_path)
    assert path.read_bytes() == b"x" * (5 << 20) + b"end"


def test_a_disk_without_room_is_said_before_the_download(
    s3_endpoint: str, s3_bucket: str, tmp_path: Path
) -> None:
    """An exabyte will not fit."""
    video = VideoObject(f"s3://{s3_bucket}/a.mp4", 10**18, 0, "etag")
    with pytest.raises(NoSpace) as caught:
        open_library(f"s3://{s3_bucket}", s3_endpoint).fetch(video, tmp_path)
    assert caught.value.retryable


def test_a_library_that_cannot_be_used_is_said_at_once(s3_endpoint: str, s3_bucket: str) -> None:
    """Missing bucket, nobody at the endpoint, malformed endpoint; an empty prefix is only empty."""
    with pytest.raises(PreflightError, match="bucket does not exist"):
        open_library("s3://no-such-bucket-here", s3_endpoint)
    with pytest.raises(UsageError, match="endpoint"):
        open_library(f"s3://{s3_bucket}", "no endpoint")
    assert list(open_library(f"s3://{s3_bucket}/nothing/here", s3_endpoint).list_videos(ALL)) == []


@pytest.mark.usefixtures("fresh_clients")
def test_missing_credentials_are_said_at_once(
    s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With what to set."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(PreflightError, match="credentials") as caught:
        open_library("s3://bucket", s3_endpoint)
    assert "AWS_ACCESS_KEY_ID" in caught.value.hint


def test_the_library_travels_between_processes(s3_endpoint: str, s3_bucket: str) -> None:
    """It is a few names; the client is made where it is used."""
    library = open_library(f"s3://{s3_bucket}", s3_endpoint)
    assert pickle.loads(pickle.dumps(library)) == library


def test_the_ends_of_an_object_are_enough_to_ask_how_long_it_is(
    client: "S3Client", s3_endpoint: str, s3_bucket: str, tmp_path: Path
) -> None:
    """Head and tail come with the listed bytes, and nothing else; an object that was replaced is told."""
    data = os.urandom(3 << 20)
    client.put_object(Bucket=s3_bucket, Key="a.mp4", Body=data)
    client.put_object(Bucket=s3_bucket, Key="b.mp4", Body=b"short")
    client.put_object(Bucket=s3_bucket, Key="c.mp4", Body=b"")
    library = open_library(f"s3://{s3_bucket}", s3_endpoint)
    long, short, empty = library.list_videos(Selection())
    found = library.fetch_ends(long, tmp_path).read_bytes()
    assert (len(found), found[: 1 << 20], found[2 << 20 :]) == (3 << 20, data[: 1 << 20], data[2 << 20 :])
    assert not any(found[1 << 20 : 2 << 20])
    assert library.fetch_ends(short, tmp_path).read_bytes() == b"short"
    assert library.fetch_ends(empty, tmp_path).read_bytes() == b""
    client.put_object(Bucket=s3_bucket, Key="b.mp4", Body=b"other")
    with pytest.raises(ObjectChanged):
        library.fetch_ends(short, tmp_path)
