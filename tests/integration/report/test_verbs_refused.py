"""Every verb that reads an index, at a bucket that is missing or refused: two lines and the right code."""

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jobs.cli.main import main

VERBS = [
    ("sql", "SELECT 1"),
    ("search", "a red car"),
    ("status",),
    ("report",),
    ("explain", "a.mp4"),
    ("export", "--format", "csv"),
    ("build",),
    ("serve", "--port", "0"),
    ("compact",),
    ("vacuum",),
    ("forget", "a.mp4", "--yes"),
]
ANSWERS = {
    "refused": (403, "AccessDenied", "access denied"),
    "unknown key": (403, "InvalidAccessKeyId", "InvalidAccessKeyId"),
    "no bucket": (404, "NoSuchBucket", "the bucket does not exist"),
}


@pytest.fixture(scope="module")
def refusing() -> Iterator[Callable[[int, str], str]]:
    """`refusing(403, "AccessDenied")`: a server that answers everything so."""
    said = [(403, "AccessDenied")]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = f"<Error><Code>{said[0][1]}</Code><Message>said</Message></Error>".encode()
            self.send_response(said[0][0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_GET = do_PUT = do_HEAD = do_DELETE = do  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def answer(status: int, code: str) -> str:
        said[0] = status, code
        return f"http://127.0.0.1:{server.server_port}"

    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_MAX_ATTEMPTS", "1")
        yield answer
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("verb", VERBS, ids=[verb[0] for verb in VERBS])
@pytest.mark.parametrize("kind", ANSWERS)
def test_an_index_that_cannot_be_read_is_told(
    refusing: Callable[[int, str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verb: tuple[str, ...],
    kind: str,
) -> None:
    """Preflight: nothing was spent. Nothing on stdout, no traceback; which index, why, and what to do."""
    status, code, reason = ANSWERS[kind]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    place = ["--index", "s3://catalog/index", "--endpoint-url", refusing(status, code)]
    monkeypatch.setattr("sys.argv", ["media-index", *verb, *place])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 8
    assert out == ""
    assert re.fullmatch(r"error: [^\n]*s3://catalog[^\n]*\nhint: [A-Z`][^\n]*\.\n", err), err
    assert reason in err
