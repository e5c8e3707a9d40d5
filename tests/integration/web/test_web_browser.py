"""What a person does with the page: search, jump, look, share."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from schemas.commit import Bundle
from schemas.identity import VideoObject

_TIME = """async () => {
    const player = document.getElementById('player');
    while (player.readyState < 2 || player.seeking) await new Promise(done => setTimeout(done, 20));
    return player.currentTime;
}"""
# The shade of the picture on screen, halved: the number of the picture that is shown.
_PICTURE = """async () => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 4;
    const context = canvas.getContext('2d');
    context.drawImage(document.getElementById('player'), 0, 0, 4, 4);
    return context.getImageData(1, 1, 1, 1).data[0] / 2;
}"""


def _open_film(page: Any, url: str, name: str, t: float = 0) -> None:
    hits = page.request.get(f"{url}/api/search", params={"kind": "videos", "video": name}).json()["hits"]
    page.goto(f"{url}/video/{hits[0]['video_id']}?t={t}")
    page.evaluate(_TIME)


def test_search_leads_to_the_moment(page: Any, url: str) -> None:
    """Type, press enter, click the hit: the player stands at the scene's start."""
    page.goto(url)
    page.get_by_role("searchbox").fill("grey middle")
    page.keyboard.press("Enter")
    page.locator(".hit", has_text="dawn.webm").get_by_role("link", name="The grey middle").click()
    page.wait_for_url(re.compile(r"/video/[0-9a-f]{16}\?t=4\.0$"))
    assert abs(page.evaluate(_TIME) - 4) < 0.3


@pytest.mark.parametrize(("name", "offset_s"), [("dawn.webm", 0), ("late.webm", 2)])
def test_times_count_from_the_first_picture(page: Any, url: str, name: str, offset_s: int) -> None:
    """Also where the container's clock begins later: the picture on screen is that of the row's time."""
    _open_film(page, url, name, 5.05)
    assert abs(page.evaluate(_TIME) - 5.05 - offset_s) < 0.3
    assert abs(page.evaluate(_PICTURE) - 50) < 3
    page.locator("#scene-list").get_by_role("link", name="The bright end").click()
    assert abs(page.evaluate(_TIME) - 8 - offset_s) < 0.3
    assert urlsplit(page.url).query == "t=8.0"


def test_timeline_and_lists_jump(page: Any, url: str) -> None:
    """Bars, highlights, and any place on a lane."""
    _open_film(page, url, "dawn.webm")
    page.locator('[data-tint="highlights"] .bar').click()
    assert abs(page.evaluate(_TIME) - 9) < 0.3
    lane = page.locator('[data-tint="highlights"] .ground')
    lane.click(position={"x": lane.bounding_box()["width"] / 4, "y": 10})
    assert abs(page.evaluate(_TIME) - 3) < 0.3
    assert page.locator(".scene.now").inner_text().startswith("The dark beginning")


def test_keys_walk_through_the_hits(page: Any, url: str) -> None:
    """`/` to the search box, j and k or arrows through the hits, enter opens."""
    page.goto(f"{url}/?q=light&kind=scenes")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Escape")
    focused = "[...document.querySelectorAll('[data-hit]')].indexOf(document.activeElement)"
    for key, place in (("j", 0), ("j", 1), ("ArrowDown", 2), ("k", 1), ("ArrowUp", 0), ("k", 0)):
        page.keyboard.press(key)
        assert page.evaluate(focused) == place
    page.keyboard.press("Enter")
    page.wait_for_url("**/video/**")


def test_keys_drive_the_player(page: Any, url: str) -> None:
    """Space, arrows, single pictures and scenes; letters typed into the search box do nothing."""
    _open_film(page, url, "dawn.webm", 1)
    for key, second in (
        ("ArrowRight", 6.0),
        ("Shift+ArrowLeft", 5.0),
        (".", 5.1),
        ("j", 8.0),
        ("k", 4.0),
        ("ArrowLeft", 0.0),
    ):
        page.keyboard.press(key)
        assert abs(page.evaluate(_TIME) - second) < 0.09, key
    page.keyboard.press(" ")
    page.wait_for_function("!document.getElementById('player').paused")
    page.keyboard.press(" ")
    page.wait_for_function("document.getElementById('player').paused")
    before = page.evaluate(_TIME)
    page.get_by_role("searchbox").press_sequentially("jk .")
    assert page.evaluate(_TIME) == before


def test_link_to_the_moment_is_copied(page: Any, url: str) -> None:
    """The address and the clipboard have the present time, and opening it leads there."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    _open_film(page, url, "late.webm", 1)
    page.keyboard.press("ArrowRight")
    page.evaluate(_TIME)
    page.get_by_role("button", name="Copy link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("?t=6.0")
    page.goto(link)
    assert abs(page.evaluate(_TIME) - 8) < 0.3


def test_filters_are_taken_from_the_form(page: Any, url: str) -> None:
    """Tag and file together; a click on the chip takes one away."""
    page.goto(f"{url}/?q=light")
    page.get_by_text("Filters", exact=True).click()
    page.get_by_label("Tag").fill("grey")
    page.get_by_label("File name ends with").fill("late.webm")
    page.get_by_role("button", name="Apply").click()
    assert page.locator(".hit h2").all_inner_texts() == ["The grey middle"]
    page.get_by_role("link", name="file: late.webm").click()
    assert page.locator(".hit h2").all_inner_texts() == ["The grey middle"] * 2


def test_theme_is_toggled_and_remembered(page: Any, url: str) -> None:
    """As the system has it until chosen otherwise."""
    page.goto(url)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ground)
    assert light != dark
    page.get_by_role("button", name="Dark or light").click()
    assert page.evaluate(ground) == light
    page.reload()
    assert page.evaluate(ground) == light


def test_nothing_is_loaded_from_elsewhere(page: Any, url: str) -> None:
    """It works without internet, and tells nobody who looks at what."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{url}/?q=light")
    _open_film(page, url, "dawn.webm")
    assert len(asked) > 8
    assert all(address.startswith(url) for address in asked)


@pytest.mark.parametrize("path", ["/", "/?q=light", "/?q=nothing+like+it"])
def test_phones_need_not_scroll_sideways(page: Any, url: str, path: str) -> None:
    """375 pixels."""
    page.set_viewport_size({"width": 375, "height": 740})
    page.goto(url + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 375
    _open_film(page, url, "dawn.webm")
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


def test_hostile_rows_stay_text(
    page: Any,
    tmp_path: Path,
    make_film: Callable[..., Bundle],
    index_films: Callable[..., None],
    serve: Any,
) -> None:
    """Neither markup nor a script in a title runs; an inline script would be refused besides."""
    bad = '<img src=x onerror="window.harm = 1"><script>window.harm = 1; alert(1)</script>'
    scene = {"start_ms": 0, "end_ms": 9, "title": bad, "summary": bad, "tags": [bad], "character_ids": ["C1"]}
    video = VideoObject("/films/'\"><script>alert(2)</script>.mp4", 1, 1)
    film = make_film(video, scenes=[scene], characters={"C1": bad}, title=bad, summary=bad, duration_ms=9)
    index_films(tmp_path / "index", film)
    with serve(tmp_path / "index") as url:
        for path in ("/", "/?q=script", f"/?tag={bad}", f"/?q={bad}", f"/video/{video.video_id}?t={bad}"):
            page.goto(url + path)
            assert page.evaluate("window.harm") is None
            assert page.locator('img[src="x"]').count() == 0
        page.evaluate(
            "() => document.body.append(Object.assign(document.createElement('script'),"
            " {textContent: 'window.harm = 1'}))"
        )
        assert page.evaluate("window.harm") is None


def test_film_that_cannot_be_played_keeps_its_pictures(
    page: Any,
    tmp_path: Path,
    make_film: Callable[..., Bundle],
    index_films: Callable[..., None],
    film_rows: dict[str, Any],
    serve: Any,
) -> None:
    """A file that is no video: the page says so, and scenes still change the picture."""
    path = tmp_path / "broken.webm"
    path.write_bytes(b"no video at all")
    found = path.stat()
    video = VideoObject(str(path), found.st_size, found.st_mtime_ns)
    index_films(tmp_path / "index", make_film(video, **film_rows))
    with serve(tmp_path / "index") as url:
        page.goto(f"{url}/video/{video.video_id}")
        page.get_by_text("This browser cannot play the file.").wait_for()
        page.locator("#scene-list").get_by_role("link", name="The bright end").click()
        assert page.locator("#still").get_attribute("src") == f"/picture/{video.video_id}/8000"
