"""A long video in windows, and the seams between them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.answers.windows import Seam, cut_windows, seams_of
from schemas.answers import Moments, Tiles, TimedAnswer


class Tile(TimedAnswer):
    layout = Tiles(at_most=9, usual_s=8, shortest_s=1)


class Moment(TimedAnswer):
    layout = Moments(at_most=9, longest_s=60)


def tiles(*borders_s: int) -> list[TimedAnswer]:
    return [Tile(start_ms=a * 1000, end_ms=b * 1000) for a, b in itertools.pairwise(borders_s)]


def moment(start_s: int, end_s: int) -> Moment:
    return Moment(start_ms=start_s * 1000, end_ms=end_s * 1000)


def test_windows_are_alike_and_meet_at_sampled_times():
    """No short rest at the end, no time lost, borders where the model saw a picture."""
    times = range(0, 100_000, 700)
    for window_ms in (10_000, 17_000, 33_000, 49_000, 60_000):
        windows = cut_windows((0, 100_000), window_ms, times)
        assert windows[0][0] == 0
        assert windows[-1][1] == 100_000
        assert all(a[1] == b[0] and a[1] in times for a, b in itertools.pairwise(windows))
        lengths = [end - start for start, end in windows]
        assert max(lengths) - min(lengths) <= 2 * 700
        assert len(windows) == round(100_000 / window_ms)


@pytest.mark.parametrize("window_ms", [None, 100_000, 1_000_000])
def test_a_window_as_long_as_the_video_is_the_video(window_ms):
    """Short videos are asked about at once."""
    assert cut_windows((0, 90_000), window_ms, [0, 1000]) == [(0, 90_000)]


def test_few_pictures_make_few_windows():
    """A border needs a picture of its own."""
    assert cut_windows((0, 100_000), 10_000, [0, 60_000]) == [(0, 60_000), (60_000, 100_000)]


def test_both_sides_of_a_seam_are_asked_again():
    """The last record before a border and the first after it."""
    seams = seams_of([tiles(0, 30, 60), tiles(60, 70, 120)], longest_ms=120_000)
    assert seams == [Seam((30_000, 70_000), 60_000, frozenset({(0, 1), (1, 0)}))]


def test_a_record_that_fills_its_window_joins_both_seams():
    """One scene over three windows is asked for as a whole, up to a limit."""
    answers = [tiles(0, 50, 60), tiles(60, 120), tiles(120, 130, 180)]
    assert seams_of(answers, longest_ms=120_000) == [
        Seam((50_000, 130_000), 120_000, frozenset({(0, 1), (1, 0), (2, 0)}))
    ]
    assert seams_of(answers, longest_ms=75_000) == [
        Seam((50_000, 120_000), 60_000, frozenset({(0, 1), (1, 0)}))
    ]


def test_moments_apart_from_the_border_stay():
    """Only what touches on both sides may be one moment."""
    left = [moment(5, 9), moment(50, 60)]
    assert seams_of([left, [moment(61, 70)]], 120_000) == []
    right = [moment(60, 70), moment(60, 64)]
    assert seams_of([left, right], 120_000) == [
        Seam((50_000, 70_000), 60_000, frozenset({(0, 1), (1, 0), (1, 1)}))
    ]
    assert seams_of([[], right], 120_000) == []


@given(
    st.lists(st.sets(st.integers(1, 59), max_size=4), min_size=1, max_size=7),
    st.sampled_from([60_000, 120_000, 500_000]),
)
def test_seams_never_lose_or_double_time(cuts_s, longest_ms):
    """Whatever tiles the windows of a minute have: what is kept and the seams' windows tile the whole."""
    answers = [
        tiles(60 * n, *(60 * n + cut for cut in sorted(cuts)), 60 * n + 60) for n, cuts in enumerate(cuts_s)
    ]
    seams = seams_of(answers, longest_ms)
    replaced = {place for seam in seams for place in seam.replaced}
    kept = [
        (r.start_ms, r.end_ms)
        for number, answer in enumerate(answers)
        for place, r in enumerate(answer)
        if (number, place) not in replaced
    ]
    spans = sorted(kept + [seam.window for seam in seams])
    assert [start for start, _ in spans] == [0, *(end for _, end in spans[:-1])]
    assert spans[-1][1] == len(cuts_s) * 60_000
