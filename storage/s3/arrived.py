"""Whether bytes arrived as they were stored: by the MD5 that most ETags are.

Botocore itself checks `x-amz-checksum-*` where an answer has one of those that it can compute.
"""

import hashlib
import re
import threading
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING

from storage.s3.client import is_aws, s3_client

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

_MD5 = re.compile("(?!0{32})[0-9a-f]{32}")  # zeros stand for what a server does not know
_SURE = 3  # objects


def etag_md5(data: bytes) -> str:
    """The MD5 as ETags have it."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def header_md5(data: bytes) -> str:
    """The MD5 as `Content-MD5` has it: a store refuses what does not match, as damaged on the way."""
    return b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def is_express(bucket: str) -> bool:
    """A bucket of S3 Express One Zone, where MD5 is unknown."""
    return bucket.endswith("--x-s3")


def promised_md5(etag: str, answer: "GetObjectOutputTypeDef", bucket: str) -> str | None:
    """The MD5 of the whole object, by its ETag without quotes. None: that says nothing of the bytes.

    So it is for multipart uploads, for what is encrypted with a key of KMS or the caller's, and in Express
    buckets.
    """
    etag = etag.lower()
    has_key = answer.get("SSECustomerAlgorithm") or answer.get("ServerSideEncryption", "").startswith("aws:")
    return etag if _MD5.fullmatch(etag) and not has_key and not is_express(bucket) else None


class Etags:
    """Whether a server's ETags are MD5s at all, as far as this process has seen; AWS says that they are.

    Some servers that lie over a file system give ETags which only look so.
    """

    def __init__(self, are_md5s: bool) -> None:
        self._are_md5s = are_md5s
        self._others: set[str] = set()
        self._lock = threading.Lock()

    def tell_match(self) -> None:
        """An object came whose MD5 is its ETag."""
        self._are_md5s = True

    def are_opaque(self, uri: str) -> bool:
        """Note an object that came twice with the same bytes, which are not those of its ETag, and tell
        whether ETags mean something else here: so with several objects, and with none otherwise.
        """
        with self._lock:
            self._others.add(uri)
            return not self._are_md5s and len(self._others) >= _SURE


@lru_cache(maxsize=8)
def etags_of(endpoint_url: str | None, bucket: str) -> Etags:
    """Return what this process knows of a bucket's ETags."""
    return Etags(is_aws(s3_client(endpoint_url).meta.endpoint_url))
