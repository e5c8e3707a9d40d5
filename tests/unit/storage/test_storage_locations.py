"""What a URL names."""

from pathlib import Path

import pytest

from schemas.failures import UsageError
from storage.locations import Folder, S3Prefix, parse_location


@pytest.mark.parametrize(
    ("url", "bucket", "prefix"),
    [
        ("s3://bucket", "bucket", ""),
        ("s3://bucket/", "bucket", ""),
        ("s3://bucket/a/b", "bucket", "a/b/"),
        ("s3://bucket/a b%20#?+ü/", "bucket", "a b%20#?+ü/"),
        ("S3://bucket/a", "bucket", "a/"),
    ],
)
def test_an_s3_url_names_a_bucket_and_a_prefix(url: str, bucket: str, prefix: str) -> None:
    """The prefix is taken literally, percent signs included, and ends at a folder's border."""
    assert parse_location(url) == S3Prefix(bucket, prefix)


def test_a_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One folder has one name, however it was written."""
    monkeypatch.chdir(tmp_path)
    expected = Folder(tmp_path / "videos")
    assert parse_location("videos") == expected
    assert parse_location("./videos/") == expected
    assert parse_location("x/../videos") == expected
    assert parse_location(str(tmp_path / "videos")) == expected


def test_links_keep_their_name(tmp_path: Path) -> None:
    """A video's id follows the name the user chose, so moving the link's target changes nothing."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert parse_location(str(tmp_path / "link")) == Folder(tmp_path / "link")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "gs://bucket/a",
        "https://host/a",
        "file:///tmp",
        "s3:/bucket",
        "s3://",
        "s3:///a",
        "s3://a b/c",
        "a\0b",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    """With a hint that says what can be named."""
    with pytest.raises(UsageError) as caught:
        parse_location(url)
    assert "s3://bucket" in caught.value.hint
