"""One pass shows each picture once, at its time, and plays the sound; a watcher that fails goes alone."""

from fractions import Fraction

import numpy as np
import pytest
from cue_films import moving, write_pictures
from tone_films import tones, write_film

from videoxl2.frames import probe
from videoxl2.frames.reading.small_pictures import CHUNK
from videoxl2.watching import watch

RATE = 48_000


class Viewer:
    """Notes when pictures begin."""

    def __init__(self, fails_at=None):
        self.times, self.fails_at = [], fails_at

    def picture(self, picture, at_ms):
        if len(self.times) == self.fails_at:
            raise ValueError("enough")
        assert not picture.is_damaged
        self.times.append(at_ms)


class SmallViewer:
    """Keeps what it is given."""

    def __init__(self):
        self.chunks = []

    def small(self, pictures):
        self.chunks.append(pictures)


class Hearer:
    """Keeps what it hears."""

    def __init__(self):
        self.blocks = []

    def sound(self, block):
        self.blocks.append(block)

    def tones_s(self):
        """When the film's tones begin, on the clock of the stream."""
        found = []
        for block in self.blocks:
            loud = np.abs(block.samples[0]) > 0.2
            fresh = np.flatnonzero(loud[1:] & ~loud[:-1])
            found += [float(block.start_s) + at / block.rate for at in fresh]
        return [b for a, b in zip([-1, *found], found, strict=False) if b - a > 0.5]


def test_each_picture_comes_once_at_its_time(tmp_path):
    """With reordered pictures, at an uneven pace, behind a start that is not 0."""
    times = [Fraction(3) + Fraction(n * 40 + 300 * (n > 20), 1000) for n in range(40)]
    options = {"preset": "veryfast", "bf": "3", "g": "12"}
    path = write_pictures(tmp_path / "uneven.mkv", moving(1, 40), times=times, options=options)
    viewer, small = Viewer(), SmallViewer()
    watched = watch(path, probe(path), [viewer, small])
    assert viewer.times == [round((at - times[0]) * 1000) for at in times]
    assert [chunk.start_ms_N.tolist() for chunk in small.chunks] == [viewer.times]
    assert (watched.failures, watched.warnings, watched.sound) == ({}, (), None)


def test_small_pictures_come_in_chunks_and_all_of_them(tmp_path):
    """The last chunk is what is left."""
    num_pictures = CHUNK + 3
    path = write_pictures(tmp_path / "film.mp4", moving(1, num_pictures, (64, 36)))
    small = SmallViewer()
    watch(path, probe(path), [small])
    assert [len(chunk) for chunk in small.chunks] == [CHUNK, 3]
    assert np.concatenate([chunk.start_ms_N for chunk in small.chunks]).tolist() == [
        40 * n for n in range(num_pictures)
    ]


def test_a_watcher_that_fails_is_shown_no_more_and_the_others_go_on(tmp_path):
    """Its error is told by its place."""
    path = write_pictures(tmp_path / "film.mp4", moving(1, 10, (64, 36)))
    bad, good = Viewer(fails_at=3), Viewer()
    watched = watch(path, probe(path), [bad, good])
    assert (len(bad.times), len(good.times)) == (3, 10)
    assert [(n, str(error)) for n, error in watched.failures.items()] == [(0, "enough")]


@pytest.mark.parametrize("name", ["film.mp4", "film.mkv"])
def test_sound_comes_in_seconds_at_its_time(tmp_path, name):
    """Where the film has it, by way of `placed`: MP4 hides what its coder puts in front by an edit."""
    sound = tones(4, 0.5, 1.95, 3.2)
    path = write_pictures(tmp_path / name, moving(1, 50, (64, 36)), sound)
    hearer = Hearer()
    watched = watch(path, probe(path), [hearer])
    assert all(block.samples.shape == (2, block.frame.samples) for block in hearer.blocks)
    assert [block.is_new for block in hearer.blocks] == [True] + [False] * (len(hearer.blocks) - 1)
    assert RATE <= max(block.frame.samples for block in hearer.blocks) <= 1.1 * RATE
    heard_ms = [next(watched.sound.placed(Fraction(at_s), None))[0] for at_s in hearer.tones_s()]
    assert heard_ms == [pytest.approx(at_ms, abs=25) for at_ms in (500, 1950, 3200)]


def test_sound_that_ends_after_the_pictures_is_heard_to_its_end(tmp_path):
    """Two seconds of pictures, five of sound."""
    path = write_pictures(tmp_path / "film.mkv", moving(1, 50, (64, 36)), tones(5, 4.5))
    hearer = Hearer()
    watch(path, probe(path), [Viewer(), hearer])
    assert sum(block.samples.shape[1] for block in hearer.blocks) == pytest.approx(5 * RATE, rel=0.02)
    assert len(hearer.tones_s()) == 1


@pytest.mark.parametrize("codec", ["wavpack", "pcm_s16le"])
@pytest.mark.parametrize("channels", [1, 2, 6, 8, 16])
def test_each_channel_is_heard_as_it_is(tmp_path, codec, channels):
    """Channels at levels of their own; from eight on PyAV counts planes that are none."""
    levels = np.linspace(0.05, 0.8, channels, dtype=np.float32)
    path = write_film(tmp_path / "film.mkv", codec, [levels.repeat(RATE // 2).reshape(channels, -1)])
    hearer = Hearer()
    assert not watch(path, probe(path), [Viewer(), hearer]).failures
    heard = np.concatenate([block.samples for block in hearer.blocks], axis=1)
    assert heard.shape == (channels, RATE // 2)
    assert np.abs(heard - levels[:, None]).max() < 1e-4
    assert [block.frame.layout.nb_channels for block in hearer.blocks] == [channels]


def test_one_picture_is_a_film(tmp_path):
    """It is shown from 0 on."""
    path = write_pictures(tmp_path / "one.mp4", moving(1, 1, (64, 36)))
    viewer, small = Viewer(), SmallViewer()
    watch(path, probe(path), [viewer, small])
    assert viewer.times == [0]
    assert [len(chunk) for chunk in small.chunks] == [1]
