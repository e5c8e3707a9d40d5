"""The index while it is served: published to, damaged, removed, restored."""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jobs.web import open_index
from schemas.commit import Bundle
from schemas.failures import PreflightError
from schemas.identity import VideoObject
from storage.query.built.build import build_serving
from storage.upkeep.compact import compact
from storage.upkeep.vacuum import vacuum


@pytest.fixture(autouse=True)
def _look_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer snapshot is looked for with every request, so that no test waits."""
    monkeypatch.setattr(open_index, "LOOK_EVERY_S", 0.0)


def test_a_published_snapshot_shows_up(
    tmp_path: Path, make_film: Callable[..., Bundle], add_films: Callable[..., None], open_site: Any
) -> None:
    """Without starting anew, totals included."""
    add_films(tmp_path / "index", make_film(VideoObject("/a.mp4", 1, 1), title="First", duration_ms=1))
    with open_site(tmp_path / "index") as client:
        assert "Second" not in client.get("/").text
        add_films(tmp_path / "index", make_film(VideoObject("/b.mp4", 1, 1), title="Second", duration_ms=1))
        page = client.get("/").text
    assert "Second" in page
    assert "<dd>2</dd>" in page


@pytest.mark.parametrize("last", [3, pytest.param(9, marks=pytest.mark.nightly)])
def test_every_answer_is_of_one_snapshot(
    tmp_path: Path,
    make_film: Callable[..., Bundle],
    add_films: Callable[..., None],
    open_site: Any,
    last: int,
) -> None:
    """While the index is published to, merged, vacuumed and its search database replaced."""
    index, video = tmp_path / "index", VideoObject("/a.mp4", 1, 1)

    def publish(take: int) -> None:
        film = VideoObject(video.uri, take, take)
        scene = {"start_ms": 0, "end_ms": 9, "title": f"take {take}", "summary": "So", "character_ids": []}
        add_films(index, make_film(film, [scene] * take, title=f"take {take}", duration_ms=9))

    def change() -> None:
        for take in range(2, last + 1):
            publish(take)
            build_serving(str(index), words_only=True)
            compact(str(index), None, lambda holder: None)
            vacuum(str(index), None, lambda holder: None, older_than=timedelta(0))

    publish(1)
    with open_site(index) as client, ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        is_last = False
        while not is_last:
            is_last = changing.done()
            rows = client.get(f"/api/videos/{video.video_id}").json()
            titles = {row["title"] for row in (rows["video"], *rows["scenes"])}
            assert titles == {f"take {len(rows['scenes'])}"}
            answer = client.get("/api/search?q=take&kind=scenes")
            assert answer.status_code == 200, answer.text
            hits = answer.json()["hits"]
            assert {hit["title"] for hit in hits} == {f"take {len(hits)}"}
            page = client.get("/?q=take")
            assert page.status_code == 200, page.text
        changing.result()
    assert len(rows["scenes"]) == len(hits) == last


def test_an_index_that_vanishes_is_told_and_comes_back(
    tmp_path: Path, make_film: Callable[..., Bundle], add_films: Callable[..., None], open_site: Any
) -> None:
    """503 with the reason on page and API, and service again when it is restored."""
    add_films(tmp_path / "index", make_film(VideoObject("/a.mp4", 1, 1), title="First", duration_ms=1))
    with open_site(tmp_path / "index") as client:
        shutil.move(tmp_path / "index", tmp_path / "elsewhere")
        answer = client.get("/?kind=videos")
        assert answer.status_code == 503
        assert str(tmp_path / "index") in answer.text
        assert "hint" in client.get("/api/search?kind=videos").json()
        shutil.move(tmp_path / "elsewhere", tmp_path / "index")
        assert "First" in client.get("/?kind=videos").text


@pytest.mark.parametrize("is_built", [False, True])
def test_an_index_made_anew_is_served(
    tmp_path: Path,
    make_film: Callable[..., Bundle],
    add_films: Callable[..., None],
    open_site: Any,
    is_built: bool,
) -> None:
    """Its snapshots count from 1 again: it is another one though its number is no higher."""
    index = tmp_path / "index"
    for title in ("First", "Second"):
        add_films(index, make_film(VideoObject("/a.mp4", 1, 1), title=title, duration_ms=1))
    if is_built:
        build_serving(str(index), words_only=True)
    with open_site(index) as client:
        for title in ("Third", "Fourth"):
            shutil.rmtree(index)
            add_films(index, make_film(VideoObject("/b.mp4", 1, 1), title=title, duration_ms=1))
            assert title in client.get("/?kind=videos").text


def test_a_damaged_part_is_told(
    tmp_path: Path, make_film: Callable[..., Bundle], add_films: Callable[..., None], open_site: Any
) -> None:
    """Bytes that are no Parquet give 503 and name the file's index."""
    add_films(tmp_path / "index", make_film(VideoObject("/a.mp4", 1, 1), title="First", duration_ms=1))
    with open_site(tmp_path / "index") as client:
        for part in (tmp_path / "index" / "tables" / "videos").iterdir():
            part.write_bytes(b"no parquet")
        answer = client.get("/?kind=videos")
    assert answer.status_code == 503
    assert "cannot be read" in answer.text


def test_an_empty_index_says_how_to_fill_it(
    tmp_path: Path, add_films: Callable[..., None], open_site: Any
) -> None:
    """Made, and nothing in it yet."""
    add_films(tmp_path / "index")
    with open_site(tmp_path / "index") as client:
        assert "media-index run" in client.get("/").text


def test_no_index_is_told_before_anything_is_served(tmp_path: Path) -> None:
    """The command ends with the preflight code instead of serving errors."""
    with pytest.raises(PreflightError, match="there is no index"):
        open_index.OpenIndex(str(tmp_path / "none"), None)


def test_many_readers_at_once_get_their_own_answers(own_site: Any) -> None:
    """One connection serves one query at a time, the first search included; no answer is mixed up or lost."""

    def ask(text: str) -> list[dict[str, Any]]:
        answer = own_site.client.get("/api/search", params={"q": text, "kind": "scenes"}).json()
        return list(answer["hits"])

    with ThreadPoolExecutor(4) as readers:
        answers = list(readers.map(ask, ["dog", "cat"] * 10))
    assert answers == [ask("dog"), ask("cat")] * 10
    assert [hits[0]["title"] for hits in answers[:2]] == ["A dog runs", "A cat waits"]
