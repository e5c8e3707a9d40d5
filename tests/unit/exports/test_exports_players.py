"""WebVTT and SubRip, read back by parsers of their own."""

import html
import io
import re
from dataclasses import replace

import pytest
import srt
import webvtt

from jobs.exports.one_line import one_line
from jobs.exports.subrip import to_subrip
from jobs.exports.thumbnails import Sheet, to_thumbnail_track
from jobs.exports.webvtt import to_webvtt


def _ms(clock: str) -> int:
    hours, minutes, rest = clock.split(":")
    return round((int(hours) * 3600 + int(minutes) * 60 + float(rest)) * 1000)


def test_every_chapter_comes_back(source, hostile):
    """Times to the millisecond and titles to the letter, whatever is in them; on one line each."""
    captions = webvtt.from_buffer(io.StringIO(to_webvtt(source, hostile))).captions
    assert [(_ms(c.start), _ms(c.end)) for c in captions] == [(m.start_ms, m.end_ms) for m in hostile]
    assert [html.unescape(c.raw_text) for c in captions] == [m.name for m in hostile]
    assert [c.identifier for c in captions] == [str(m.number) for m in hostile]


def test_no_title_can_open_a_tag_or_end_a_cue(source, hostile):
    """Outside of the timing lines there is no `<`, no `>` and no bare `&`."""
    text = to_webvtt(source, hostile)
    assert text.count("-->") == len(hostile)
    payload = re.sub(r"\n[0-9:.]+ --> [0-9:.]+\n", "\n", text)
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", payload)


def test_a_long_film_has_hours_and_an_instant_is_a_millisecond(source, make_moments):
    """Hours may pass 99; a cue has to end after it starts."""
    text = to_webvtt(source, make_moments((360_000_001, 360_000_001, "Late")))
    assert "100:00:00.001 --> 100:00:00.002" in text


@pytest.mark.parametrize(
    ("columns", "start"),
    [
        ({"player_start_ms": 3000, "container_start_ms": 3000}, "00:00:03.000"),
        ({"player_start_ms": 11, "container_start_ms": 90_011}, "00:00:00.011"),
        ({"container": "mp4", "container_start_ms": 3000}, "00:00:03.000"),
        ({"container": "mp4", "container_start_ms": -40}, "00:00:00.000"),
        ({"container": "mpegts", "container_start_ms": 36_000_000}, "00:00:00.000"),
    ],
)
def test_times_are_on_the_players_clock(source, make_moments, columns, start):
    """Where the picture begins later than the film; also of rows that do not say when players begin."""
    film, moments = source.model_copy(update=columns), make_moments((0, 8000, "All of it"))
    assert f"{start} --> 00:00:{8 + int(start[6:8]):02}.{start[9:]}" in to_webvtt(film, moments)
    assert f"{start} --> ".replace(".", ",") in to_subrip(film, moments)


def test_chapters_name_the_model_and_say_what_small_is(source, make_moments):
    """In notes, which players leave out; of all models that wrote some of it."""
    moments = make_moments((0, 1000, "A"), (1000, 2000, "B"))
    moments[1] = replace(moments[1], model_id="small", model_revision="abc")
    text = to_webvtt(source, moments)
    assert "NOTE by model Video-XL-2, r1\n\nNOTE by model small, abc\n\n" in text
    assert "NOTE The model small understands drawn films like the demo's, nothing else" in text
    assert len(webvtt.from_buffer(io.StringIO(text)).captions) == 2
    assert "small" not in to_webvtt(source, moments[:1])


def test_nothing_found_is_still_a_file(source):
    """No chapters, no subtitles."""
    assert webvtt.from_buffer(io.StringIO(to_webvtt(source, []))).captions == []
    assert to_subrip(source, []) == ""


def test_every_subtitle_comes_back(source, hostile):
    """Title and text, one line each, with look-alikes for what SubRip cannot escape."""
    found = list(srt.parse(to_subrip(source, hostile)))
    assert [_ms(str(s.start)) for s in found] == [m.start_ms for m in hostile]
    assert [_ms(str(s.end)) for s in found] == [m.end_ms for m in hostile]
    assert [s.index for s in found] == [m.number for m in hostile]
    swap = str.maketrans("<>{}", "‹›()")
    assert [s.content for s in found] == [
        "\n".join(filter(None, (m.name, one_line(m.text)))).translate(swap) for m in hostile
    ]


def test_thumbnails_come_back_from_webvtt(source):
    """Each tile where it lies on the sheet, on the player's clock; the last one ends with the film."""
    sheet = Sheet(12, 10, 160, 90, 5200, b"")
    track = webvtt.from_buffer(io.StringIO(to_thumbnail_track(source, sheet, "night walk.jpg")))
    places = [one.text for one in track.captions]
    assert places[0] == "night%20walk.jpg#xywh=0,0,160,90"
    assert places[9:] == [f"night%20walk.jpg#xywh={x},{y},160,90" for x, y in ((1440, 0), (0, 90), (160, 90))]
    assert [_ms(one.start) for one in track.captions] == [n * 5200 for n in range(12)]
    assert [_ms(one.end) for one in track.captions[-2:]] == [57_200, 60_000]
    later = source.model_copy(update={"player_start_ms": 2000})
    first = webvtt.from_buffer(io.StringIO(to_thumbnail_track(later, sheet, "a"))).captions[0]
    assert (first.start, first.end) == ("00:00:02.000", "00:00:07.200")
