"""The page over a small index of real films, asked as a browser would."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from starlette.testclient import TestClient

from jobs.web.app import make_app
from jobs.web.open_index import OpenIndex
from schemas.commit import Bundle
from schemas.identity import VideoObject
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index

HOST = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Site:
    """A page, what it is over, and the ids of the videos in it by file name."""

    client: TestClient
    folder: Path
    ids: dict[str, str]

    @property
    def library(self) -> Path:
        return self.folder / "library"


def add(index: Path, *bundles: Bundle) -> None:
    """Commit and publish."""
    opened = open_index(str(index), create=True)
    for bundle in bundles:
        opened.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    opened.publish([(bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles])


def object_at(path: Path) -> VideoObject:
    found = path.stat()
    return VideoObject(str(path), found.st_size, found.st_mtime_ns)


@contextmanager
def serving(index: Path, library: str | None = None) -> Iterator[TestClient]:
    """A browser's side of a page over this index."""
    opened = OpenIndex(str(index), None)
    app = make_app(opened, library, "127.0.0.1")
    with TestClient(app, base_url=HOST, follow_redirects=False) as client:
        yield client
    opened.close()


@pytest.fixture
def open_site() -> Callable[..., AbstractContextManager[TestClient]]:
    """`with open_site(index) as client`: a page over an index made in the test."""
    return serving


@pytest.fixture
def add_films() -> Callable[..., None]:
    """`add_films(index, bundle, …)`: commit and publish."""
    return add


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, make_film: Callable[..., Bundle]) -> Iterator[Site]:
    """Two films of 3 seconds that are there, one that is not; one of the two is outside of `--library`."""
    yield from _make_site(tmp_path_factory.mktemp("site"), make_film)


@pytest.fixture
def own_site(tmp_path: Path, make_film: Callable[..., Bundle]) -> Iterator[Site]:
    """The same, for a test that changes files."""
    yield from _make_site(tmp_path, make_film)


def _make_site(folder: Path, make_film: Callable[..., Bundle]) -> Iterator[Site]:
    rows: dict[str, Any] = {
        "scenes": [
            _scene(0, 1500, "A dog runs", "It runs.", ["Dog"], ["C1"]),
            _scene(1500, 3000, "A cat waits", "It waits.", ["cat"], []),
        ],
        "characters": {"C1": "the dog"},
        "highlights": [{"start_ms": 1000, "end_ms": 2000, "title": "The jump", "score": 9, "scene_index": 0}],
        "title": "Animals",
        "duration_ms": 3000,
    }
    library = folder / "library"
    library.mkdir()
    paths = [library / "animals.mp4", folder / "outside.mp4"]
    _encode(paths[0])
    shutil.copy(*paths)
    bundles = [make_film(object_at(path), **rows) for path in paths]
    bundles.append(make_film(VideoObject(str(library / "gone.mp4"), 5, 5), title="Gone", duration_ms=1000))
    add(folder / "index", *bundles)
    with serving(folder / "index", str(library)) as client:
        yield Site(client, folder, {Path(b.commit.uri).name: b.commit.video_id for b in bundles})


def _scene(
    start_ms: int, end_ms: int, title: str, summary: str, tags: list[str], who: list[str]
) -> dict[str, Any]:
    return {
        "start_ms": start_ms,
        "end_ms": end_ms,
        "title": title,
        "summary": summary,
        "tags": tags,
        "character_ids": who,
    }


def _encode(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(30):
            picture = np.full((64, 96, 3), number * 8, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
