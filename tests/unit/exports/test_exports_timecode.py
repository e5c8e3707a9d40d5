"""Timecode: every picture has one label, and it is the right one."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from opentimelineio.opentime import RationalTime, from_timecode

from jobs.exports.timecode import RATES, timecode_of, to_frame
from videoxl2.timecode import close_dropped, parse_label, skip_dropped

FILM, NTSC, FAST = Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)
DAY_S = 86_400
COUNTINGS = [(rate, ":") for rate in RATES] + [(NTSC, ";"), (FAST, ";")]


def _frames_a_day(rate: Fraction, mark: str) -> int:
    return {(NTSC, ";"): 2_589_408, (FAST, ";"): 5_178_816}.get((rate, mark), DAY_S * round(rate))


@pytest.mark.parametrize(
    ("rate", "frame", "label"),
    [
        (NTSC, 0, "00:00:00;00"),
        (NTSC, 1799, "00:00:59;29"),
        (NTSC, 1800, "00:01:00;02"),
        (NTSC, 17_981, "00:09:59;29"),
        (NTSC, 17_982, "00:10:00;00"),
        (NTSC, 107_892, "01:00:00;00"),
        (NTSC, 2_589_407, "23:59:59;29"),
        (NTSC, 2_589_408, "00:00:00;00"),
        (FAST, 3600, "00:01:00;04"),
        (FAST, 35_964, "00:10:00;00"),
        (FILM, 1440, "00:01:00:00"),
        (FILM, 24 * DAY_S, "00:00:00:00"),
        (Fraction(25), 90_001, "01:00:00:01"),
    ],
)
def test_known_labels(rate, frame, label):
    """Drop-frame at 29.97 and 59.94 leaves out numbers, 23.976 never does; after a day it starts again."""
    assert timecode_of(rate, False, None).label(frame) == label


@pytest.mark.parametrize("per_second", [30, 60])
def test_drop_frame_counts_every_picture_of_a_day_once(per_second):
    """All pictures of 24 hours, there and back; exactly the numbers that SMPTE drops are never shown."""
    frames: Any = np.arange(close_dropped(DAY_S * per_second, per_second))
    shown = skip_dropped(frames, per_second)
    assert np.array_equal(close_dropped(shown, per_second), frames)
    everything = np.arange(DAY_S * per_second)
    second, frame = everything // per_second, everything % per_second
    is_dropped = (second % 60 == 0) & (second // 60 % 10 != 0) & (frame < per_second // 15)
    assert np.array_equal(shown, everything[~is_dropped])


@pytest.mark.parametrize(("rate", "mark"), COUNTINGS)
def test_labels_are_those_of_opentimelineio(rate, mark):
    """Around every minute of a day and at random, in both directions."""
    timecode = timecode_of(rate, False, f"00:00:00{mark}00")
    # OpenTimelineIO starts again after 24 hours on the wall, when 29.97 non-drop is at 23:58:33:18.
    last = min(_frames_a_day(rate, mark), int(DAY_S * rate))
    minutes = [minute * last // 1440 + off for minute in range(1440) for off in (-3, -2, -1, 0, 1, 2, 3)]
    sample = np.random.default_rng(0).integers(0, last, 2000).tolist()
    for frame in (f for f in (*minutes, *sample) if 0 <= f < last):
        label = timecode.label(frame)
        assert label == RationalTime(frame, float(rate)).to_timecode(float(rate), mark == ";")
        assert parse_label(label, round(rate), mark == ";") == frame
        assert from_timecode(label, float(rate)).value == frame


@pytest.mark.parametrize("rate", RATES)
def test_whole_milliseconds_give_back_each_picture_of_a_day(rate):
    """A picture's time may be rounded to ms, up or down: its number stays."""
    frames: Any = np.arange(DAY_S * round(rate), dtype=np.int64)
    exact = frames * 1000 * rate.denominator
    for ms in (exact // rate.numerator, -(-exact // rate.numerator)):
        assert np.array_equal(to_frame(ms, rate), frames)


def test_a_start_timecode_is_where_labels_begin():
    """The file decides on drop-frame; the first picture has the start timecode itself."""
    drop, non_drop = (timecode_of(NTSC, False, text) for text in ("00:59:59;29", "00:59:59:29"))
    assert [drop.source_label(n) for n in (0, 1, 1801)] == ["00:59:59;29", "01:00:00;00", "01:01:00;02"]
    assert [non_drop.source_label(n) for n in (0, 1, 1801)] == ["00:59:59:29", "01:00:00:00", "01:01:00:00"]
    assert drop.notes == non_drop.notes == ()


def test_timecode_runs_past_midnight():
    """A tape that starts before midnight goes on at zero."""
    assert timecode_of(Fraction(25), False, "23:59:59:24").source_label(1) == "00:00:00:00"
    assert timecode_of(NTSC, False, "23:59:59;29").source_label(1) == "00:00:00;00"


def test_a_rate_written_in_decimals_is_the_rate_it_means():
    """2997/100 is labelled as 29.97, and its pictures are still counted as the file has them."""
    timecode = timecode_of(Fraction(2997, 100), False, None)
    assert (timecode.label_rate, timecode.rate, timecode.is_drop_frame) == (NTSC, Fraction(2997, 100), True)
    assert timecode_of(Fraction(2398, 100), False, None).label_rate == FILM


@pytest.mark.parametrize(
    ("fps", "is_vfr", "label_rate"),
    [
        (Fraction(2951, 100), True, NTSC),
        (Fraction(25), True, Fraction(25)),
        (Fraction(25, 2), False, Fraction(25)),
        (Fraction(15), False, Fraction(30)),
        (Fraction(120), False, Fraction(60)),
        (Fraction(1, 10), False, Fraction(24)),
    ],
)
def test_what_has_no_timecode_of_its_own_is_counted_at_a_rate_that_has_and_says_so(fps, is_vfr, label_rate):
    """Variable and odd rates get the nearest rate, a multiple where there is one."""
    timecode = timecode_of(fps, is_vfr, None)
    assert timecode.rate == timecode.label_rate == label_rate
    assert len(timecode.notes) == 1


@pytest.mark.parametrize(
    "text",
    ["00:01:00;00", "00:00:00:30", "24:00:00;00", "00:60:00;00", "00:00:60;00", "later", "²0:00:00;00"],
)
def test_a_start_timecode_that_cannot_be_is_not_believed(text):
    """Counted from zero, and the note names it."""
    timecode = timecode_of(NTSC, False, text)
    assert timecode.start == 0
    assert ascii(text) in timecode.notes[0]


@pytest.mark.parametrize(
    ("fps", "track_rate", "label_rate"),
    [
        (Fraction(50), Fraction(25), Fraction(25)),
        (Fraction(120), Fraction(60), Fraction(60)),
        (Fraction(60000, 1001), NTSC, NTSC),
        (Fraction(5994, 100), Fraction(2997, 100), NTSC),
    ],
)
def test_a_timecode_of_half_the_rate_labels_pairs_of_pictures(fps, track_rate, label_rate):
    """Both pictures of a pair have one label, over hours; the note says so."""
    timecode = timecode_of(fps, False, "10:00:00:20", track_rate)
    assert (timecode.rate, timecode.label_rate) == (fps, label_rate)
    for picture in (0, 1, 2, 3, 4, 99, 100, 101, 360_000, 360_001):
        first, _ = timecode.span(round(picture * 1000 / fps), 10**9)
        assert first == picture // 2
    assert timecode.source_label(0) == "10:00:00:20"
    assert timecode.source_label(1) == "10:00:00:21"
    assert len(timecode.notes) == 1
    assert "one may stand for several pictures" in timecode.notes[0]


def test_a_timecode_beside_pictures_of_varying_length_is_the_files_own():
    """A phone's film of 29.6 on average under timecode of 30: labels are those of 30."""
    timecode = timecode_of(Fraction(2960, 100), True, "01:00:00:00", Fraction(30))
    assert (timecode.label_rate, timecode.is_drop_frame) == (Fraction(30), False)
    assert timecode.source_label(timecode.span(2000, 3000)[0]) == "01:00:02:00"
    assert len(timecode.notes) == 1


def test_a_timecode_of_the_pictures_own_rate_needs_no_note():
    """The usual camera."""
    assert timecode_of(NTSC, False, "01:00:00;00", NTSC) == timecode_of(NTSC, False, "01:00:00;00")
    assert timecode_of(NTSC, False, "01:00:00;00", NTSC).notes == ()


def test_a_moment_lasts_a_picture_at_least():
    """Also one that is shorter than half a picture."""
    assert timecode_of(Fraction(25), False, None).span(1000, 1010) == (25, 26)
