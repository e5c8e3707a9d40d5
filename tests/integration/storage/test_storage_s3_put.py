"""The plain request of a conditional write: what it creates, and what it leaves to boto3's client."""

import boto3
import pytest

from storage.errors import AccessDenied
from storage.objects.bucket import S3Store
from storage.s3.put import conditional_put


@pytest.fixture
def only_plain_requests(monkeypatch):
    """The client's own put fails, so whatever is written was written without it."""
    monkeypatch.setattr(S3Store, "_client", lambda _: pytest.fail("the client was asked"))


@pytest.mark.parametrize(
    "key", ["commits/ab/plain.parquet", "a b/+&=%41?#.parquet", "\N{CLAPPER BOARD}/\u0439/~.parquet"]
)
def test_an_object_is_created_once_under_any_key(s3_bucket, s3_endpoint, key, only_plain_requests):
    """Read back by boto3, under the key as it was given."""
    store = S3Store(s3_bucket, "index/", s3_endpoint)
    assert store.put_if_absent(key, b"first")
    assert not store.put_if_absent(key, b"second")
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    assert client.get_object(Bucket=s3_bucket, Key=f"index/{key}")["Body"].read() == b"first"


def test_what_is_neither_created_nor_there_is_the_clients(scripted_s3):
    """It says what is wrong."""
    script = scripted_s3({"status": 403, "code": "AccessDenied"})
    with pytest.raises(AccessDenied):
        S3Store("bucket", "", script.url).put_if_absent("key", b"data")
    assert [method for method, _ in script.requests] == ["PUT", "PUT"]


def test_a_bucket_of_another_region_is_left_to_the_client_from_then_on(scripted_s3):
    """One lost request a run, not one a video."""
    script = scripted_s3({"status": 301, "code": "PermanentRedirect"}, {"status": 200})
    store = S3Store("bucket", "", script.url)
    assert store.put_if_absent("one", b"data")
    assert store.put_if_absent("two", b"data")
    assert [method for method, _ in script.requests] == ["PUT"] * 3


def test_a_temporary_login_is_signed_with_its_token(scripted_s3, monkeypatch):
    """As roles and SSO give them."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
    script = scripted_s3({"status": 200})
    assert S3Store("bucket", "", script.url).put_if_absent("key", b"data")
    [(_, headers)] = script.requests
    assert headers["X-Amz-Security-Token"] == "token"
    assert "x-amz-security-token" in headers["Authorization"]


def test_aws_is_reached_at_the_buckets_own_host(monkeypatch):
    """As by the client: by bucket name, in the region."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    put = conditional_put("https://s3.eu-west-1.amazonaws.com", "films")
    assert put
    assert put.bucket_url == "https://films.s3.eu-west-1.amazonaws.com/"


@pytest.mark.parametrize(
    "bucket",
    ["films--euw1-az1--x-s3", "arn:aws:s3:eu-west-1:123456789012:accesspoint/films"],
)
def test_buckets_that_need_more_than_a_signature_are_the_clients(bucket):
    """Express sessions and access points."""
    assert conditional_put("https://s3.eu-west-1.amazonaws.com", bucket) is None


def test_a_proxy_is_the_clients(monkeypatch):
    """It knows how to go through it."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert conditional_put("http://store.test:9000", "films") is None
