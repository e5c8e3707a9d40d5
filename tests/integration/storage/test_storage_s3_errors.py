"""Answers that S3 gives under load or to the wrong caller, over real HTTP from a scripted server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.failures import CommitUnknownError, PreflightError
from schemas.identity import VideoObject
from storage.errors import AccessDenied, Archived, ObjectChanged, ObjectError, StorageUnavailable
from storage.index.index import open_index
from storage.library.bucket import S3Library
from storage.library.library import open_library
from storage.objects.bucket import S3Store

Scripted = Callable[..., Any]
VIDEO = VideoObject("s3://bucket/a.mp4", 6, 0, "tag")


OK = {"status": 200}
BUSY = [{"status": 503, "code": "SlowDown"}] * 3  # for the plain request and the client's two


def _store(script: Any) -> S3Store:
    return S3Store("bucket", "", script.url)


def test_a_conflict_is_tried_again(scripted_s3: Scripted) -> None:
    """409: another write of the same key is in progress."""
    script = scripted_s3({"status": 409, "code": "ConditionalRequestConflict"}, OK)
    assert _store(script).put_if_absent("key", b"data")
    script = scripted_s3(
        {"status": 409, "code": "ConditionalRequestConflict"}, {"status": 412, "code": "PreconditionFailed"}
    )
    assert not _store(script).put_if_absent("key", b"data")
    assert [headers["If-None-Match"] for _, headers in script.requests] == ["*", "*"]


def test_a_busy_store_is_tried_again(scripted_s3: Scripted) -> None:
    """503 SlowDown, as boto3 retries it."""
    script = scripted_s3({"status": 503, "code": "SlowDown"}, OK)
    assert _store(script).put_if_absent("key", b"data")
    assert len(script.requests) == 2


def test_a_write_whose_answer_was_lost_is_looked_up(scripted_s3: Scripted) -> None:
    """Written after all: the object is there, which is all that its writer wants."""
    script = scripted_s3(*BUSY, OK)
    assert not _store(script).put_if_absent("key", b"data")
    assert [method for method, _ in script.requests] == ["PUT"] * 3 + ["HEAD"]


def test_a_write_that_did_not_happen_can_be_repeated(scripted_s3: Scripted) -> None:
    """The store says that there is no such object."""
    script = scripted_s3(*BUSY, {"status": 404})
    with pytest.raises(StorageUnavailable) as caught:
        _store(script).put_if_absent("key", b"data")
    assert caught.value.retryable


def test_a_write_nobody_can_tell_about_is_an_error_of_its_own(scripted_s3: Scripted) -> None:
    """Neither the write nor the look got an answer."""
    script = scripted_s3({"status": 503, "code": "SlowDown"})
    with pytest.raises(CommitUnknownError, match="s3://bucket/key"):
        _store(script).put_if_absent("key", b"data")


def test_a_server_that_ignores_conditions_is_refused(scripted_s3: Scripted) -> None:
    """It would let one run overwrite another's commit without a word."""
    empty_listing = {"status": 200, "body": b"<ListBucketResult></ListBucketResult>"}
    script = scripted_s3({"status": 404, "code": "NoSuchKey"}, empty_listing, OK)
    with pytest.raises(PreflightError, match="If-None-Match"):
        open_index("s3://bucket/index", script.url, create=True)


def test_an_index_that_may_not_be_written_is_said_at_once(scripted_s3: Scripted) -> None:
    """Before anything is computed for it."""
    marker = {"status": 200, "body": b'{"format": "media-index", "schema_version": 1}'}
    script = scripted_s3(marker, {"status": 403, "code": "AccessDenied"})
    with pytest.raises(PreflightError, match="access denied"):
        open_index("s3://bucket/index", script.url)


@pytest.mark.parametrize(
    "code", ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed"]
)
def test_a_refused_login_is_said_with_its_reason(scripted_s3: Scripted, code: str) -> None:
    """In the store's own word."""
    with pytest.raises(PreflightError, match=code):
        open_library("s3://bucket", scripted_s3({"status": 403, "code": code}).url)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (403, "AccessDenied", AccessDenied),
        (403, "InvalidObjectState", Archived),
        (412, "PreconditionFailed", ObjectChanged),
        (503, "SlowDown", StorageUnavailable),
        (400, "KMS.DisabledException", ObjectError),
    ],
)
def test_a_fetch_says_what_is_wrong_with_the_object(
    scripted_s3: Scripted, tmp_path: Path, status: int, code: str, error: type[ObjectError]
) -> None:
    """And leaves nothing behind."""
    library = S3Library("bucket", "", scripted_s3({"status": status, "code": code}).url)
    with pytest.raises(error, match=r"s3://bucket/a\.mp4") as caught:
        library.fetch(VIDEO, tmp_path)
    assert type(caught.value) is error
    assert list(tmp_path.iterdir()) == []


def test_a_broken_download_goes_on_where_it_broke(scripted_s3: Scripted, tmp_path: Path) -> None:
    """Still pinned to the listed ETag."""
    script = scripted_s3(
        {"status": 200, "body": b"vid", "length": 6},
        {"status": 206, "body": b"e", "length": 3, "headers": {"Content-Range": "bytes 3-5/6"}},
        {"status": 206, "body": b"os", "headers": {"Content-Range": "bytes 4-5/6"}},
    )
    path = S3Library("bucket", "", script.url).fetch(VIDEO, tmp_path)
    assert path.read_bytes() == b"videos"
    asked = [(headers.get("Range"), headers["If-Match"]) for _, headers in script.requests]
    assert asked == [(None, '"tag"'), ("bytes=3-", '"tag"'), ("bytes=4-", '"tag"')]


def test_a_download_that_never_ends_is_given_up(scripted_s3: Scripted, tmp_path: Path) -> None:
    """After a few attempts without the rest of the bytes."""
    script = scripted_s3({"status": 200, "body": b"vid", "length": 6}, {"status": 206, "length": 3})
    with pytest.raises(StorageUnavailable, match="3 of 6 bytes"):
        S3Library("bucket", "", script.url).fetch(VIDEO, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nobody_at_the_endpoint(scripted_s3: Scripted) -> None:
    """An error of two lines, like the others."""
    script = scripted_s3(OK)
    unused = script.url.rpartition(":")[0] + ":9"
    with pytest.raises(PreflightError, match="no answer"):
        open_library("s3://bucket", unused)
