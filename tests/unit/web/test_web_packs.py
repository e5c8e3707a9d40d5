"""Tables that prompt packs brought are shown without knowing the pack."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from schemas.answer_tables import row_type
from schemas.answers import Moments, TimedAnswer
from schemas.commit import Bundle
from schemas.identity import VideoObject
from storage.bundles import encode_bundle
from storage.index import open_index


class Vehicle(BaseModel):
    """A part of an answer."""

    plate: str


class SightingAnswer(TimedAnswer):
    """Something that happens."""

    layout = Moments(at_most=3, longest_s=9)

    order: str  # a word of SQL
    kind: Literal["theft", "fire"]
    items: list[Vehicle]  # a name that Python's mappings use


def test_own_tables_have_a_lane_and_a_list(
    tmp_path: Path, make_film: Callable[..., Bundle], make_row: Callable[..., Any], open_site: Any
) -> None:
    """Each row with its time, its columns and its lineage; in the API under the table's name."""
    sighting = row_type(SightingAnswer)
    film = make_film(VideoObject("/a.mp4", 1, 1), duration_ms=10_000)
    ids = {name: getattr(film.commit, name) for name in ("video_id", "analysis_key")}
    row = make_row(
        sighting,
        start_ms=2000,
        end_ms=3000,
        order="<b>first</b>",
        kind="fire",
        items=[Vehicle(plate="AB 12")],
        **ids,
    )
    index = open_index(str(tmp_path / "index"), create=True, own={"sightings": sighting})
    pair = (film.commit.video_id, film.commit.analysis_key)
    index.commit(*pair, encode_bundle(film.model_copy(update={"own": {"sightings": (row,)}})))
    index.publish([pair])
    with open_site(tmp_path / "index") as client:
        page = client.get(f"/video/{film.commit.video_id}").text
        rows = client.get(f"/api/videos/{film.commit.video_id}").json()["sightings"]
    assert 'class="lane" data-tint="sightings"' in page
    assert 'href="?t=2.0" data-seek="2000">0:02</a>' in page
    assert "&lt;b&gt;first&lt;/b&gt;" in page
    assert "AB 12" in page
    assert [(r["start_ms"], r["kind"], r["items"]) for r in rows] == [(2000, "fire", [{"plate": "AB 12"}])]
