"""Listing pages read at a tenth of the CPU that botocore takes to read them (bench/README.md).

Botocore's parser knows every shape of every service. The rest of a request, from the signature to
retries and errors, stays its own.
"""

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_s3 import S3Client

_ALL_CONTENTS = re.compile(rb"<Contents>.*</Contents>", re.DOTALL)
_YEAR = re.compile(r"[+-]?\d+")
_TEXTS = ("Key", "ETag", "StorageClass")


def read_pages_fast(client: "S3Client") -> None:
    """Read this client's `list_objects_v2` fast; owners and checksums of objects are left out.

    Before botocore's own handler, for all of S3, which would parse the whole page to look for an error in it.
    """
    client.meta.events.register_first("before-parse.s3.*", _take_contents)


def _take_contents(
    operation_model: "OperationModel",
    response_dict: dict[str, Any],
    customized_response_dict: dict[str, Any],
    **_: object,
) -> None:
    """Leaves botocore a page without objects, and adds them to what it makes of that."""
    if operation_model.name != "ListObjectsV2" or response_dict["status_code"] != 200:
        return
    body: bytes = response_dict["body"]
    if b"<CommonPrefixes>" in body:
        return
    found = _ALL_CONTENTS.search(body)
    if not found:
        return
    try:
        customized_response_dict["Contents"] = _read_contents(found[0])
    except (ElementTree.ParseError, ValueError, KeyError):
        return  # botocore says what is wrong with it
    response_dict["body"] = body[: found.start()] + body[found.end() :]


def _read_contents(xml: bytes) -> list[dict[str, Any]]:
    page = ElementTree.XML(b"<Page>" + xml + b"</Page>")
    return [
        _as_botocore_has_it({element.tag: element.text or "" for element in found.iter()}) for found in page
    ]


def _as_botocore_has_it(members: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {name: members[name] for name in _TEXTS if name in members}
    found["Size"] = int(members["Size"])
    found["LastModified"] = listed_moment(members["LastModified"])
    if "RestoreStatus" in members:
        found["RestoreStatus"] = {"IsRestoreInProgress": members.get("IsRestoreInProgress") == "true"}
        if expiry := members.get("RestoreExpiryDate"):
            found["RestoreStatus"]["RestoreExpiryDate"] = datetime.fromisoformat(expiry)
    return found


def listed_moment(text: str) -> datetime:
    """A time as a listing says it; years that no calendar has, as servers without a time give, are the first
    or the last moment."""
    year = _YEAR.match(text)
    if year and not 1 <= int(year[0]) <= 9999:
        return (datetime.max if int(year[0]) > 0 else datetime.min).replace(tzinfo=UTC)
    return datetime.fromisoformat(text)
