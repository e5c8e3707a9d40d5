"""An HTTP server that answers as told: what real S3 does under load, and no test server does."""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from schemas.answer_tables import row_type
from schemas.answers import Moments, TimedAnswer
from schemas.commit import Bundle, Commit, CommitState, RunRecord
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.layout import VIEWS
from storage.objects.store import open_store
from storage.query.catalog import open_catalog
from storage.s3.client import s3_client


class SightingAnswer(TimedAnswer):
    """What a pack's answer holds."""

    layout = Moments(at_most=3, longest_s=9)

    what: str


SIGHTING = row_type(SightingAnswer)


@dataclass(frozen=True)
class IndexPlace:
    """An index, on a disk or on S3, with a pack's table `sightings`."""

    url: str
    endpoint_url: str | None

    def store(self):
        return open_store(self.url, self.endpoint_url)

    def publish(self, *bundles: Bundle, runs: Sequence[RunRecord] = (), marks: Sequence[Commit] = ()) -> None:
        """Each bundle by itself, as the smallest runs do, then the rest."""
        index = open_index(self.url, self.endpoint_url, create=True, own={"sightings": SIGHTING})
        for bundle in bundles:
            pair = bundle.commit.video_id, bundle.commit.analysis_key
            index.commit(*pair, encode_bundle(bundle))
            index.publish([pair])
        if runs or marks:
            index.publish([], runs, marks)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_catalog(self.url, self.endpoint_url) as catalog:
            return catalog.query(sql).rows

    def contents(self) -> dict[str, list[tuple[Any, ...]]]:
        """What readers see of every table, history included."""
        with open_catalog(self.url, self.endpoint_url) as catalog:
            views = catalog.query("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1").rows
            names = [name for (name,) in views if not name.startswith("_")]
            return {name: sorted(catalog.query(f'FROM "{name}"').rows, key=repr) for name in names}


@pytest.fixture
def index_place() -> type[IndexPlace]:
    """Makes a place of its URL and its endpoint."""
    return IndexPlace


@pytest.fixture(params=["local", "s3"])
def place(request, tmp_path) -> IndexPlace:
    """An empty place with an awkward name."""
    if request.param == "local":
        return IndexPlace(str(tmp_path / "new" / "an index"), None)
    bucket, endpoint = request.getfixturevalue("s3_bucket"), request.getfixturevalue("s3_endpoint")
    return IndexPlace(f"s3://{bucket}/an index/ü+%20", endpoint)


@pytest.fixture
def disk(tmp_path) -> IndexPlace:
    """An empty place on a disk."""
    return IndexPlace(str(tmp_path / "disk" / "an index"), None)


@pytest.fixture
def filled(place, filled_folder) -> IndexPlace:
    """An index with some of everything, on a disk and on S3."""
    if place.endpoint_url:
        _upload(filled_folder, place)
    else:
        shutil.copytree(filled_folder, place.url)
    return place


def _upload(folder: Path, place: IndexPlace) -> None:
    """Put an index of a disk into a bucket, as if it had been filled there; `views.sql` is on disks only."""
    store = place.store()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != VIEWS:
            store.put_if_absent(path.relative_to(folder).as_posix(), path.read_bytes())


@pytest.fixture
def filled_disk(disk, filled_folder) -> IndexPlace:
    """The same on a disk, for what does not depend on the store."""
    shutil.copytree(filled_folder, disk.url)
    return disk


@pytest.fixture(scope="session")
def filled_folder(tmp_path_factory, fill) -> Path:
    """The same, made once: tests copy it, with the times of its files."""
    folder = tmp_path_factory.mktemp("filled") / "index"
    fill(IndexPlace(str(folder), None))
    return folder


@pytest.fixture(scope="session")
def fill(make_bundle, make_row, make_run_record) -> Callable[[IndexPlace], None]:
    """Videos with history, a quarantine, a deletion, a pack's rows, runs and what those left undone."""

    def put(place: IndexPlace) -> None:
        bundles = [make_bundle(uri=f"s3://library/{n}.mp4", titles=("One", "Two", "Three")) for n in range(6)]
        ids = {name: getattr(bundles[2].commit, name) for name in ("video_id", "analysis_key")}
        own = {"sightings": (make_row(SIGHTING, what="a heron", **ids),)}
        bundles[2] = bundles[2].model_copy(update={"own": own})
        newer = make_bundle(uri="s3://library/0.mp4", revision="etag2", titles=("Anew",))
        broken = make_bundle(uri="s3://library/broken.mp4", is_quarantined=True)
        gone = bundles[5].commit.model_copy(update={"state": CommitState.DELETED})
        place.publish(*bundles, newer, broken, runs=[make_run_record("run-1", (broken,))])
        place.publish(runs=[make_run_record("run-2", (bundles[1],))], marks=[gone])

    return put


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
        protocol_version = "HTTP/1.1"  # keeps connections open, as S3 does

        def do(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            script.requests.append((self.command, dict(self.headers)))
            answer = script.answers.pop(0) if len(script.answers) > 1 else script.answers[0]
            error = f"<Error><Code>{answer.get('code')}</Code><Message>scripted</Message></Error>"
            body = answer.get("body", error.encode() if "code" in answer else b"")
            if "Date" in answer.get("headers", {}):
                self.send_response_only(answer["status"])  # without the server's own date
            else:
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
