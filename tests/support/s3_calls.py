"""What was asked of the tests' own S3 server, as actions of IAM, and whether a policy allows it."""

import json
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

POLICIES = Path(__file__).parents[2] / "infra" / "iam"
_ASKED = re.compile(r"(GET|HEAD|PUT|POST|DELETE) (.+) HTTP/1\.[01]")
_OBJECT = {"GET": "s3:GetObject", "HEAD": "s3:GetObject", "PUT": "s3:PutObject", "DELETE": "s3:DeleteObject"}


Allowed = tuple[str, str, str]  # sid, action, resource


@dataclass(frozen=True)
class Call:
    """One request. `key` is empty where it is about the bucket; `prefix` is what was listed."""

    action: str
    bucket: str
    key: str = ""
    prefix: str = ""

    def in_policies(self, library: str | None, index: str | None, weights: str | None = None) -> "Call":
        """The same in the buckets that the policies are about; all three are BUCKET/FOLDER here."""
        name = f"{self.bucket}/{self.key or self.prefix}/"
        places = (
            (library, "media-library"),
            (index, "media-index/catalog"),
            (weights, "media-weights/video-xl-2"),
        )
        for here, there in places:
            if here and name.startswith(f"{here}/"):
                bucket, _, key = (there + name[len(here) : -1]).partition("/")
                return Call(self.action, bucket, key if self.key else "")
        raise AssertionError(f"{self} is in none of them")


class _Recorder(logging.Handler):
    """moto's server runs in this process and logs each request, whoever sent it."""

    def __init__(self, found: list[Call]) -> None:
        super().__init__(logging.INFO)
        self.found = found

    def emit(self, record: logging.LogRecord) -> None:
        if asked := _ASKED.search(record.getMessage()):
            self.found.append(read_call(asked[1], asked[2]))


def read_call(method: str, target: str) -> Call:
    """The action that a request needs. Unknown ones stay as they came, so that no policy allows them."""
    parts = urlsplit(target.replace("#", "%23"))
    bucket, _, key = unquote(parts.path).lstrip("/").partition("/")
    asked = parse_qs(parts.query, keep_blank_values=True)
    if not key and method in ("GET", "HEAD") and not set(asked) & {"location", "versions", "uploads", "acl"}:
        return Call("s3:ListBucket", bucket, prefix=asked.get("prefix", [""])[0])
    if (
        key
        and method in _OBJECT
        and not set(asked) & {"acl", "tagging", "versionId", "attributes", "uploads"}
    ):
        return Call(_OBJECT[method], bucket, key)
    return Call(f"{method} {target}", bucket, key)


@contextmanager
def recorded() -> Iterator[list[Call]]:
    """All requests that come to the server meanwhile."""
    found: list[Call] = []
    logger, handler = logging.getLogger("werkzeug"), _Recorder(found)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def statements(name: str) -> list[Allowed]:
    """What a policy in infra/iam allows, an action and a resource each. Nothing else may stand in it."""
    found: list[Allowed] = []
    for each in json.loads((POLICIES / name).read_text())["Statement"]:
        assert each.pop("Effect") == "Allow"
        sid, actions, resources = each.pop("Sid"), each.pop("Action"), each.pop("Resource")
        assert each == {}
        found += [(sid, action, resource) for action in _some(actions) for resource in _some(resources)]
    return found


def _some(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allows(statement: Allowed, call: Call) -> bool:
    """Whether this statement is enough for the call."""
    _, action, resource = statement
    arn = f"arn:aws:s3:::{call.bucket}" + (f"/{call.key}" if call.key else "")
    return action == call.action and fnmatchcase(arn, resource)


def refused(name: str, calls: Iterable[Call]) -> set[Call]:
    """The calls that a policy does not allow."""
    allowed = statements(name)
    return {call for call in calls if not any(allows(each, call) for each in allowed)}


def unused(name: str, calls: Iterable[Call]) -> list[Allowed]:
    """What a policy allows though none of the calls needs it."""
    made = list(calls)
    return [each for each in statements(name) if not any(allows(each, call) for call in made)]
