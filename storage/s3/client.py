"""S3 clients, and botocore's errors in our words.

Works with AWS and with servers that speak its protocol; docs/s3.md says what is asked of them.
"""

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import boto3
from botocore import exceptions as botocore_errors
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.handlers import add_expect_header
from botocore.parsers import ResponseParserError
from urllib3.exceptions import HTTPError, ProtocolError, ReadTimeoutError

from schemas.failures import UsageError
from storage.errors import (
    AccessDenied,
    Archived,
    NoBucket,
    NotFound,
    ObjectChanged,
    ObjectError,
    StorageUnavailable,
)
from storage.s3.pages import read_pages_fast
from storage.s3.patience import LEAST_BYTES_PER_S, WINDOW_S, watch_client, why_slow

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# What boto3, and the response body that it hands out, can raise.
S3_ERRORS = (BotoCoreError, ClientError, HTTPError, ResponseParserError)

_NO_LOGIN = (
    botocore_errors.NoCredentialsError,
    botocore_errors.PartialCredentialsError,
    botocore_errors.CredentialRetrievalError,
    botocore_errors.TokenRetrievalError,
    botocore_errors.SSOError,
    botocore_errors.ProfileNotFound,
)
_NO_ANSWER = (
    botocore_errors.ConnectionError,
    botocore_errors.HTTPClientError,  # timeouts, TLS, connections that close
    botocore_errors.IncompleteReadError,
    botocore_errors.ResponseStreamingError,
    botocore_errors.FlexibleChecksumError,  # damaged on the way
    ResponseParserError,  # by what is in between, as a proxy's page for people
    ReadTimeoutError,
    ProtocolError,
)
_PATIENCE = {
    "BadDigest",
    "SlowDown",
    "RequestTimeout",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
}
SLOW_HINT = (
    f"Less than {LEAST_BYTES_PER_S >> 10} KiB a second is given up: check network and store, then repeat."
)
_LOGIN_HINT = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role."


_TRIES = 5
CONNECT_S = 10.0  # also for each piece of what is sent
# Many servers know neither bucket names in the host name nor checksum headers nobody asked for.
_OTHER_SERVERS = Config(
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)


@lru_cache(maxsize=8)
def s3_client(endpoint_url: str | None, tries: int = _TRIES) -> "S3Client":
    """Return the one thread-safe client per process and endpoint; None means AWS, or what AWS_ENDPOINT_URL
    names.

    `tries` are of one request, backing off in between. UsageError: `endpoint_url` is no URL.
    """
    tries = int(os.environ.get("AWS_MAX_ATTEMPTS", tries))  # as everywhere
    config = Config(
        user_agent="media-index",  # botocore would put its own long one together for every request
        connect_timeout=CONNECT_S,
        read_timeout=WINDOW_S,
        max_pool_connections=32,
        retries={"mode": "standard", "total_max_attempts": tries},
        signature_version="s3v4",  # requests have it anyway; links would get the one that AWS has retired
    )
    if endpoint_url is not None and not is_aws(endpoint_url):
        config = config.merge(_OTHER_SERVERS)
    try:
        client = boto3.session.Session().client("s3", endpoint_url=endpoint_url, config=config)
        if endpoint_url is None and not is_aws(client.meta.endpoint_url):
            return s3_client(
                client.meta.endpoint_url, tries
            )  # AWS_ENDPOINT_URL, or the profile, names another
        read_pages_fast(client)
        watch_client(client)
        # "Expect: 100-continue" would cost every write by the client a second round trip.
        client.meta.events.unregister("before-call.s3", add_expect_header)
        return client
    except ValueError as error:  # botocore's word for a malformed endpoint
        raise UsageError(str(error), "Write the endpoint as http://host:port or https://host.") from error
    except BotoCoreError as error:
        raise translate(error, endpoint_url or "S3") from error


@lru_cache(maxsize=8)
def link_client(endpoint_url: str | None, bucket: str) -> "S3Client":
    """Signs links that need no redirect: to AWS by the bucket's regional host, which its default lacks."""
    client = s3_client(endpoint_url)
    if not is_aws(client.meta.endpoint_url):
        return client
    # AWS's certificate covers no bucket name that has dots in front of its own.
    style: Literal["path", "virtual"] = "path" if "." in bucket else "virtual"
    config = client.meta.config.merge(Config(s3={"addressing_style": style}))
    return boto3.session.Session().client("s3", region_name=client.meta.region_name, config=config)


def is_aws(endpoint_url: str) -> bool:
    """Whether it is Amazon's own."""
    return ".amazonaws.com" in endpoint_url


def translate(error: Exception, url: str) -> ObjectError:
    """The same failure as one of our errors, naming the object."""
    if isinstance(error, ClientError):
        return _translate_answer(error, url)
    if isinstance(error, _NO_LOGIN):
        return AccessDenied(f"{url}: no usable S3 credentials: {error}", _LOGIN_HINT)
    if slow := why_slow(error):
        return StorageUnavailable(f"{url}: the store is too slow: {slow}", SLOW_HINT)
    if isinstance(error, _NO_ANSWER):
        return StorageUnavailable(
            f"{url}: no answer from the store: {error}", "Check the endpoint and the network, then repeat."
        )
    return ObjectError(f"{url}: {error}", "Check the URL, the endpoint and the AWS settings.")


def _translate_answer(error: ClientError, url: str) -> ObjectError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    said = str(error.response.get("Error", {}).get("Message") or code)
    if code == "NoSuchBucket":
        return NoBucket(f"{url}: the bucket does not exist", "Check the bucket's name and the endpoint.")
    if status == 404:
        return NotFound(f"{url}: no such object", "It was deleted or renamed; the next run sees the change.")
    if code == "InvalidObjectState":
        return Archived(f"{url}: the object is archived", "Restore it from its storage class first.")
    if status == 412:
        return ObjectChanged(f"{url}: replaced since it was listed", "The next run sees the new object.")
    if status in (401, 403):
        return AccessDenied(
            f"{url}: access denied ({code}: {said})", "Check the credentials and the bucket policy."
        )
    if status >= 500 or status == 429 or code in _PATIENCE:
        return StorageUnavailable(f"{url}: the store answered {status} {code}", "Repeat the command later.")
    return ObjectError(
        f"{url}: the store answered {status} {code}: {said}", "Check the URL and the endpoint."
    )
