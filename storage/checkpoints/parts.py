"""ETags of objects that were uploaded in parts: the MD5 of the parts' MD5s, and how many there are."""

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from storage.s3.arrived import is_express
from storage.s3.client import S3_ERRORS
from storage.s3.download import request_for

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from storage.checkpoints.remote import RemoteFile

_OF_PARTS = re.compile("([0-9a-f]{32})-([1-9][0-9]*)")
_BLOCK_BYTES = 1 << 20


def part_bytes_of(client: "S3Client", file: "RemoteFile") -> int | None:
    """The size of an object's parts, the last may be smaller. None: its ETag says nothing of its bytes."""
    found = _OF_PARTS.fullmatch(file.etag)
    request = request_for(file)
    if not found or is_express(request["Bucket"]):
        return None
    try:
        first = client.head_object(Bucket=request["Bucket"], Key=request["Key"], PartNumber=1)
    except S3_ERRORS:  # not every server has parts by number
        return None
    size = first["ContentLength"]
    has_key = first.get("SSECustomerAlgorithm") or first.get("ServerSideEncryption", "").startswith("aws:")
    is_even = size > 0 and -(-file.size_bytes // size) == int(found[2])
    return size if is_even and not has_key else None


def etag_of_parts(path: Path, part_bytes: int) -> str:
    """The ETag that a file has where it is uploaded in parts of this size."""
    digests = []
    with path.open("rb") as file:
        while part := _md5_of_next(file.read, part_bytes):
            digests.append(part)
    return f"{hashlib.md5(b''.join(digests), usedforsecurity=False).hexdigest()}-{len(digests)}"


def _md5_of_next(read: Callable[[int], bytes], num_bytes: int) -> bytes:
    """The MD5 of so many bytes, or what is left; empty where nothing is."""
    digest, left = hashlib.md5(usedforsecurity=False), num_bytes
    while left and (some := read(min(left, _BLOCK_BYTES))):
        digest.update(some)
        left -= len(some)
    return b"" if left == num_bytes else digest.digest()
