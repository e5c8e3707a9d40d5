"""The strip above the timeline: one sheet, cut into the pictures that fit, and none where none was made."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.commit import Bundle
from schemas.identity import VideoObject
from schemas.measured import Strip

SHEET = b"\xff\xd8 a sheet"


@pytest.fixture
def film(make_film: Callable[..., Bundle], make_row: Callable[..., Any]) -> Callable[..., Bundle]:
    """A film of 35 s; with `num_tiles` it has a strip, a tile a second, ten side by side."""

    def make(num_tiles: int = 0) -> Bundle:
        bundle = make_film(VideoObject("/films/walk.mp4", 1000, 1), duration_ms=35_000)
        ids = {k: getattr(bundle.commit, k) for k in ("video_id", "analysis_key", "object_rev", "recipe_id")}
        sizes = {"num_columns": 10, "tile_width": 160, "tile_height": 90, "step_ms": 1000}
        strip = make_row(Strip, num_tiles=num_tiles, **sizes, media_type="image/jpeg", image=SHEET, **ids)
        return bundle.model_copy(update={"measured": {"strips": (strip,) if num_tiles else ()}})

    return make


def test_a_strip_is_cut_from_its_sheet(
    tmp_path: Path, film: Callable[..., Bundle], add_films: Any, open_site: Any
) -> None:
    """Ten tiles spread over 35, each with its moment; the sheet is one file and is kept."""
    bundle = film(35)
    add_films(tmp_path / "index", bundle)
    video_id = bundle.commit.video_id
    with open_site(tmp_path / "index") as client:
        page = client.get(f"/video/{video_id}").text
        (address,) = set(re.findall(r'<image href="([^"]+)" width="1600" height="360"', page))
        cuts = re.findall(r'\?t=([0-9.]+)" tabindex="-1"><svg [^>]*viewBox="(\d+) (\d+) 160 90"', page)
        assert [float(at) for at, _, _ in cuts] == [1, 5, 8, 12, 15, 19, 22, 26, 29, 33]
        assert [(int(x), int(y)) for _, x, y in cuts[:4]] == [(160, 0), (800, 0), (1280, 0), (320, 90)]
        sheet = client.get(address.replace("&amp;", "&"))
        assert (sheet.content, sheet.headers["content-type"]) == (SHEET, "image/jpeg")


def test_a_short_film_shows_each_tile_once(
    tmp_path: Path, film: Callable[..., Bundle], add_films: Any, open_site: Any
) -> None:
    """Three tiles are three pictures, on a sheet that is three wide."""
    bundle = film(3)
    add_films(tmp_path / "index", bundle)
    with open_site(tmp_path / "index") as client:
        page = client.get(f"/video/{bundle.commit.video_id}").text
    assert re.findall(r'<svg [^>]*viewBox="(\d+) 0 160 90"', page) == ["0", "160", "320"]
    assert 'width="480" height="90"' in page


def test_without_a_strip_there_is_none(
    tmp_path: Path, film: Callable[..., Bundle], add_films: Any, open_site: Any
) -> None:
    """Neither on the page nor at its address."""
    bundle = film()
    add_films(tmp_path / "index", bundle)
    with open_site(tmp_path / "index") as client:
        assert "by the model" not in client.get("/").text
        assert 'id="strip"' not in client.get(f"/video/{bundle.commit.video_id}").text
        answer = client.get(f"/strip/{bundle.commit.video_id}")
        assert (answer.status_code, "has no strip" in answer.text) == (404, True)
