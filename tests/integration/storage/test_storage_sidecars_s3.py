"""Texts beside videos on S3: found by the listing that finds the videos, read as they were listed."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from storage.errors import Archived, NotFound, ObjectChanged, ObjectError
from storage.library import bucket as library_s3
from storage.library.library import open_library
from storage.library.selection import Selection
from storage.s3.client import s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

WITH = Selection(with_sidecars=True)
KEYS = ("film.en.srt", "film.mkv", "film.mp4", "film.mp4.de.vtt", "film.srt", "film x.mp4", "other.srt")
PAIRS = {
    "film x.mp4": [],
    "film.mkv": ["film.en.srt", "film.srt"],
    "film.mp4": ["film.en.srt", "film.mp4.de.vtt", "film.srt"],
}


@pytest.fixture
def client(s3_endpoint: str) -> "S3Client":
    """To prepare buckets with; not the code under test."""
    return boto3.client("s3", endpoint_url=s3_endpoint)


@pytest.fixture
def listed(s3_endpoint: str) -> list[dict[str, Any]]:
    """What was asked of the server for a listing."""
    asked: list[dict[str, Any]] = []
    s3_client(s3_endpoint).meta.events.register(
        "before-parameter-build.s3.ListObjectsV2", lambda params, **_: asked.append(dict(params))
    )
    return asked


def test_sidecars_are_found_by_the_same_requests(
    client: "S3Client",
    s3_endpoint: str,
    s3_bucket: str,
    listed: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As many as without them, at once or page by page, also where a page ends between film and text."""
    for key in KEYS:
        client.put_object(Bucket=s3_bucket, Key=f"in/{key}", Body=key.encode())
    library = open_library(f"s3://{s3_bucket}/in", s3_endpoint)
    for page_keys in (1000, 2, 3):
        monkeypatch.setattr(library_s3, "PAGE_KEYS", page_keys)
        del listed[:]
        list(library.list_videos(Selection()))
        without = len(listed)
        listing = library.list_videos(WITH)
        found = {video.uri.rpartition("/")[2]: [one.name for one in video.sidecars] for video in listing}
        assert list(found.items()) == list(PAIRS.items())
        assert (listing.num_listed, listing.num_ignored) == (3, 1)
        assert len(listed) == 2 * without


def test_only_the_bytes_that_were_listed_are_fetched(
    client: "S3Client", s3_endpoint: str, s3_bucket: str
) -> None:
    """By one request; replaced, deleted and too large ones are said."""
    for key in ("a b/film.mp4", "a b/film.é+%20.srt"):
        client.put_object(Bucket=s3_bucket, Key=key, Body=b"some text")
    library = open_library(f"s3://{s3_bucket}", s3_endpoint)
    (video,) = library.list_videos(WITH)
    (sidecar,) = video.sidecars
    assert library.fetch_sidecar(video, sidecar) == b"some text"
    with pytest.raises(ObjectError, match="too many for captions"):
        library.fetch_sidecar(video, replace(sidecar, size_bytes=1 << 30))
    client.put_object(Bucket=s3_bucket, Key="a b/film.é+%20.srt", Body=b"same size")
    with pytest.raises(ObjectChanged, match=r"film\.é\+%20\.srt"):
        library.fetch_sidecar(video, sidecar)
    client.delete_object(Bucket=s3_bucket, Key="a b/film.é+%20.srt")
    with pytest.raises(NotFound):
        library.fetch_sidecar(video, sidecar)


def test_a_text_in_cold_storage_is_listed_and_says_so(
    client: "S3Client", s3_endpoint: str, s3_bucket: str
) -> None:
    """Nothing is to do again when it is moved there; what was not read so far is, once it is restored."""
    client.put_object(Bucket=s3_bucket, Key="film.mp4", Body=b"film")
    client.put_object(Bucket=s3_bucket, Key="film.srt", Body=b"text")
    library = open_library(f"s3://{s3_bucket}", s3_endpoint)
    (before,) = library.list_videos(WITH)
    client.put_object(Bucket=s3_bucket, Key="film.srt", Body=b"text", StorageClass="GLACIER")
    (video,) = library.list_videos(WITH)
    assert (before.sidecars[0].is_archived, video.sidecars[0].is_archived) == (False, True)
    assert video.has_texts_of(before.sidecars_rev)
    assert not before.has_texts_of(video.sidecars_rev)
    with pytest.raises(Archived, match="archived"):
        library.fetch_sidecar(video, video.sidecars[0])
