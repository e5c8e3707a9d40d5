"""A pass gives a model's frames as they are read in spans by themselves, and decodes nothing twice."""

from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pytest
from cue_films import moving, write_pictures

from videoxl2.frames import plan_sampling, probe, read_span
from videoxl2.frames.clocks.clock import Edit
from videoxl2.frames.reading.stills.keyframes import read_keyframes
from videoxl2.watching import FramesWanted, can_take_frames, watch_with_frames
from videoxl2.watching import frames as taking

SIZE = 56
CODING = {"preset": "veryfast", "bf": "3", "g": "12", "threads": "1"}


class Viewer:
    """Counts pictures, up to the one at which it fails."""

    def __init__(self, fails_at=None):
        self.count, self.fails_at = 0, fails_at

    def picture(self, picture, at_ms):
        if self.count == self.fails_at:
            raise ValueError("enough")
        self.count += 1


@pytest.fixture
def film(tmp_path):
    """Ten seconds, of pictures that are not shown in the order in which they are stored."""
    return write_pictures(tmp_path / "film.mkv", moving(1, 250, (96, 54)), options=CODING)


@pytest.fixture
def read_again(monkeypatch):
    """The spans that were read by themselves."""
    spans = []

    def noted(path, info, grid, span, *size, **limits):
        spans.append(span)
        return read_span(path, info, grid, span, *size, **limits)

    monkeypatch.setattr(taking, "read_span", noted)
    return spans


def passed(path, wanted, watchers):
    """The spans of a pass, and how it went."""
    steps, spans = watch_with_frames(path, probe(path), watchers, wanted), []
    while True:
        try:
            spans.append(next(steps))
        except StopIteration as end:
            return spans, end.value


def wanted_of(path, fps, frames_per_span):
    grid = plan_sampling(probe(path), fps)
    return FramesWanted(grid, tuple(grid.spans(frames_per_span)), SIZE)


def check_same(path, wanted, spans):
    """All but the time that it took."""
    for span, got in zip(wanted.spans, spans, strict=True):
        alone = read_span(path, probe(path), wanted.grid, span, SIZE)
        for one in fields(alone):
            if one.name != "seconds_cpu":
                assert np.array_equal(getattr(got, one.name), getattr(alone, one.name)), (span, one.name)


def shown_at(step_ms):
    """When the pictures begin that are on screen at each step."""
    return [ms // 40 * 40 for ms in range(0, 10_000, step_ms)]


@pytest.mark.parametrize("fps", [Fraction(1), Fraction(7, 3), Fraction(60)])
def test_frames_are_those_of_spans_read_by_themselves(film, read_again, fps):
    """At any rate, also where pictures are wanted twice; while others watch, one of whom breaks down."""
    wanted = wanted_of(film, fps, 16)
    good, bad = Viewer(), Viewer(fails_at=3)
    spans, watched = passed(film, wanted, [good, bad])
    assert not read_again
    assert (good.count, list(watched.failures), watched.warnings) == (250, [1], ())
    check_same(film, wanted, spans)


def test_frames_come_where_nobody_watches_any_more(film):
    """The model is not to wait for a signal that failed."""
    wanted = wanted_of(film, Fraction(1), 4)
    spans, watched = passed(film, wanted, [Viewer(fails_at=0)])
    assert [len(span.frames) for span in spans] == [4, 4, 2]
    assert list(watched.failures) == [0]


def test_a_span_is_there_before_the_film_is_over(film):
    """The model begins with it while the rest is read."""
    viewer = Viewer()
    steps = watch_with_frames(film, probe(film), [viewer], wanted_of(film, Fraction(1), 2))
    assert len(next(steps).frames) == 2
    assert viewer.count < 60


def test_stills_are_the_keyframes_of_their_instants(film, monkeypatch):
    """Of every frame, or of as many as are kept, evenly spread."""
    wanted = wanted_of(film, Fraction(2), 16)
    _, watched = passed(film, wanted, [])
    assert list(watched.stills) == shown_at(500)
    assert read_keyframes(film, probe(film), list(watched.stills)) == watched.stills
    monkeypatch.setattr(taking, "MOST_STILLS", 7)
    assert list(passed(film, wanted, [])[1].stills) == shown_at(1500)


def test_a_damaged_span_is_read_by_itself_and_the_others_are_not(film, read_again):
    """With the same frames, flags and warnings: what a decoder patches depends on where it began."""
    content = bytearray(film.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    film.write_bytes(content)
    wanted = wanted_of(film, Fraction(2), 4)
    spans, _ = passed(film, wanted, [Viewer()])
    assert 1 <= len(read_again) <= 3
    check_same(film, wanted, spans)


def test_frames_are_not_taken_where_a_pass_may_meet_others(film):
    """Where edits show the media in another order, or the film begins with what cannot be decoded."""
    info = probe(film)
    parts = (Edit(Fraction(0), 5000, 10_000), Edit(Fraction(5), 0, 5000))
    assert can_take_frames(info)
    assert not can_take_frames(replace(info, warnings=("starts_mid_gop",)))
    assert not can_take_frames(replace(info, clock=replace(info.clock, edits=parts)))


def test_frames_of_any_shape_are_those_of_spans_read_by_themselves(film):
    """Height and width are what each picture is squashed to, in a pass as in spans."""
    grid = plan_sampling(probe(film), Fraction(1))
    wanted = FramesWanted(grid, tuple(grid.spans(4)), (28, 84))
    spans, _ = passed(film, wanted, [Viewer()])
    for span, got in zip(wanted.spans, spans, strict=True):
        assert got.frames.shape[1:] == (28, 84, 3)
        assert np.array_equal(got.frames, read_span(film, probe(film), grid, span, (28, 84)).frames)
