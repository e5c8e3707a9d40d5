"""Loudness of known sounds, by EBU Tech 3341, also where a stream changes its kind or cannot be measured."""

from fractions import Fraction

import numpy as np
import pytest
from av.audio.frame import AudioFrame

from videoxl2.cues.loudness import Loudness
from videoxl2.cues.records import Cue
from videoxl2.watching import SoundBlock

REACH = [(0, 20_000)]


def blocks(
    num_s: int, rate: int = 48_000, layout: str = "stereo", level_db: float = -23.0
) -> list[SoundBlock]:
    """A sine of 1 kHz in all channels, a block a second."""
    count = AudioFrame(layout=layout, samples=1).layout.nb_channels
    wave = 10 ** (level_db / 20) * np.sin(2 * np.pi * 1000 * np.arange(rate) / rate)
    samples = np.tile(wave.astype(np.float32), (count, 1))
    made = []
    for second in range(num_s):
        frame = AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
        frame.sample_rate = rate
        made.append(SoundBlock(Fraction(second), second == 0, frame, samples))
    return made


def measured(sound: list[SoundBlock]) -> tuple[list[Cue], Loudness]:
    loudness = Loudness()
    for block in sound:
        loudness.sound(block)
    return list(loudness.finish(REACH)), loudness


@pytest.mark.parametrize(("level_db", "layout"), [(-23.0, "stereo"), (-33.0, "stereo"), (-20.0, "mono")])
def test_a_sine_has_the_loudness_that_the_standard_says(level_db: float, layout: str) -> None:
    """In both of two channels its level; in one of them 3 LU less. Its range is none."""
    (loudness, spread), _ = measured(blocks(20, layout=layout, level_db=level_db))
    assert (loudness.kind, loudness.start_ms, loudness.end_ms) == ("loudness", 0, 20_000)
    assert loudness.value == pytest.approx(level_db if layout == "stereo" else level_db - 3, abs=0.1)
    assert (spread.kind, spread.value) == ("loudness_range", pytest.approx(0, abs=0.1))


def test_a_change_of_rate_is_heard_through() -> None:
    """What comes after it counts as much as what came before."""
    (loudness, _), _ = measured(blocks(10) + blocks(10, rate=44_100))
    assert loudness.value == pytest.approx(-23.0, abs=0.1)
    (louder, _), _ = measured(blocks(10, level_db=-33.0) + blocks(10, rate=44_100))
    assert louder.value == pytest.approx(-25.6, abs=0.2)  # half the time a tenth of the power


def test_silence_and_no_sound_have_no_loudness() -> None:
    assert measured(blocks(5, level_db=-200.0))[0] == []
    assert measured([])[0] == []


def test_sound_that_cannot_be_measured_says_so_once() -> None:
    """One sample a second, as a damaged header may have it: no cue, no error to the film's other watchers."""
    cues, loudness = measured(blocks(3, rate=1))
    assert cues == []
    assert isinstance(loudness.error, ValueError)
