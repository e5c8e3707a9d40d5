"""The page: one file, safe whatever the videos are called."""

import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from jobs.reports.report.content import read_report
from jobs.reports.report.page import read_tiles, report_page
from jobs.reports.report.period import find_period
from jobs.reports.report.plots import (
    Series,
    growing_areas,
    share_columns,
    stacked_columns,
    time_ticks,
    value_ticks,
)
from jobs.ui.next_command import IndexPlace
from schemas.commit import RunRecord
from schemas.tables import Attempt, Keyframe, Run
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.objects.store import open_store
from storage.query.catalog import open_catalog

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnp.exe\u202c",
    "\x1b]0;pwned\x07\x00",
    "x" * 10_000,
    "",
]


class Tags(HTMLParser):
    """Every tag with its attributes, and all text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture
def make_page():
    """`make_page(folder, since=None)`: the page of an index."""

    def make(folder, since=None):
        with open_catalog(str(folder)) as catalog:
            period = find_period(catalog, None, since)
            report = read_report(catalog, open_store(str(folder), None), period, IndexPlace(str(folder)))
            return report_page(report, read_tiles(catalog, period))

    return make


@pytest.mark.parametrize("since", [None, "2026-11-20"])
def test_the_page_needs_nothing_else(three_nights, make_page, since):
    """No script, no link, pictures inside; and its policy forbids the browser to fetch anything."""
    page = make_page(three_nights, since)
    tags = Tags(page)
    assert not {tag for tag, _ in tags.found} & {"script", "link", "iframe", "object", "form", "base"}
    sources = [attrs["src"] for _, attrs in tags.found if "src" in attrs]
    assert sources
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    [policy] = [attrs["content"] for _, attrs in tags.found if "http-equiv" in attrs]
    assert policy.startswith("default-src 'none'")
    assert "url(" not in page
    assert "@import" not in page


def test_every_section_is_there(three_nights, make_page):
    """Those that a person on call looks for."""
    headings = re.findall(r"<h2>([^<]*)", make_page(three_nights))
    assert [heading.strip() for heading in headings] == [
        "To do",
        "Videos over time",
        "GPU busy",
        "Why they were planned",
        "Where the seconds went",
        "What went wrong",
        "Slowest videos",
        "Machines",
        "Set aside",
        "Recipes",
        "Newest videos",
    ]


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_stay_text(tmp_path, make_row, make_bundle, make_page, name):
    """Wherever a video, machine, model or message is named: no tag, no attribute, no control character."""
    index = open_index(str(tmp_path), create=True)
    good = make_bundle(f"s3://b/{name}.mp4", titles=(name[:100] or "…",), title=name)
    bad = make_bundle(f"s3://b/2{name}.mp4", is_quarantined=True)
    for bundle in (good, bad):
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    attempt = make_row(
        Attempt,
        run_id="r",
        uri=name,
        node=name,
        device=name,
        code=name,
        fingerprint=name,
        failure_class="bug",
        plan_reason=name,
        stage=name,
        outcome="quarantined",
        prefill_seconds=1.0,
        peak_memory_bytes=1,
    )
    run = make_row(Run, run_id="r", library=name, model_id=name, settings_json=name, num_planned=1)
    keys = [(b.commit.video_id, b.commit.analysis_key) for b in (good, bad)]
    index.publish(keys, [RunRecord(run=run, attempts=(attempt,))])
    page = make_page(tmp_path)
    tags = Tags(page)
    assert not [tag for tag, attrs in tags.found if tag in ("script", "img") or "onerror" in attrs]
    assert not [attrs for _, attrs in tags.found if any(key.startswith("on") for key in attrs)]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u2028-\u202e\u2066-\u2069]", page)
    assert max(len(text) for text in tags.text if "media-index" not in text and "--ground" not in text) < 400
    shown = re.sub("[\x00\x07\x1b\u202c\u202e]", "", name[:200])
    assert shown in "".join(tags.text)


@pytest.mark.parametrize(
    ("media_type", "image", "is_shown"),
    [
        ("image/jpeg", b"\xff\xd8\xff\xe0", True),
        ("image/jpeg", b"<svg onload=alert(1)>", False),
        ("text/html", b"<script>alert(1)</script>", False),
        ("image/jpeg", b"", False),
        ("image/jpeg", b"\xff\xd8" + bytes(200_000), False),
        (None, b"", False),
    ],
    ids=["good", "no JPEG", "no picture", "empty", "too large", "none stored"],
)
def test_only_pictures_are_shown_as_pictures(
    tmp_path, make_row, make_bundle, make_page, media_type, image, is_shown
):
    """Anything else leaves a blank, and the page as small as it is."""
    index = open_index(str(tmp_path), create=True)
    bundle = make_bundle()
    ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key", "run_id")}
    stored = make_row(
        Keyframe, table_name="scenes", row_index=0, media_type=media_type or "", image=image, **ids
    )
    bundle = bundle.model_copy(update={"keyframes": (stored,) if media_type else ()})
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    page = make_page(tmp_path)
    assert ("<img" in page) == is_shown
    assert ("no picture stored" in page) != is_shown
    assert len(page) < 60_000


def test_an_empty_index_makes_a_page(tmp_path, make_page):
    """It says that there is nothing yet."""
    open_index(str(tmp_path), create=True)
    assert "no run has been recorded" in make_page(tmp_path)
    assert "0 runs" in make_page(tmp_path, "2026-11-20")


def test_the_newest_videos_are_those_of_the_period(tmp_path, draw_nights):
    """24 of them at most, each once."""
    nights = draw_nights(tmp_path / "index")
    first = nights.night(0, 30)
    nights.night(1, 3)
    with open_catalog(str(tmp_path / "index")) as catalog:
        tiles = read_tiles(catalog, find_period(catalog, first, None))
        in_run = {row[0] for row in catalog.query("SELECT uri FROM videos WHERE run_id = ?", [first]).rows}
    assert len({tile.uri for tile in tiles}) == len(tiles) == 24
    assert {tile.uri for tile in tiles} <= in_run


@pytest.mark.parametrize("top", [0, 1, 2, 3, 7, 40, 99, 150, 1000, 12_345, 10**9])
def test_axes_have_few_round_numbers_and_reach_the_top(top):
    """From 0, evenly."""
    ticks = value_ticks(top)
    assert ticks[0] == 0
    assert ticks[-1] >= top
    assert 2 <= len(ticks) <= 5
    assert str(int(ticks[1])).strip("0") in ("1", "2", "5")


def test_plots_draw_what_they_are_given():
    """Heights follow the values on the axis's scale; nothing is drawn where there is nothing."""
    times = [datetime(2026, 11, 21, 22, tzinfo=UTC) + timedelta(hours=n) for n in range(4)]
    columns = stacked_columns(
        [Series("indexed", (0, 4, 2, 0)), Series("partial", (0, 0, 1, 0))], times, "a & b"
    )
    heights = [float(height) for height in re.findall(r'<rect[^>]* height="([\d.]+)"', columns)]
    assert heights == [200, 100, 50]
    assert 'aria-label="a &amp; b"' in columns
    areas = growing_areas(
        [Series("indexed", (1, 1, 1, 1)), Series("partial", (0, 0, 0, 0))], times, "", goal=8
    )
    assert areas.count("<polygon") == 1
    assert 'points="0.00,200.00 250.00,175.00 500.00,150.00 750.00,125.00 1000.00,100.00' in areas
    shares = share_columns("busy", (0.5, 2.0, -1.0, 0), times, "")
    assert re.findall(r'<rect[^>]* height="([\d.]+)"', shares) == ["100.00", "200.00", "0.00", "0.00"]
    assert [text for _, text in time_ticks(times)] == ["22:00", "23:00", "Nov 22", "01:00"]
