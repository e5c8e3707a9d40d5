"""What is said, beside the player: it follows, it jumps, it can be searched in."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from urllib.parse import urljoin

import pytest

from schemas.measured import Caption, CaptionTrack, Speech

SAID = {
    0: [(1000, 3000, "The harbour is closed."), (5000, 7000, "Überall ist Öl."), (8000, 9000, "Go\nhome.")],
    1: [(1000, 3000, "Der Hafen ist zu.")],
}
_TIME = "document.getElementById('player').currentTime"


def measure(row: Callable[..., Any]) -> dict[str, tuple[Any, ...]]:
    """Captions in two languages, and what was heard."""
    return {
        "speech": (row(Speech, segment=0, start_ms=8000, end_ms=9000, text="Go home.", language="en"),),
        "caption_tracks": tuple(
            row(CaptionTrack, track=n, origin=f"said.{tag}.srt", language=tag, num_cues=len(SAID[n]))
            for n, tag in enumerate(("en", "de"))
        ),
        "captions": tuple(
            row(Caption, track=n, cue=number, start_ms=start, end_ms=end, text=text)
            for n, said in SAID.items()
            for number, (start, end, text) in enumerate(said)
        ),
    }


@pytest.fixture
def url(serve_measured: Callable[..., AbstractContextManager[str]]) -> Iterator[str]:
    """The page of that film."""
    with serve_measured(measure) as address:
        yield address


def _open(page: Any, url: str, t: float) -> None:
    found = page.request.get(urljoin(url, "/api/search"), params={"q": "harbour"}).json()
    (hit,) = found["hits"]
    assert url.endswith(hit["video_id"])
    page.goto(f"{url}?t={t}")
    page.wait_for_function("document.getElementById('player').readyState >= 2")


def test_it_follows_and_it_jumps(page: Any, url: str) -> None:
    """The line of now is marked, between two lines none; a click goes to its start."""
    _open(page, url, 1.5)
    assert page.locator(".cue.now").inner_text().endswith("The harbour is closed.")
    page.get_by_role("link", name="Go home.").click()
    page.wait_for_function(f"Math.abs({_TIME} - 8) < 0.2")
    assert page.locator(".cue.now").inner_text().endswith("Go home.")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function(f"Math.abs({_TIME} - 3) < 0.2")
    assert page.locator(".cue.now").count() == 0


def test_it_can_be_searched_in(page: Any, url: str) -> None:
    """Without regard to capitals and accents; where nothing is left it says so."""
    _open(page, url, 0)
    find = page.get_by_label("Find in what is said")
    find.fill("oL UBER")
    assert page.locator(".cue:visible").all_inner_texts() == ["0:05\nÜberall ist Öl."]
    find.fill("nothing of the kind")
    assert page.locator(".cue:visible").count() == 0
    assert page.get_by_text("Nothing of that is said.").is_visible()
    find.fill("")
    assert page.locator(".cue:visible").count() == 3


def test_another_language_is_a_link_away(page: Any, url: str) -> None:
    """Tracks by their language and place."""
    _open(page, url, 0)
    page.get_by_role("link", name="de, said.de.srt").click()
    assert page.locator(".cue").all_inner_texts() == ["0:01\nDer Hafen ist zu."]
    assert page.locator("#cue-list").get_attribute("lang") == "de"


def test_what_was_heard_is_a_link_away_and_jumps_too(page: Any, url: str) -> None:
    """It stands behind the captions."""
    _open(page, url, 0)
    page.get_by_role("link", name="en, heard").click()
    page.get_by_role("link", name="Go home.").click()
    page.wait_for_function(f"Math.abs({_TIME} - 8) < 0.2")
    assert page.locator(".cue.now").inner_text() == "0:08\nGo home."
