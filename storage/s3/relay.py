"""Arrow's way to S3, by the same client as all else: so a store that drips or stalls is given up as fast.

Arrow bounds silence only, and reads ahead in threads of its own, which must not run Python while a process
ends. So they ask a server in this process for their ranges, which gets each by boto3 and answers once it is
whole. It listens on loopback and serves whoever knows the name that it was given to sign with.
"""

import re
import secrets
import threading
from functools import lru_cache
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pyarrow import fs

from storage.errors import OF_S3, AccessDenied, NotFound, ObjectError, StorageUnavailable
from storage.s3.client import S3_ERRORS, s3_client, translate
from storage.s3.shelf import Shelf

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, HeadObjectOutputTypeDef

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_READ_TRIES = 3  # where an answer breaks off
_ALWAYS_S = 3600.0  # for Arrow: the relay answers when the store is given up


class Relay:
    """One per endpoint. `troubles` is what last kept each object from being read, by bucket and key."""

    def __init__(self, endpoint_url: str | None) -> None:
        self.endpoint_url = endpoint_url
        self.troubles: dict[str, ObjectError] = {}
        self.shelf = Shelf()
        self.name = secrets.token_hex(16)
        server = _Server(("127.0.0.1", 0), _handler(self))
        self._address = f"127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, name="relay", daemon=True).start()

    def file_system(self) -> fs.S3FileSystem:
        """Arrow's file system, which reads `bucket/key`; an OSError says less than `troubles`."""
        return fs.S3FileSystem(
            access_key=self.name,
            secret_key=self.name,
            region="us-east-1",  # to whom it signs is us
            scheme="http",
            endpoint_override=self._address,
            request_timeout=_ALWAYS_S,
        )

    def size_of(self, bucket: str, key: str) -> int:
        """Return an object's bytes in number, without a request where it is known. Raises ObjectError."""
        size = self.shelf.size_of(f"{bucket}/{key}")
        return self.head(bucket, key)["ContentLength"] if size is None else size

    def serve(self, bucket: str, key: str, wanted: str) -> tuple[bytes, str]:
        """A range of an object and its Content-Range, off the shelf where it is known. Raises ObjectError."""
        name = f"{bucket}/{key}"
        size, bounds = self.shelf.size_of(name), _RANGE.fullmatch(wanted)
        if size is not None and bounds:
            first, end = int(bounds[1]), min(size, int(bounds[2]) + 1)
            try:
                return self.shelf.read(name, first, end, self._read_range), f"bytes {first}-{end - 1}/{size}"
            except (StorageUnavailable, AccessDenied):
                raise
            except (ObjectError, LookupError):
                self._look_again(bucket, key, size)
        data, answer = self.read(bucket, key, wanted)
        return data, answer.get("ContentRange", "")

    def _look_again(self, bucket: str, key: str, size: int) -> None:
        """Its pack is gone, or it is not what it was. NotFound: it is not."""
        self.shelf.forget(f"{bucket}/{key}")
        if (found := self.head(bucket, key)["ContentLength"]) != size:
            message = f"s3://{bucket}/{key}: {found} bytes, and {size} were written"
            raise NotFound(message, "Restore it from a backup.")

    def _read_range(self, name: str, first: int, end: int) -> bytes:
        bucket, _, key = name.partition("/")
        return self.read(bucket, key, f"bytes={first}-{end - 1}")[0]

    def head(self, bucket: str, key: str) -> "HeadObjectOutputTypeDef":
        """Return S3's answer to a HEAD request. Raises ObjectError."""
        try:
            return s3_client(self.endpoint_url).head_object(Bucket=bucket, Key=key)
        except S3_ERRORS as error:
            raise translate(error, f"s3://{bucket}/{key}") from error

    def read(self, bucket: str, key: str, wanted: str) -> tuple[bytes, "GetObjectOutputTypeDef"]:
        """A range of an object, whole. Raises ObjectError."""
        for tries_left in reversed(range(_READ_TRIES)):
            try:
                answer = s3_client(self.endpoint_url).get_object(Bucket=bucket, Key=key, Range=wanted)
            except S3_ERRORS as error:
                raise translate(error, f"s3://{bucket}/{key}") from error
            try:
                return answer["Body"].read(), answer
            except S3_ERRORS as error:
                if not tries_left:
                    raise translate(error, f"s3://{bucket}/{key}") from error
        raise AssertionError("the last try returns or raises")


def trouble_behind(endpoint_url: str | None, error: Exception) -> ObjectError | None:
    """Return what kept the object that Arrow's error is about from being read; None: another reason.

    Arrow names the object where it looks for its size, and not where it reads; then it is the latest trouble.
    """
    said = str(error)
    troubles = [*relay_of(endpoint_url).troubles.items()]
    named = [trouble for name, trouble in troubles if name.partition("/")[2] in said]
    latest = [trouble for _, trouble in troubles[-1:] if OF_S3 in said]
    return next(iter(named + latest), None)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Arrow has hung up, as where a query needs no more rows; stderr is not for that."""


@lru_cache(maxsize=8)
def relay_of(endpoint_url: str | None) -> Relay:
    """Return this process's relay to an endpoint, started at the first call."""
    return Relay(endpoint_url)


def _handler(relay: Relay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_HEAD(self) -> None:
            self._serve()

        def do_GET(self) -> None:
            self._serve()

        def _serve(self) -> None:
            bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
            signer = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
            if not compare_digest(signer, relay.name):
                self._answer(403, {}, b"")
                return
            try:
                if self.command == "HEAD":
                    self._answer(200, {"ETag": '"part"'}, b"", relay.size_of(bucket, key))
                else:
                    wanted = self.headers.get("Range", "bytes=0-")
                    data, said = relay.serve(bucket, key, wanted)
                    self._answer(206, {"Content-Range": said}, data)
                relay.troubles.pop(f"{bucket}/{key}", None)
            except ObjectError as error:
                relay.troubles.pop(f"{bucket}/{key}", None)  # so that the latest is the last
                relay.troubles[f"{bucket}/{key}"] = error
                code = "NoSuchKey" if isinstance(error, NotFound) else "GivenUp"  # it is not asked again
                body = f"<Error><Code>{code}</Code><Message>given up</Message></Error>".encode()
                self._answer(404 if isinstance(error, NotFound) else 400, {}, body)

        def _answer(self, status: int, headers: dict[str, str], body: bytes, length: int = -1) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if length < 0 else length))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    return Handler
