"""Tones wherever they begin and end, in sound that comes in portions of any length."""

from fractions import Fraction

import numpy as np
import pytest
from av.audio.frame import AudioFrame

from videoxl2.captions.placing import Placing, Stretch
from videoxl2.cues.sound import SoundCues
from videoxl2.watching import SoundBlock

RATE = 8000
WINDOW = RATE // 10


def sound_of(bursts, seconds, seed=3):
    """Noise with tones of 440 Hz, `bursts` in tenths of a second."""
    sound = np.random.default_rng(seed).normal(0, 0.1, seconds * RATE).astype(np.float32)
    at = np.arange(seconds * RATE)
    for first, stop in bursts:
        sound[first * WINDOW : stop * WINDOW] = 0.5 * np.sin(
            at[first * WINDOW : stop * WINDOW] * 2 * np.pi * 440 / RATE
        )
    return sound


def tones_in(sound, portion):
    """What is told of sound in portions of so many samples."""
    cues = SoundCues()
    for start in range(0, len(sound), portion):
        samples = sound[None, start : start + portion]
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout="mono")
        frame.sample_rate = RATE
        cues.sound(SoundBlock(Fraction(start, RATE), start == 0, frame, samples))
    found = cues.finish(Placing((Stretch(None, None, Fraction(0)),)), 1000 * len(sound) // RATE)
    return [(cue.start_ms, cue.end_ms) for cue in found if cue.kind == "tone"]


@pytest.mark.parametrize("windows", [1, 7, 10, 16, 25])
@pytest.mark.parametrize("shift", range(11))
def test_tones_of_a_second_are_told_wherever_portions_begin(windows, shift):
    """And those of nine tenths are not."""
    bursts = [(3 + shift, 13 + shift), (26 + shift, 35 + shift), (40 + shift, 55 + shift)]
    told = tones_in(sound_of(bursts, 7), windows * WINDOW)
    assert told == [(100 * a, 100 * b) for a, b in bursts if b - a >= 10]


def test_a_tone_needs_nearly_all_of_the_sound():
    """Not where a tenth of it is something else, nor where it is too faint to be heard."""
    sound = sound_of([(10, 30)], 4)
    assert tones_in(sound, RATE) == [(1000, 3000)]
    assert tones_in(sound + sound_of([], 4, seed=4) * 1.4, RATE) == []
    assert tones_in(sound / 60, RATE) == []
