"""What was measured, on a video's page: a strip to look through, shots and text on screen that follow."""

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import pytest
from PIL import Image

from schemas.measured import ScreenText, Shot, Strip

_TIME = "document.getElementById('player').currentTime"


def _sheet() -> bytes:
    """Twelve tiles, ten side by side, each as light as the film is then."""
    tiles = [np.full((90, 160), 12 * n, np.uint8) for n in range(20)]
    rows = [np.concatenate(tiles[first : first + 10], axis=1) for first in (0, 10)]
    encoded = io.BytesIO()
    Image.fromarray(np.concatenate(rows)).save(encoded, "JPEG")
    return encoded.getvalue()


def measure(row: Callable[..., Any]) -> dict[str, tuple[Any, ...]]:
    """A strip, three shots and two lines of text."""
    sides = {"num_columns": 10, "tile_width": 160, "tile_height": 90}
    strip = row(Strip, num_tiles=12, step_ms=1000, media_type="image/jpeg", image=_sheet(), **sides)
    shots = [(0, 3000, None), (3000, 8000, "cut"), (8000, 12_000, "fade")]
    lines = [(2000, 5000, "ROB JOHNSON"), (4000, 9000, "<b>Live</b>")]
    return {
        "strips": (strip,),
        "shots": tuple(
            row(Shot, shot_index=n, start_ms=start, end_ms=end, kind=kind)
            for n, (start, end, kind) in enumerate(shots)
        ),
        "screen_text": tuple(
            row(ScreenText, line=n, start_ms=start, end_ms=end, text=text)
            for n, (start, end, text) in enumerate(lines)
        ),
    }


@pytest.fixture
def url(serve_measured: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """The page of that film."""
    with serve_measured(measure) as address:
        yield address


def _open(page: Any, url: str, at_s: float) -> None:
    page.goto(f"{url}?t={at_s}")
    page.wait_for_function(f"Math.abs({_TIME} - {at_s}) < 0.2")


def test_the_pointer_shows_the_picture_of_its_moment(page: Any, url: str) -> None:
    """On the strip and on the lanes below it; a click jumps there."""
    _open(page, url, 0)
    peek = page.locator("#peek")
    assert peek.is_hidden()
    box = page.locator("#strip").bounding_box()
    x = box["x"] + box["width"] * 10.5 / 12
    for y in (box["y"] + 20, box["y"] + box["height"] + 15):
        page.mouse.move(x, y)
        assert peek.locator("svg").get_attribute("viewBox") == "0 90 160 90"
        assert peek.inner_text() == "0:10"
    page.mouse.click(x, box["y"] + 20)
    page.wait_for_function(f"Math.abs({_TIME} - 10.5) < 0.2")
    page.mouse.move(x, 5)
    assert peek.is_hidden()


def test_shots_and_text_on_screen_follow_the_player(page: Any, url: str) -> None:
    """What is there now is marked, a click on it jumps, `j` steps from shot to shot."""
    _open(page, url, 4.5)
    assert page.locator(".shot.now .meta").inner_text().split() == ["0:03", "5.0", "s"]
    assert page.locator("#written-list .now .words").all_inner_texts() == ["ROB JOHNSON", "<b>Live</b>"]
    page.keyboard.press("j")
    page.wait_for_function(f"Math.abs({_TIME} - 8) < 0.2")
    assert page.locator(".shot.now .meta").inner_text().split() == ["0:08", "4.0", "s", "fade"]
    page.locator(".shot").first.click()
    page.wait_for_function(f"{_TIME} < 0.2")
    assert page.locator("#written-list .now").count() == 0
