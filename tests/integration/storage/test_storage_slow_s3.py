"""Stores that drip, stall or say nothing, and bytes that change on the way: over real HTTP."""

import base64
import hashlib
import http.client
import re
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jobs.failures import Stage, classify
from schemas.failures import FailureClass, PreflightError
from schemas.identity import VideoObject
from storage.errors import Damaged, StorageUnavailable
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.publishing.parts import open_part
from storage.index.publishing.snapshots import read_newest
from storage.library.bucket import S3Library
from storage.library.library import open_library
from storage.objects.bucket import S3Store
from storage.query.catalog import open_catalog
from storage.s3.arrived import etags_of
from storage.s3.client import SLOW_HINT

BODY = bytes(range(256)) * 400  # more than a store may take a window for, many times over


@dataclass
class Flaky:
    """A bucket of one object, and what is done to its next answers; the last one is done for ever."""

    url: str = ""
    body: bytes = BODY
    etag: str = field(default_factory=lambda: hashlib.md5(BODY).hexdigest())
    headers: dict[str, str] = field(default_factory=dict)
    todo: list[str] = field(default_factory=lambda: ["nothing"])
    asked: list[str] = field(default_factory=list)
    uploads: list[threading.Event] = field(default_factory=list)  # set where one is over
    is_over: threading.Event = field(default_factory=threading.Event)

    @property
    def video(self) -> VideoObject:
        return VideoObject("s3://bucket/film.mp4", len(BODY), 0, self.etag)

    @property
    def library(self) -> S3Library:
        return S3Library("bucket", "", self.url)

    @property
    def store(self) -> S3Store:
        return S3Store("bucket", "", self.url)


@pytest.fixture(scope="module")
def server() -> Iterator[Flaky]:
    """On a port of its own."""
    state = Flaky()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(state))
    server.daemon_threads = True
    # What is not taken must not fit into the kernel's buffers.
    server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 14)
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state
    state.is_over.set()
    server.shutdown()
    server.server_close()
    assert all(upload.wait(60) for upload in state.uploads), "a client has gone, and its upload is still read"


@pytest.fixture
def flaky(server: Flaky, monkeypatch: pytest.MonkeyPatch) -> Flaky:
    """As new, for clients that lose patience soon."""
    for name, value in (("ACCESS_KEY_ID", "t"), ("SECRET_ACCESS_KEY", "t"), ("DEFAULT_REGION", "us-east-1")):
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("storage.s3.patience.WINDOW_S", 1.0)
    monkeypatch.setattr("storage.s3.client.WINDOW_S", 1.0)
    monkeypatch.setattr("storage.s3.client.CONNECT_S", 1.0)
    etags_of.cache_clear()
    new = Flaky()
    for name in ("body", "etag", "headers", "todo", "asked"):
        setattr(server, name, getattr(new, name))
    return server


def _handler(flaky: Flaky) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._begin()
            if "list-type" in self.path:
                self._answer(200, b"<ListBucketResult>" + b" " * 9000 + b"</ListBucketResult>")
                return
            offset = int(self.headers.get("Range", "bytes=0-")[6:-1])
            self._answer(206 if offset else 200, flaky.body[offset:])

        def do_PUT(self) -> None:
            self._begin()
            flaky.uploads.append(upload := threading.Event())
            length = int(self.headers["Content-Length"])
            body = self._taken(length)
            upload.set()
            if len(body) < length:
                self.close_connection = True
                return
            if self.trouble == "corrupt":
                body = b"?" + body[1:]
            if self.headers["Content-MD5"] != _base64_md5(body):
                self._answer(400, b"<Error><Code>BadDigest</Code><Message>other bytes</Message></Error>")
                return
            flaky.body = body
            self._answer(200, b"")

        def do_HEAD(self) -> None:
            self._begin()
            self._answer(404, b"")

        def _taken(self, length: int) -> bytes:
            """What arrives of a body before its client hangs up, or the tests are over."""
            is_slow = self.trouble == "takes slowly"
            pieces = []
            with suppress(OSError):
                while length and (piece := self.rfile.read1(min(64 if is_slow else 1 << 16, length))):
                    pieces.append(piece)
                    length -= len(piece)
                    if is_slow and flaky.is_over.wait(0.05):
                        break
                    if self.trouble == "takes steadily":
                        time.sleep(len(piece) / 4_000_000)
            return b"".join(pieces)

        def _begin(self) -> None:
            self.trouble = flaky.todo.pop(0) if len(flaky.todo) > 1 else flaky.todo[0]
            flaky.asked.append(f"{self.command} {self.headers.get('Range', '')}".strip())
            if self.trouble == "silent":
                flaky.is_over.wait(20)

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", f'"{flaky.etag}"')
            for name, value in flaky.headers.items():
                self.send_header(name, value)
            with suppress(OSError):  # the client has hung up
                self.end_headers()
                self._send(body)

        def _send(self, body: bytes) -> None:
            half = len(body) // 2
            match self.trouble:
                case "corrupt":  # elsewhere each time, as it happens
                    at = half + len(flaky.asked)
                    self.wfile.write(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
                case "drips":
                    for byte in body:
                        if flaky.is_over.wait(0.05):
                            return
                        self.wfile.write(bytes([byte]))
                case "stalls":
                    self.wfile.write(body[:half])
                    flaky.is_over.wait(20)
                case "breaks":
                    self.wfile.write(body[:half])
                    self.close_connection = True
                case "steady":
                    for start in range(0, len(body), 8192):
                        time.sleep(0.15)
                        self.wfile.write(body[start : start + 8192])
                case _:
                    self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


class Dripping:
    """A server in front of another; what it has of an index's tables comes byte by byte, or not at all."""

    def __init__(self, endpoint: str, is_silent: bool) -> None:
        self.is_over = threading.Event()
        dripping = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                connection = http.client.HTTPConnection(endpoint.removeprefix("http://"))
                connection.request(self.command, self.path, headers=dict(self.headers))
                answer = connection.getresponse()
                body = answer.read()
                is_slow = re.search("/(tables|packs)/", self.path) and self.command == "GET"
                if is_slow and is_silent and dripping.is_over.wait(20):
                    return
                self.send_response_only(answer.status)
                kept = ("etag", "content-range", "content-type", "content-length", "last-modified")
                for name in kept:
                    if value := answer.headers[name]:
                        self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):  # the client has hung up
                    for byte in body if is_slow else ():
                        self.wfile.write(bytes([byte]))
                        if dripping.is_over.wait(0.05):
                            return
                    if not is_slow:
                        self.wfile.write(body)

            do_HEAD = do_GET  # noqa: N815 - http.server's name

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.is_over.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.mark.parametrize("is_silent", [False, True])
def test_sql_over_an_index_that_does_not_come_is_given_up(
    s3_bucket: str, s3_endpoint: str, make_bundle: Any, monkeypatch: pytest.MonkeyPatch, is_silent: bool
) -> None:
    """Told as the store's trouble with that file, not as a damaged index; another look finds the rows."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("storage.s3.patience.WINDOW_S", 0.4)
    monkeypatch.setattr("storage.s3.client.WINDOW_S", 0.4)
    url, bundle = f"s3://{s3_bucket}/an index", make_bundle()
    index = open_index(url, s3_endpoint, create=True)
    pair = bundle.commit.video_id, bundle.commit.analysis_key
    index.commit(*pair, encode_bundle(bundle))
    index.publish([pair])
    server = Dripping(s3_endpoint, is_silent)
    try:
        with (
            pytest.raises(PreflightError, match=r"packs/.*: the store is too slow: it sent") as caught,
            open_catalog(url, server.url) as catalog,
        ):
            catalog.query("SELECT title FROM scenes")
        assert caught.value.hint == SLOW_HINT
        (part,) = (key for key in read_newest(index.store).files if "/scenes/" in key)
        with pytest.raises(StorageUnavailable, match="too slow"):
            open_part(S3Store(s3_bucket, "an index/", server.url), part)
    finally:
        server.stop()
    with open_catalog(url, s3_endpoint) as catalog:
        assert catalog.query("SELECT title FROM scenes").rows == [("Opening",)]


def _base64_md5(body: bytes) -> str:
    return base64.b64encode(hashlib.md5(body).digest()).decode()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ("drips", "too slow: it sent"),
        ("stalls", "too slow: it sent"),
        ("silent", "too slow: it sent 0 bytes"),
    ],
)
def test_a_video_that_does_not_come_is_given_up(
    flaky: Flaky, tmp_path: Path, trouble: str, said: str
) -> None:
    """Told with the object and how far it came, to be tried again by the run: nobody's file is blamed."""
    flaky.todo = [trouble]
    with pytest.raises(StorageUnavailable, match=rf"^s3://bucket/film\.mp4: .*{said}") as caught:
        flaky.library.fetch(flaky.video, tmp_path)
    told = classify(caught.value, Stage.FETCH)
    assert (told.failure_class, told.can_retry) == (FailureClass.TRANSIENT, True)
    assert list(tmp_path.iterdir()) == []


def test_a_steady_store_may_take_its_time(flaky: Flaky, tmp_path: Path) -> None:
    """Longer than any window, as long as each brings enough."""
    flaky.todo = ["steady"]
    assert flaky.library.fetch(flaky.video, tmp_path).read_bytes() == BODY


@pytest.mark.parametrize("trouble", ["drips", "silent"])
def test_a_listing_that_does_not_come_is_given_up(flaky: Flaky, trouble: str) -> None:
    """Before anything is spent."""
    flaky.todo = [trouble]
    with pytest.raises(PreflightError, match="s3://bucket: the store is too slow"):
        open_library("s3://bucket", flaky.url)


def test_a_store_that_takes_a_commit_slowly_is_given_up(flaky: Flaky) -> None:
    """By the plain request and by the client; then the store is asked whether it has it."""
    flaky.todo = ["takes slowly", "takes slowly", "nothing"]
    with pytest.raises(StorageUnavailable, match=r"s3://bucket/key: the store is too slow: it took"):
        flaky.store.put_if_absent("key", b"x" * (8 << 20))
    assert flaky.asked == ["PUT", "PUT", "HEAD"]


def test_a_large_commit_may_take_longer_than_to_connect(flaky: Flaky) -> None:
    """As over a line of a few megabits."""
    flaky.todo = ["takes steadily"]
    assert flaky.store.put_if_absent("key", b"x" * (8 << 20))
    assert flaky.asked == ["PUT"]


def test_bytes_that_changed_on_the_way_are_fetched_again(flaky: Flaky, tmp_path: Path) -> None:
    """An ETag of a single part is the MD5 of the bytes."""
    flaky.todo = ["corrupt", "breaks", "nothing"]
    assert flaky.library.fetch(flaky.video, tmp_path).read_bytes() == BODY
    assert flaky.asked == ["GET", "GET", f"GET bytes={len(BODY) // 2}-"]


def test_bytes_that_keep_changing_are_nobodys_fault(flaky: Flaky, tmp_path: Path) -> None:
    """A passing trouble, not a damaged film."""
    flaky.todo = ["corrupt"]
    with pytest.raises(Damaged, match=r"s3://bucket/film\.mp4: its bytes arrived damaged") as caught:
        flaky.library.fetch(flaky.video, tmp_path)
    told = classify(caught.value, Stage.FETCH)
    assert (told.failure_class, told.code) == (FailureClass.TRANSIENT, "damaged_in_transit")
    assert told.can_retry
    assert list(tmp_path.iterdir()) == []


def test_what_is_damaged_where_it_is_stored_is_told_as_such(flaky: Flaky, tmp_path: Path) -> None:
    """The same other bytes each time."""
    flaky.body = b"?" + BODY[1:]
    with pytest.raises(Damaged, match="not that of its ETag"):
        flaky.library.fetch(flaky.video, tmp_path)


@pytest.mark.parametrize(
    ("etag", "headers"),
    [
        ("1" * 32 + "-7", {}),
        ("0" * 32, {}),
        ("1" * 32, {"x-amz-server-side-encryption": "aws:kms"}),
        ("1" * 32, {"x-amz-server-side-encryption": "aws:kms:dsse"}),
        ("1" * 32, {"x-amz-server-side-encryption-customer-algorithm": "AES256"}),
        ("opaque", {}),
    ],
)
def test_etags_that_are_no_md5_say_nothing(
    flaky: Flaky, tmp_path: Path, etag: str, headers: dict[str, str]
) -> None:
    """Multipart uploads, and what is encrypted with a key."""
    flaky.etag, flaky.headers = etag, headers
    assert flaky.library.fetch(flaky.video, tmp_path).read_bytes() == BODY
    assert len(flaky.asked) == 1


@pytest.mark.parametrize("algorithm", ["crc32", "sha1", "sha256"])
def test_checksums_tell_where_the_etag_does_not(flaky: Flaky, tmp_path: Path, algorithm: str) -> None:
    """Of an upload in parts, say."""
    digest = {
        "crc32": zlib.crc32(BODY).to_bytes(4, "big"),
        "sha1": hashlib.sha1(BODY).digest(),
        "sha256": hashlib.sha256(BODY).digest(),
    }[algorithm]
    flaky.etag = "0" * 32 + "-7"
    flaky.headers = {f"x-amz-checksum-{algorithm}": base64.b64encode(digest).decode()}
    flaky.todo = ["corrupt", "nothing"]
    assert flaky.library.fetch(flaky.video, tmp_path).read_bytes() == BODY
    assert len(flaky.asked) == 2
    flaky.todo = ["corrupt"]
    with pytest.raises(Damaged):
        flaky.library.fetch(flaky.video, tmp_path)


def test_servers_whose_etags_only_look_like_md5s_are_found_out(flaky: Flaky, tmp_path: Path) -> None:
    """By several objects that each come twice alike, and none that is as its ETag says."""
    fetched = []
    for number in range(1, 5):
        video = VideoObject(f"s3://bucket/{number}.mp4", len(BODY), 0, f"{number:032x}")
        flaky.etag = video.etag or ""
        with suppress(Damaged):
            fetched.append(flaky.library.fetch(video, tmp_path).read_bytes())
    assert fetched == [BODY, BODY]


def test_one_true_etag_shows_that_all_are(flaky: Flaky, tmp_path: Path) -> None:
    """Then no number of others makes them mean nothing."""
    flaky.library.fetch(flaky.video, tmp_path)
    for number in range(1, 5):
        flaky.etag = f"{number:032x}"
        with pytest.raises(Damaged):
            flaky.library.fetch(VideoObject("s3://bucket/a.mp4", len(BODY), 0, flaky.etag), tmp_path)


@pytest.mark.parametrize("trouble", ["corrupt", "breaks", "stalls", "drips"])
def test_files_of_an_index_are_read_again_too(flaky: Flaky, trouble: str) -> None:
    """A snapshot that came damaged must not read as damaged in the store."""
    flaky.todo = [trouble, "nothing"]
    assert flaky.store.read("snapshots/0000000001.json") == BODY
    assert len(flaky.asked) == 2


def test_an_index_that_keeps_coming_damaged_is_told(flaky: Flaky) -> None:
    """With the file's name."""
    flaky.todo = ["corrupt"]
    with pytest.raises(Damaged, match=r"s3://bucket/index\.json"):
        flaky.store.read("index.json")


def test_a_commit_that_changes_on_the_way_is_sent_again(flaky: Flaky) -> None:
    """The store compares the MD5 that comes with it, and stores nothing else."""
    flaky.todo = ["corrupt", "nothing"]
    assert flaky.store.put_if_absent("key", b"rows")
    assert flaky.body == b"rows"
    assert flaky.asked == ["PUT", "PUT"]
