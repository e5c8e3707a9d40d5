"""A hub on loopback: one repository of models, at one commit at a time, and what was asked of it."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Hub:
    """`sent` are the bytes that were sent of each file."""

    hub_id: str
    folder: Path
    commit: str = "0" * 40
    url: str = ""
    sent: dict[str, int] = field(default_factory=dict)

    def environment(self, home: Path) -> dict[str, str]:
        """Of a process that asks this hub, and keeps what it fetches below a folder."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "",
        }


@contextmanager
def serving_hub(hub_id: str, folder: Path) -> Iterator[Hub]:
    """Have a hub with the files of a folder as one repository."""
    hub = Hub(hub_id, folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(hub))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            of_files, of_model = f"/{hub.hub_id}/resolve/", f"/api/models/{hub.hub_id}"
            if path.startswith(of_files):
                self._file(*path.removeprefix(of_files).split("/", 1))
            elif path in (of_model, *(f"{of_model}/revision/{name}" for name in ("main", hub.commit))):
                self._say({"id": hub.hub_id, "sha": hub.commit, "siblings": [*_listed("rfilename")]})
            elif path == f"{of_model}/tree/{hub.commit}":
                self._say([{"type": "file", "oid": "1" * 40} | one for one in _listed("path")])
            else:
                self._answer(404, {"X-Error-Code": "RepoNotFound"}, b"")

        def _file(self, revision: str, name: str) -> None:
            file = hub.folder / name
            if revision not in ("main", hub.commit) or not file.is_file():
                self._answer(404, {"X-Error-Code": "EntryNotFound"}, b"")
                return
            data = file.read_bytes()
            headers = {"X-Repo-Commit": hub.commit, "ETag": f'"{hashlib.sha1(data).hexdigest()}"'}
            status = 200
            if asked := self.headers.get("Range"):
                first, _, last = asked.removeprefix("bytes=").partition("-")
                end = min(len(data), int(last) + 1 if last else len(data))
                headers["Content-Range"] = f"bytes {first}-{end - 1}/{len(data)}"
                status, data = 206, data[int(first) : end]
            if self.command == "GET":
                hub.sent[name] = hub.sent.get(name, 0) + len(data)
            self._answer(status, headers, data)

        def _say(self, said: object) -> None:
            self._answer(200, {"Content-Type": "application/json"}, json.dumps(said).encode())

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    def _listed(key: str) -> Iterator[dict[str, object]]:
        for file in sorted(path for path in hub.folder.rglob("*") if path.is_file()):
            yield {key: str(file.relative_to(hub.folder)), "size": file.stat().st_size}

    return Handler
