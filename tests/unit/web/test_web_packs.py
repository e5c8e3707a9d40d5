"""Tables that prompt packs brought are shown without knowing the pack."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from schemas.answer_tables import row_type
from schemas.answers import Moments, TimedAnswer
from schemas.commit import Bundle
from schemas.identity import VideoObject
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index


class Vehicle(BaseModel):
    """A part of an answer."""

    plate: str


class SightingAnswer(TimedAnswer):
    """Something that happens."""

    layout = Moments(at_most=3, longest_s=9)

    order: str  # a word of SQL
    kind: Literal["theft", "fire"]
    items: list[Vehicle]  # a name that Python's mappings use


SIGHTING = row_type(SightingAnswer)


@pytest.fixture
def watched(tmp_path: Path, make_film: Callable[..., Bundle], make_row: Callable[..., Any]) -> VideoObject:
    """The one video of the index in `tmp_path / "index"`, with one sighting."""
    video = VideoObject("/a.mp4", 1, 1)
    film = make_film(video, duration_ms=10_000)
    ids = {name: getattr(film.commit, name) for name in ("video_id", "analysis_key")}
    row = make_row(
        SIGHTING,
        start_ms=2000,
        end_ms=3000,
        order="<b>first</b>",
        kind="fire",
        items=[Vehicle(plate="AB 12")],
        **ids,
    )
    index = open_index(str(tmp_path / "index"), create=True, own={"sightings": SIGHTING})
    pair = (film.commit.video_id, film.commit.analysis_key)
    index.commit(*pair, encode_bundle(film.model_copy(update={"own": {"sightings": (row,)}})))
    index.publish([pair])
    return video


def test_own_tables_have_a_lane_and_a_list(tmp_path: Path, watched: VideoObject, open_site: Any) -> None:
    """Each row with its time, its columns and its lineage; in the API under the table's name."""
    with open_site(tmp_path / "index") as client:
        page = client.get(f"/video/{watched.video_id}").text
        rows = client.get(f"/api/videos/{watched.video_id}").json()["sightings"]
    assert 'class="lane" data-tint="sightings"' in page
    assert 'href="?t=2.0" data-seek="2000">0:02</a>' in page
    assert "&lt;b&gt;first&lt;/b&gt;" in page
    assert "AB 12" in page
    assert [(r["start_ms"], r["kind"], r["items"]) for r in rows] == [(2000, "fire", [{"plate": "AB 12"}])]


@pytest.mark.parametrize("asked", ["q=first", "q=first&kind=sightings", "kind=sightings"])
def test_own_tables_are_found_and_listed(
    tmp_path: Path, watched: VideoObject, open_site: Any, asked: str
) -> None:
    """By words and by kind; the hit leads to its moment, and the kinds to choose from have the table."""
    with open_site(tmp_path / "index") as client:
        page = client.get(f"/?{asked}").text
        (hit,) = client.get(f"/api/search?{asked}").json()["hits"]
        key = client.get(f"/api/videos/{watched.video_id}").json()["video"]["analysis_key"]
    assert re.search(r'href="/\?[^"]*kind=sightings"[^>]*>Sightings</a>', page)
    assert f'href="/video/{watched.video_id}?t=2.0"' in page
    assert (hit["kind"], hit["title"], hit["text"]) == ("sightings", "fire", "<b>first</b>")
    assert hit["picture"] == f"/picture/{watched.video_id}/2500?row=sightings-0&of={key}"
    assert "<b>first" not in page
