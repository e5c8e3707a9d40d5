"""The served page in a real Chromium, over real films. Without Chromium these tests are skipped."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from schemas.commit import Bundle
from schemas.identity import VideoObject
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index

COMMAND = Path(sys.executable).with_name("media-index")
FPS = 10


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, driven by playwright; MEDIA_INDEX_TEST_CHROMIUM names one in an unusual place."""
    names = ("chromium", "chromium-browser", "google-chrome")
    program = os.environ.get("MEDIA_INDEX_TEST_CHROMIUM") or next(
        filter(None, map(shutil.which, names)), None
    )
    if program is None:
        pytest.skip("no Chromium is installed: docs/serve.md says how")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: see docs/serve.md")
    with api.sync_playwright() as playwright:
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium's sandbox refuses root
        chromium = playwright.chromium.launch(executable_path=program, args=as_root)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A fresh profile's first tab. A script dialog or an uncaught error fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    context.set_default_timeout(15_000)
    tab = context.new_page()
    trouble: list[str] = []
    tab.on("pageerror", lambda error: trouble.append(str(error)))

    def refuse(dialog: Any) -> None:
        trouble.append(dialog.message)
        dialog.dismiss()

    tab.on("dialog", refuse)
    yield tab
    context.close()
    assert not trouble


@contextmanager
def serving(index: str | Path, *options: object) -> Iterator[str]:
    """`media-index serve` on a free port; its address. Ctrl-C must end it with 0."""
    command = [COMMAND, "serve", "--index", index, "--port", 0, "--json", *options]
    server = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        assert line, "the server ended before it said where it is"
        yield json.loads(line)["url"]
        server.send_signal(signal.SIGINT)
        assert server.wait(20) == 0
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@pytest.fixture
def serve() -> Callable[..., AbstractContextManager[str]]:
    """`with serve(index, …) as url`."""
    return serving


def _draw(path: Path, seconds: int, begins_at_s: int = 0) -> Path:
    """Picture n, from 0 at 10 a second, is all of shade 2 n; the clock may begin later."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=FPS, options={"deadline": "realtime", "cpu-used": "8"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        for number in range(seconds * FPS):
            pixels = np.full((90, 160, 3), number * 2, np.uint8)
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            picture.pts, picture.time_base = number + begins_at_s * FPS, Fraction(1, FPS)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="session")
def draw_film() -> Callable[..., Path]:
    """`draw_film(path, seconds, begins_at_s=0)`: a WebM whose shade tells the time."""
    return _draw


@pytest.fixture(scope="session")
def drawn_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of it, for whoever changes nothing."""
    return _draw(tmp_path_factory.mktemp("drawn") / "film.webm", 12)


@pytest.fixture(scope="session")
def index_films() -> Callable[..., None]:
    """`index_films(index, bundle, …)`: commit and publish."""

    def index_them(index: str | Path, *bundles: Bundle, endpoint_url: str | None = None) -> None:
        opened = open_index(str(index), endpoint_url, create=True)
        for bundle in bundles:
            opened.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
        opened.publish([(bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles])

    return index_them


@pytest.fixture
def serve_measured(
    tmp_path: Path,
    index_films: Callable[..., None],
    make_film: Callable[..., Bundle],
    make_row: Callable[..., Any],
) -> Callable[..., AbstractContextManager[str]]:
    """`with serve_measured(measure) as url`: the page of one film of 12 s that no model was asked about.

    `measure(row)` gives rows by table; `row` makes one as `make_row` does, of that film.
    """

    @contextmanager
    def serve_it(measure: Callable[[Callable[..., Any]], dict[str, tuple[Any, ...]]]) -> Iterator[str]:
        path = _draw(tmp_path / "film.webm", 12)
        found = path.stat()
        video = VideoObject(str(path), found.st_size, found.st_mtime_ns)
        bundle = make_film(video, duration_ms=12_000, fps_num=FPS, fps_den=1, container="webm")
        ids = {k: getattr(bundle.commit, k) for k in ("video_id", "analysis_key", "object_rev", "recipe_id")}
        rows = measure(partial(make_row, **ids))
        index_films(tmp_path / "index", bundle.model_copy(update={"measured": rows}))
        with serving(tmp_path / "index") as address:
            yield f"{address}/video/{bundle.commit.video_id}"

    return serve_it


@pytest.fixture(scope="session")
def film_rows() -> dict[str, Any]:
    """What the rows say of a film of 12 seconds."""

    def scene(start_ms: int, end_ms: int, title: str, tag: str) -> dict[str, Any]:
        times = {"start_ms": start_ms, "end_ms": end_ms}
        return {
            **times,
            "title": title,
            "summary": "It gets lighter.",
            "tags": [tag],
            "character_ids": ["C1"],
        }

    return {
        "scenes": [
            scene(0, 4000, "The dark beginning", "dark"),
            scene(4000, 8000, "The grey middle", "grey"),
            scene(8000, 12000, "The bright end", "bright"),
        ],
        "characters": {"C1": "the light"},
        "highlights": [{"start_ms": 9000, "end_ms": 10000, "title": "Brightest", "reason": "-", "score": 7}],
        "duration_ms": 12000,
        "fps_num": FPS,
        "fps_den": 1,
    }


@pytest.fixture(scope="session")
def films(
    tmp_path_factory: pytest.TempPathFactory,
    make_film: Callable[..., Bundle],
    index_films: Callable[..., None],
    film_rows: dict[str, Any],
) -> Path:
    """An index of two films; one begins two seconds late on its container's clock."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "library").mkdir()
    bundles = []
    for name, begins_at_s in (("dawn.webm", 0), ("late.webm", 2)):
        path = _draw(folder / "library" / name, 12, begins_at_s)
        found = path.stat()
        video = VideoObject(str(path), found.st_size, found.st_mtime_ns)
        late = {"container_start_ms": begins_at_s * 1000, "title": name.removesuffix(".webm")}
        bundles.append(make_film(video, **film_rows, **late))
    index_films(folder / "index", *bundles)
    return folder / "index"


@pytest.fixture(scope="session")
def url(browser: Any, films: Path) -> Iterator[str]:
    """The page over both films."""
    with serving(films) as address:
        yield address
