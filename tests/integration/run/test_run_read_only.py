"""A key that may only read: plans work and write nothing; what has to write says so."""

import http.client
import json
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from urllib.parse import urlsplit

import boto3
import pytest

from jobs.cli.main import main
from storage.index.index import open_index
from storage.index.nearby import nearest_indexes

DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


@pytest.fixture
def read_only(s3_endpoint: str) -> Iterator[SimpleNamespace]:
    """The S3 server behind a door that lets reading through and answers 403 to everything else."""
    server = urlsplit(s3_endpoint)
    seen: list[str] = []

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            seen.append(self.command)
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.answer(403, [("Content-Type", "application/xml")], DENIED)

        def do_POST(self) -> None:
            self.do_PUT()

        def do_DELETE(self) -> None:
            self.do_PUT()

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            seen.append(self.command)
            there = http.client.HTTPConnection(server.hostname or "", server.port)
            there.request(self.command, self.path, headers=dict(self.headers))
            got = there.getresponse()
            body = got.read()
            kept = [
                (k, v) for k, v in got.getheaders() if k.lower() not in ("connection", "transfer-encoding")
            ]
            self.answer(got.status, kept, body)
            there.close()

        def answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() != "content-length" or self.command == "HEAD":
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    door = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    door.daemon_threads = True
    Thread(target=door.serve_forever, daemon=True).start()
    yield SimpleNamespace(url=f"http://127.0.0.1:{door.server_port}", seen=seen)
    door.shutdown()
    door.server_close()


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """The console script's function in this process."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["media-index", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, stdout=shown.out, stderr=shown.err)

    return run


@pytest.fixture
def films(s3_endpoint, s3_bucket) -> str:
    """A library on S3 whose videos are never read here."""
    client = boto3.client("s3", endpoint_url=s3_endpoint)
    for number in range(3):
        client.put_object(Bucket=s3_bucket, Key=f"films/{number}.mp4", Body=bytes([number]) * 9)
    return f"s3://{s3_bucket}/films"


@pytest.mark.parametrize("is_made", [True, False], ids=["an index", "no index yet"])
def test_a_plan_reads_and_writes_nothing(films, s3_bucket, s3_endpoint, read_only, command, is_made):
    """Whether there is an index or not; not even a try is made to write."""
    index = f"s3://{s3_bucket}/catalog"
    if is_made:
        open_index(index, s3_endpoint, create=True)
    before = boto3.client("s3", endpoint_url=s3_endpoint).list_objects_v2(Bucket=s3_bucket)["Contents"]
    where = ("--library", films, "--index", index, "--endpoint-url", read_only.url, "--model", "small")
    told = command("plan", *where, "--where", "uri like '%.mp4'", "--json")
    assert told.code == 0, told.stderr
    answer = json.loads(told.stdout)
    assert (answer["reasons"], answer["index_exists"]) == ({"new": 3}, is_made)
    assert set(read_only.seen) <= {"GET", "HEAD"}
    after = boto3.client("s3", endpoint_url=s3_endpoint).list_objects_v2(Bucket=s3_bucket)["Contents"]
    assert [one["Key"] for one in after] == [one["Key"] for one in before]
    refused = command("run", *where, *([] if is_made else ["--new-index"]))
    assert (refused.code, refused.stderr.startswith("error: index")) == (8, True), refused.stderr


def test_the_nearest_index_is_named_on_s3(films, s3_bucket, s3_endpoint, command):
    """Beside, above and below, as on a disk; exit code 2."""
    root = f"s3://{s3_bucket}"
    open_index(f"{root}/catalogs/main", s3_endpoint, create=True)
    assert nearest_indexes(f"{root}/catalogs/mian", s3_endpoint) == [f"{root}/catalogs/main"]
    assert nearest_indexes(f"{root}/catalogs/main/x", s3_endpoint) == [f"{root}/catalogs/main"]
    assert nearest_indexes(f"{root}/catalogs", s3_endpoint) == [f"{root}/catalogs/main"]
    assert nearest_indexes(f"{root}/films", s3_endpoint) == []
    where = ("--index", f"{root}/catalogs/mian", "--endpoint-url", s3_endpoint)
    for verb in (("status",), ("run", "--library", films, "--model", "small"), ("sql", "select 1")):
        done = command(*verb, *where)
        assert done.code == 2
        assert f"Did you mean {root}/catalogs/main?" in done.stderr
