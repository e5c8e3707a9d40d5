"""An HTTP server that answers as told: what real S3 does under load, and no test server does."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from storage.s3 import s3_client


@dataclass
class Script:
    """The answers to come, the last one repeated for ever, and the requests that came."""

    url: str
    answers: list[dict[str, Any]]
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@pytest.fixture
def scripted_s3() -> Iterator[Callable[..., Script]]:
    """Starts a server that gives these answers, e.g. `scripted_s3({"status": 503}, {"status": 200})`.

    `code` is the S3 error in the body, `body` the body itself, `headers` more headers; where `length`
    is greater than the body, the connection breaks before its end.
    """
    servers: list[ThreadingHTTPServer] = []

    def start(*answers: dict[str, Any]) -> Script:
        script = Script("", list(answers))
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(script))
        script.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return script

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "test")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        environment.setenv("AWS_MAX_ATTEMPTS", "2")  # boto3 sleeps between them
        yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _handler(script: Script) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # answers `Expect: 100-continue`, for which boto3 waits a second

        def do(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.requests.append((self.command, dict(self.headers)))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            error = f"<Error><Code>{answer.get('code')}</Code><Message>scripted</Message></Error>"
            body = answer.get("body", error.encode() if "code" in answer else b"")
            self.send_response(answer["status"])
            for name, value in answer.get("headers", {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(answer.get("length", len(body))))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)
            self.close_connection = True

        do_GET = do_PUT = do_HEAD = do  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def fresh_clients() -> Iterator[None]:
    """Clients remember credentials; tests that change those start and end without any client."""
    s3_client.cache_clear()
    yield
    s3_client.cache_clear()
