"""Runs of speech depend on the sound alone; pieces hold as many of them as are heard at once."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videoxl2.speech.runs.pieces import Piece, join_runs
from videoxl2.speech.runs.runs import LONGEST_S, Run, RunCutter
from videoxl2.speech.runs.voice import WINDOW
from videoxl2.speech.sound.sound import RATE

START_S = Fraction(7)


def _sound(windows: int) -> np.ndarray:
    return np.arange(windows * WINDOW, dtype=np.float32)


def _cut(probabilities: Sequence[float], splits: Sequence[int] = ()) -> list[Run]:
    """Runs of sound that comes in blocks of so many windows; a sample is worth its position."""
    sound, judged = _sound(len(probabilities)), np.array(probabilities, np.float32)
    cutter = RunCutter(0, START_S)
    runs: list[Run] = []
    borders = [0, *sorted({split for split in splits if split < len(judged)}), len(judged)]
    for begin, end in pairwise(borders):
        runs += cutter.cut(sound[begin * WINDOW : end * WINDOW], judged[begin:end])
    return [*runs, *cutter.rest()]


def _window(at_s: Fraction) -> int:
    return int((at_s - START_S) * RATE) // WINDOW


def _windows(run: Run) -> tuple[int, int]:
    return _window(run.start_s), _window(run.end_s)


def test_a_run_ends_with_a_silence_and_has_margins() -> None:
    """0.2 s on both sides; shorter silences do not part it."""
    runs = _cut([0.0] * 40 + [0.9] * 20 + [0.2] * 5 + [0.9] * 20 + [0.0] * 40)
    assert [_windows(run) for run in runs] == [(40, 85)]
    assert runs[0].sound[0] == 40 * WINDOW - RATE // 5
    assert runs[0].sound[-1] == 85 * WINDOW + RATE // 5 - 1


def test_a_silence_too_short_to_end_a_run_is_a_pause_of_it() -> None:
    """From when the voice is gone until it rises again; less than 96 ms are inside a word."""
    silence = [0.3, 0.05, 0.05, 0.05, 0.05, 0.2]
    (run,) = _cut([0.0] * 40 + [0.9] * 20 + silence + [0.9] * 20 + [0.05] * 2 + [0.9] * 9 + [0.0] * 40)
    assert [tuple(_window(at_s) for at_s in pause) for pause in run.pauses] == [(60, 65)]
    assert _windows(run) == (40, 97)


def test_pauses_go_with_the_half_of_a_run_that_has_them() -> None:
    """A run that is too long is cut, and the second half has a pause of its own."""
    loud = [0.9] * 1500
    loud[400], loud[500:505], loud[700:706] = 0.4, [0.05] * 5, [0.05] * 6
    loud[600] = 0.01
    runs = _cut(loud + [0.0] * 20)
    assert [[_window(back) for _, back in run.pauses] for run in runs[:2]] == [[505], [706]]


def test_margins_of_neighbours_do_not_overlap() -> None:
    """No sample is heard twice."""
    first, second = _cut([0.9] * 20 + [0.0] * 8 + [0.9] * 20 + [0.0] * 20)
    assert second.sound[0] == first.sound[-1] + 1


def test_a_run_begins_when_the_voice_begins_to_rise() -> None:
    """The time does; the sound, and so the text, stays as it was cut."""
    plain, rising = (_cut([0.0] * 30 + [low] * 3 + [0.9] * 20 + [0.0] * 20)[0] for low in (0.05, 0.2))
    assert rising.start_s == plain.start_s - Fraction(3 * WINDOW, RATE)
    assert np.array_equal(rising.sound, plain.sound)


def test_a_click_is_no_run() -> None:
    """Less than 0.1 s."""
    assert _cut([0.0] * 20 + [0.9] * 3 + [0.0] * 20) == []


def test_speech_without_a_pause_is_cut_where_a_voice_is_least_likely() -> None:
    """Nothing of it is lost, and no run is longer than what is heard at once."""
    loud = [0.9] * 2000
    loud[500] = 0.4
    runs = _cut(loud + [0.0] * 20)
    assert _windows(runs[0]) == (0, 500)
    assert all(len(run.sound) <= LONGEST_S * RATE for run in runs)
    heard = np.concatenate([run.sound for run in runs])
    assert np.array_equal(heard[: 2000 * WINDOW], _sound(2000))


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from([0.0, 0.05, 0.2, 0.4, 0.6, 0.95]), st.integers(1, 400)), max_size=12),
    st.lists(st.integers(1, 2000), max_size=30),
)
def test_runs_do_not_depend_on_blocks(levels: list[tuple[float, int]], splits: list[int]) -> None:
    """Whatever the sizes in which sound comes; and runs are in order, apart, and short enough."""
    probabilities = [level for level, count in levels for _ in range(count)]
    whole, parted = _cut(probabilities), _cut(probabilities, splits)
    assert len(whole) == len(parted)
    for one, other in zip(whole, parted, strict=True):
        assert (one.start_s, one.end_s, one.sound_start_s) == (
            other.start_s,
            other.end_s,
            other.sound_start_s,
        )
        assert one.pauses == other.pauses
        edges = [one.start_s, *(at_s for pause in one.pauses for at_s in pause), one.end_s]
        assert edges == sorted(edges)
        assert np.array_equal(one.sound, other.sound)
        assert one.sound[0] == (one.sound_start_s - START_S) * RATE
        assert len(one.sound) <= LONGEST_S * RATE
    for one, other in pairwise(whole):
        assert one.end_s <= other.start_s
        assert one.sound[-1] < other.sound[0]


def _run(start_s: float, length_s: float, take: int = 0) -> Run:
    start = Fraction(start_s)
    return Run(take, start, start + Fraction(length_s), start, np.zeros(round(length_s * RATE), np.float32))


@pytest.mark.parametrize(
    ("runs", "sizes"),
    [
        ([], []),
        ([_run(0, 10), _run(11, 10), _run(22, 9)], [3]),
        ([_run(0, 10), _run(11, 10), _run(22, 9.5)], [2, 1]),
        ([_run(0, 1), _run(119, 1)], [2]),
        ([_run(0, 1), _run(119.5, 1)], [1, 1]),
        ([_run(0, 1), _run(2, 1, take=1)], [1, 1]),
    ],
)
def test_a_piece_is_what_is_heard_at_once(runs: list[Run], sizes: list[int]) -> None:
    """At most 29.4 s of sound, 120 s of film, and no gap of the stream's clock inside."""
    pieces = list(join_runs(runs))
    assert [len(piece.runs) for piece in pieces] == sizes
    assert [run for piece in pieces for run in piece.runs] == runs


def test_a_piece_is_halved_at_its_longest_silence() -> None:
    """One run has none inside."""
    runs = (_run(0, 1), _run(2, 1), _run(9, 1))
    halves = Piece(runs).halves()
    assert halves is not None
    assert [len(half.runs) for half in halves] == [2, 1]
    assert Piece(runs[:1]).halves() is None
