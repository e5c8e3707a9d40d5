"""Edit lists and OTIO, read back by OpenTimelineIO as an editing system would."""

import re
from dataclasses import replace
from fractions import Fraction

import opentimelineio as otio
import pytest

from jobs.exports.edl import MAX_EVENTS, reel_name, to_edl
from jobs.exports.moments import Moment
from jobs.exports.one_line import one_line
from jobs.exports.otio import to_otio
from videoxl2.timecode import parse_label

# Numerator, denominator, start timecode.
SOURCES = [
    (24000, 1001, "01:00:00:00"),
    (25, 1, "10:00:00:00"),
    (30000, 1001, "00:59:58;28"),
    (30000, 1001, "01:00:00:00"),
    (60000, 1001, "09:59:59;59"),
    (60000, 1001, None),
]
FRAMES = [(0, 1), (29, 61), (61, 1800), (1800, 1802), (17_981, 17_983)]


def _at(frame, rate):
    return round(frame / rate * 1000)


@pytest.fixture(params=SOURCES, ids=lambda p: f"{p[0]}-{p[2]}")
def filmed(request, source, make_moments):
    """A film of one rate with scenes at known pictures."""
    num, den, start = request.param
    rate = Fraction(num, den)
    spans = [(_at(first, rate), _at(end, rate), f"Scene at {first}") for first, end in FRAMES]
    film = source.model_copy(
        update={"fps_num": num, "fps_den": den, "start_timecode": start, "duration_ms": _at(18000, rate)}
    )
    return film, make_moments(*spans, kind="highlights")


def _events(edl):
    return re.findall(r"^(\d{3,})  (\S+) +V     C        (\S+) (\S+) (\S+) (\S+)$", edl, re.MULTILINE)


def test_events_name_exactly_their_pictures(filmed):
    """Source side: the file's own timecode. Record side: from one hour, back to back. Out is exclusive."""
    film, moments = filmed
    (edl,) = to_edl(film, moments)
    per_second, is_drop = round(film.timecode.label_rate), film.timecode.is_drop_frame
    assert f"FCM: {'' if is_drop else 'NON-'}DROP FRAME\n" in edl

    def number(label):
        return parse_label(label, per_second, is_drop)

    start = number(film.start_timecode) if film.start_timecode else 0
    record = number("01:00:00:00")
    for (first, end), event in zip(FRAMES, _events(edl), strict=True):
        assert [number(label) - start for label in event[2:4]] == [first, end]
        assert [number(label) - record for label in event[4:]] == [0, end - first]
        record += end - first


def test_opentimelineio_reads_the_same_cut(filmed):
    """The CMX3600 adapter finds the same clips, markers included where it reads them.

    It passes over locators whose timecode is drop-frame.
    """
    film, moments = filmed
    (edl,) = to_edl(film, moments)
    rate = float(film.timecode.label_rate)
    (track,) = otio.adapters.read_from_string(edl, "cmx_3600", rate=rate).tracks
    for clip, (first, end), moment in zip(track, FRAMES, moments, strict=True):
        assert round(clip.source_range.start_time.value) == film.timecode.start + first
        assert round(clip.source_range.duration.value) == end - first
        assert (clip.name, clip.metadata["cmx_3600"]["reel"]) == ("Night Walk #2.mov", "NIGHTWAL")
        assert [m.name for m in clip.markers] == ([] if film.timecode.is_drop_frame else [moment.name])


def test_shots_are_cuts_without_a_model(source):
    """Named by number, with what they begin with; nobody is said to have described them."""
    begins = [(0, None), (2000, "cut"), (5000, "dissolve")]
    shots = [
        Moment("shots", n, start, start + 1000, "", "", kind, None, None, None, None, None)
        for n, (start, kind) in enumerate(begins, 1)
    ]
    (edl,) = to_edl(source, shots)
    assert re.findall(r"^\* LOC: \S+ BLUE +(.*)$", edl, re.MULTILINE) == ["Shot 1", "Shot 2", "Shot 3"]
    assert re.findall(r"^\* BEGINS WITH: (.*)$", edl, re.MULTILINE) == ["cut", "dissolve"]
    assert ("MODEL" in edl, "CONFIDENCE" in edl) == (False, False)
    (clip,) = otio.adapters.read_from_string(to_otio(source, shots), "otio_json").find_clips()
    assert [marker.name for marker in clip.markers] == ["Shot 1", "Shot 2", "Shot 3"]
    assert clip.markers[2].metadata["media_index"]["category"] == "dissolve"


def test_no_text_becomes_a_command(source, hostile):
    """Whatever titles hold, an event has one clip name and one marker, and no line of its own making."""
    (edl,) = to_edl(source, hostile)
    assert len(_events(edl)) == len(hostile)
    kinds = {line.split(":")[0] for line in edl.splitlines() if line.startswith("*")}
    once = {"* SOURCE FILE", "* RECIPE", "* MODEL"}
    assert kinds == {"* FROM CLIP NAME", "* LOC", "* COMMENT", "* CONFIDENCE"} | once
    assert edl.count("\n* FROM CLIP NAME: Night Walk #2.mov\n") == len(hostile)
    (track,) = otio.adapters.read_from_string(edl, "cmx_3600", rate=25).tracks
    assert [len(clip.markers) for clip in track] == [1] * len(hostile)
    assert [c.markers[0].name for c in track][:3] == [m.name for m in hostile][:3]
    assert max(map(len, edl.splitlines())) < 260


def test_editors_are_told_of_the_model_and_of_labels_that_are_approximate(source, make_moments):
    """50 pictures a second under timecode of 25, described by the model that knows drawn films only."""
    rates = {"fps_num": 50, "timecode_fps_num": 25, "timecode_fps_den": 1, "start_timecode": "10:00:00:20"}
    film = source.model_copy(
        update={"model_id": "small", "model_revision": "abc", "player_start_ms": 3000, **rates}
    )
    moments = [
        replace(moment, model_id="small", model_revision="abc")
        for moment in make_moments((1020, 2000, "From an odd picture"))
    ]
    (edl,) = to_edl(film, moments)
    assert "10:00:01:20 10:00:02:20 01:00:00:00 01:00:01:00" in edl
    clip = otio.adapters.read_from_string(to_otio(film, moments), "otio_json").tracks[0][0]
    assert clip.source_range.start_time.to_timecode() == "10:00:00:20"
    notes = clip.metadata["media_index"]["notes"]
    for words in ("timecode at 25; labels are", "The model small understands drawn films"):
        assert words in edl
        assert sum(words in note for note in notes) == 1
    assert "* MODEL: small, revision abc" in edl


def test_more_events_than_a_list_holds_are_several_lists(source, make_moments):
    """Each begins at event 001; the record side goes on where the list before ended."""
    moments = make_moments(*((n * 1000, n * 1000 + 1000, f"S{n}") for n in range(2 * MAX_EVENTS + 1)))
    lists = [_events(text) for text in to_edl(source, moments)]
    assert [len(events) for events in lists] == [MAX_EVENTS, MAX_EVENTS, 1]
    assert [(e[0][0], e[-1][0]) for e in lists] == [("001", "999"), ("001", "999"), ("001", "001")]
    assert lists[1][0][4] == lists[0][-1][5]
    assert lists[2][0][4] == lists[1][-1][5]
    assert to_edl(source, moments)[1].startswith("TITLE: A night walk 2 of 3\n")


@pytest.mark.parametrize(
    ("uri", "reel"),
    [
        ("/v/A001_C002_0101AB.mov", "A001_C00"),
        ("/v/été à paris.mp4", "ETEAPARI"),
        ("/v/東京.mp4", "01234567"),
        ("/v/.mov", "MOV"),
    ],
)
def test_reel_names_are_eight_plain_characters(source, uri, reel):
    """Without accents and spaces; from the id where nothing is left."""
    assert reel_name(source.model_copy(update={"uri": uri})) == reel


def test_a_varying_rate_is_said_in_the_list(source, make_moments):
    """Editing systems need a constant rate; the editor learns which one was taken."""
    (edl,) = to_edl(
        source.model_copy(update={"fps_num": 2951, "fps_den": 100, "is_vfr": True}),
        make_moments((0, 1000, "A")),
    )
    assert "* The file has a varying frame rate (mean 29.510); pictures are counted at 29.97.\n" in edl


def test_markers_come_back_from_otio(filmed):
    """Media range, markers, colour and lineage, in the file's own timecode."""
    film, moments = filmed
    timeline = otio.adapters.read_from_string(to_otio(film, moments), "otio_json")
    (clip,) = timeline.find_clips()
    assert clip.media_reference.target_url == "s3://films/2026/Night%20Walk%20%232.mov"
    whole = clip.media_reference.available_range
    assert (whole.start_time.value, whole.duration.value) == (film.timecode.start, 18_000)
    assert timeline.global_start_time == whole.start_time == clip.source_range.start_time
    if film.start_timecode:
        assert whole.start_time.to_timecode() == film.start_timecode or not film.timecode.is_drop_frame
    for marker, (first, end), moment in zip(clip.markers, FRAMES, moments, strict=True):
        assert marker.marked_range.start_time.value == film.timecode.start + first
        assert marker.marked_range.end_time_exclusive().value == film.timecode.start + end
        assert (marker.name, marker.color, marker.comment) == (moment.name, "RED", moment.text)
        assert marker.metadata["media_index"]["confidence"] == moment.confidence
    assert clip.metadata["media_index"]["recipe_id"] == film.recipe_id


def test_otio_holds_any_text(source, hostile):
    """Names and comments on one line, and nothing of the texts lost."""
    (clip,) = otio.adapters.read_from_string(to_otio(source, hostile), "otio_json").find_clips()
    assert [marker.name for marker in clip.markers] == [m.name for m in hostile]
    assert [marker.comment for marker in clip.markers] == [one_line(m.text) for m in hostile]
