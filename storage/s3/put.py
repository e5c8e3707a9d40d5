"""The one request that every video costs, for half of what boto3's client spends on it.

Signed by botocore and sent by urllib3, as the client does it. What the client does besides comes out the same
each time: parameters checked, the endpoint looked up, hooks called, the answer parsed. Only a plain yes or no
is taken from here; anything else is left to the client: it tries again, follows a bucket to its region, and
knows what went wrong.
"""

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import botocore.session
import urllib3
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies, percent_encode

from storage.s3.arrived import header_md5, is_express
from storage.s3.client import link_client
from storage.s3.patience import POOLS

if TYPE_CHECKING:
    from botocore.credentials import Credentials
    from mypy_boto3_s3 import S3Client

_HEADERS = {"If-None-Match": "*", "User-Agent": "media-index"}
_ELSEWHERE = {301, 307, 400}  # 400: signed for another region


class ConditionalPut:
    """Creates objects of one bucket."""

    def __init__(
        self, client: "S3Client", bucket_url: str, login: "Credentials", ca_bundle: str | None
    ) -> None:
        """Take patience and region from the client."""
        self.bucket_url, self._region, self._login = bucket_url, client.meta.region_name, login
        self._is_elsewhere = False
        config: Any = client.meta.config
        self._pool = urllib3.PoolManager(
            maxsize=config.max_pool_connections,
            timeout=urllib3.Timeout(connect=config.connect_timeout, read=config.read_timeout),
            retries=False,
            ca_certs=ca_bundle,
        )
        self._pool.pool_classes_by_scheme = POOLS

    def __call__(self, key: str, data: bytes) -> bool | None:
        """Whether it was created, or there before; None: ask the client."""
        if self._is_elsewhere:
            return None
        url = self.bucket_url + percent_encode(key, "/~")
        request = AWSRequest("PUT", url, _HEADERS | {"Content-MD5": header_md5(data)}, data)
        try:
            S3SigV4Auth(self._login.get_frozen_credentials(), "s3", self._region).add_auth(request)
            answer = self._pool.urlopen("PUT", url, body=data, headers=dict(request.headers.items()))
        except (BotoCoreError, urllib3.exceptions.HTTPError):
            return None
        self._is_elsewhere = answer.status in _ELSEWHERE and b"BadDigest" not in answer.data
        return {200: True, 412: False}.get(answer.status)


@lru_cache(maxsize=8)
def conditional_put(endpoint_url: str | None, bucket: str) -> ConditionalPut | None:
    """Return a fast conditional PUT for a bucket. None: there is no login, or a signature and a connection
    are not enough, as behind a proxy, for access points and for Express buckets."""
    client = link_client(endpoint_url, bucket)
    session = botocore.session.Session()
    login = session.get_credentials()
    if bucket.startswith("arn:") or is_express(bucket) or login is None or not client.meta.region_name:
        return None
    link = urlsplit(client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"}))
    url = f"{link.scheme}://{link.netloc}{link.path.removesuffix('k')}"
    if get_environ_proxies(url):
        return None
    bundle = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    return ConditionalPut(client, url, login, bundle or get_cert_path(True))
