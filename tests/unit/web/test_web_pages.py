"""What the pages show, and that nothing in an index or an address can harm who looks at them."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from schemas.commit import Bundle
from schemas.identity import VideoObject

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; DROP TABLE videos; --",
    "{{ 7 * 7 }} {% raw %}",
    "\u202egnp.exe \u2067 שלום",
    "\x00\x07\x1b[2J\x85",
    "👩‍👩‍👧‍👦 é 東京",
    "x" * 10_000,
    "javascript:alert(1)",
]


class _Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _assert_harmless(html: str) -> None:
    for tag, attributes in _Tags(html).found:
        assert tag != "script" or (attributes.get("src") or "").startswith("/static/")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            assert re.match(r"[/?#]|$", attributes.get(name) or ""), attributes
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", html)


def test_start_page_says_what_is_there(site: Any) -> None:
    """Totals, frequent tags and the videos."""
    page = site.client.get("/").text
    assert "Animals" in page
    assert 'href="/?tag=dog"' in page
    assert f"/video/{site.ids['animals.mp4']}" in page


def test_hits_link_to_their_moment_and_mark_the_words(site: Any) -> None:
    """The link of a scene carries its start, and the word that was searched stands out."""
    page = site.client.get("/", params={"q": "waits"}).text
    assert f'href="/video/{site.ids["animals.mp4"]}?t=1.5"' in page
    assert "<mark>waits</mark>" in page


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        ({"q": "dog cat", "tag": "DOG"}, {"A dog runs"}),
        ({"q": "dog cat jump", "kind": "highlights"}, {"The jump"}),
        ({"kind": "scenes"}, {"A dog runs", "A cat waits"}),
        ({"tag": "cat"}, {"A cat waits"}),
        ({"q": "cat", "since": "2100-01-01"}, set()),
    ],
)
def test_filters_let_through_what_they_say(site: Any, filters: dict[str, str], titles: set[str]) -> None:
    """Kind, tag and date, with words and without."""
    params = filters | {"video": "animals.mp4"}
    hits = site.client.get("/api/search", params=params).json()["hits"]
    assert {hit["title"] for hit in hits} == titles


def test_filters_that_fit_nothing_offer_a_way_out(site: Any) -> None:
    """The empty page links to the same search without filters."""
    page = site.client.get("/", params={"q": "cat", "since": "2100-01-01"}).text
    assert "Nothing found" in page
    assert 'href="/?q=cat"' in page


@pytest.mark.parametrize(
    "filters",
    [{"tag": "dgo"}, {"video": "other.mp4"}, {"kind": "poems"}],
    ids=lambda filters: next(iter(filters)),
)
def test_filters_that_name_nothing_are_told_with_a_way_out(site: Any, filters: dict[str, str]) -> None:
    """What is unknown, and a link to the same search without filters."""
    answer = site.client.get("/", params={"q": "cat", **filters})
    assert answer.status_code == 400
    assert next(iter(filters.values())) in answer.text
    assert 'href="/?q=cat"' in answer.text


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_queries_are_harmless(site: Any, text: str) -> None:
    """Whatever is typed or linked comes back as text, in every field, with words found or a message."""
    for field in ("q", "tag", "video", "since", "kind", "page"):
        answer = site.client.get("/", params={field: text})
        assert answer.status_code in (200, 400)
        _assert_harmless(answer.text)
        if text.startswith("{{") and field in ("q", "tag", "video"):
            assert "{{ 7 * 7 }}" in answer.text  # shown, not computed


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_rows_are_harmless(
    tmp_path: Path,
    text: str,
    make_film: Callable[..., Bundle],
    add_films: Callable[..., None],
    open_site: Any,
) -> None:
    """A title, a tag, a label or a name in the index stays text on every page that shows it."""
    cut = text[:100].strip()  # of an answer; what a file says of itself has no bound
    video = VideoObject(f"/films/{text.replace('/', '')}.mp4", 1, 1)
    film = make_film(
        video,
        scenes=[
            {"start_ms": 0, "end_ms": 9, "title": cut, "summary": cut, "tags": [cut], "character_ids": ["C1"]}
        ],
        characters={"C1": cut},
        highlights=[{"start_ms": 0, "end_ms": 9, "title": cut, "reason": cut}],
        title=text,
        summary=text,
        duration_ms=9,
        warnings=[text],
    )
    add_films(tmp_path / "index", film)
    with open_site(tmp_path / "index") as client:
        for address in ("/", "/?kind=scenes", f"/video/{video.video_id}", f"/media/{video.video_id}"):
            _assert_harmless(client.get(address).text)
        scene = client.get(f"/api/videos/{video.video_id}").json()["scenes"][0]
    assert scene["title"] == cut


@pytest.mark.parametrize(
    ("t", "start"),
    [
        ("1.5", 1500),
        ("0", 0),
        ("1e3", 0),
        ("-1", 0),
        ("nan", 0),
        ("<b>", 0),
        ("99999", 2999),
        ("٣", 0),
        ("", 0),
    ],
)
def test_the_moment_in_the_address_is_checked(site: Any, t: str, start: int) -> None:
    """Seconds inside the video; nonsense is the start."""
    page = site.client.get(f"/video/{site.ids['animals.mp4']}", params={"t": t}).text
    assert f'data-start="{start}"' in page


def test_video_page_shows_every_row_with_its_origin(site: Any) -> None:
    """Scenes, characters and highlights, each with model and run; the timeline has a lane for each."""
    page = site.client.get(f"/video/{site.ids['animals.mp4']}").text
    for text in ("A dog runs", "A cat waits", "the dog", "The jump", "Animals"):
        assert text in page
    assert page.count("20261121T081502Z-4f9c1b") == 5
    assert re.findall(r'class="lane" data-tint="(\w+)"', page) == ["scenes", "highlights", "hue0"]


def test_video_that_is_gone_keeps_its_page(site: Any) -> None:
    """The rows stay readable; the page says why there is no player."""
    answer = site.client.get(f"/video/{site.ids['gone.mp4']}")
    assert answer.status_code == 200
    assert "gone.mp4: not found" in answer.text
    assert "<video" not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/video/0000000000000000",
        "/video/..%2F..%2Fetc%2Fpasswd",
        "/video/' OR 1=1",
        "/media/0000000000000000",
        "/media/%2Fetc%2Fpasswd",
        "/picture/0000000000000000/1",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/nothing",
    ],
)
def test_addresses_that_lead_nowhere_are_404(site: Any, path: str) -> None:
    """With a page that says so and leads back."""
    answer = site.client.get(path)
    assert answer.status_code == 404
    assert "Back to the search" in answer.text


def test_only_reading_is_answered(site: Any) -> None:
    """GET and HEAD."""
    assert site.client.head("/").status_code == 200
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert site.client.request(method, "/").status_code == 405


def test_long_results_are_leafed_through(
    tmp_path: Path, make_film: Callable[..., Bundle], add_films: Callable[..., None], open_site: Any
) -> None:
    """Each page begins where the one before ended, and the last one offers no more."""
    scenes = [
        {"start_ms": n, "end_ms": n + 1, "title": f"Dog number{n}", "character_ids": []} for n in range(30)
    ]
    add_films(tmp_path / "index", make_film(VideoObject("/a.mp4", 1, 1), scenes=scenes, duration_ms=30))
    with open_site(tmp_path / "index") as client:
        pages = [client.get("/", params={"q": "dog", "page": page}).text for page in ("0", "1")]
    titles = [re.findall(r"number\d+", page) for page in pages]
    assert [len(found) for found in titles] == [24, 6]
    assert len({*titles[0], *titles[1]}) == 30
    assert ["More</a>" in page for page in pages] == [True, False]
