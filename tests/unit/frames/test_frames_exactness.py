"""The reader's fast paths against the plain meaning of "the picture on screen at t"."""

import gc
import os
from bisect import bisect_right
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from av.container import InputContainer

from videoxl2.frames import (
    FrameFlag,
    Limits,
    Span,
    plan_sampling,
    probe,
    read_frames,
    read_span,
    read_spans,
)
from videoxl2.frames.files.decoder import Decoder

SIZE = 96
UNSTAMPED = {"mpeg4.avi", "h264.avi"}  # AVI stores no times of showing, and these have reordered pictures


def _joined(spans):
    spans = list(spans)
    fields = ("frames", "pts_ms", "target_index", "flags")
    return {name: np.concatenate([getattr(span, name) for span in spans]) for name in fields}


@pytest.mark.parametrize("fps", [Fraction(1), Fraction(7, 3)], ids=["1fps", "2.33fps"])
def test_each_target_gets_the_picture_on_screen(made, numbers, fps):
    """Barcodes prove it: target t shows the last picture that began at or before t, whatever the codec."""
    clip, path = made
    info = probe(path)
    grid = plan_sampling(info, fps)
    got = _joined(read_frames(path, grid, SIZE))
    tick_s = Fraction(1, 2000)  # Matroska rounds times to 1 ms
    expected = [
        max(n for n, shown in enumerate(clip.shown_s) if shown <= grid.target_s(k) + tick_s)
        for k in range(grid.num_targets)
    ]
    assert numbers(got["frames"]) == expected
    assert got["target_index"].tolist() == list(range(grid.num_targets))
    assert np.abs(got["pts_ms"] - [float(clip.shown_s[n] * 1000) for n in expected]).max() <= 1


def test_spans_read_apart_equal_the_video_read_at_once(made):
    """Any cutting into spans gives the same bytes, times and flags as one pass."""
    _, path = made
    info = probe(path)
    grid = plan_sampling(info, Fraction(7, 3))
    whole = _joined(read_frames(path, grid, SIZE, info=info))
    for frames_per_span in (1, 4):
        apart = _joined(read_span(path, info, grid, span, SIZE) for span in grid.spans(frames_per_span))
        for name, values in whole.items():
            assert np.array_equal(values, apart[name]), (name, frames_per_span)


def test_spans_with_gaps_between_them_are_read_in_one_pass(made):
    """Each span has the bytes that it has when it is read alone."""
    _, path = made
    info = probe(path)
    grid = plan_sampling(info, Fraction(7, 3))
    wanted = [*grid.spans(2)[1:4:2], *grid.spans(3)[3:]] or grid.spans(2)
    for span, got in zip(wanted, read_spans(path, info, grid, wanted, SIZE), strict=True):
        alone = read_span(path, info, grid, span, SIZE)
        assert got.first_target == alone.first_target
        for name in ("frames", "pts_ms", "target_index", "flags"):
            assert np.array_equal(getattr(got, name), getattr(alone, name)), (span, name)


def test_skipping_changes_no_pixel(made, read_plainly):
    """Frames are bit-identical to those of a full sequential decode."""
    clip, path = made
    if clip.name in UNSTAMPED:
        pytest.skip("the plain reader trusts pts, which these files get wrong")
    grid = plan_sampling(probe(path), Fraction(7, 3))
    got = _joined(read_frames(path, grid, SIZE))
    frames, milliseconds = read_plainly(path, [grid.target_s(k) for k in range(grid.num_targets)])
    assert np.array_equal(got["frames"], frames)
    assert got["pts_ms"].tolist() == milliseconds


def test_every_sound_clock_is_exact(made, numbers):
    """AVI with reordered pictures included: no frame is marked as estimated, each is the one due."""
    clip, path = made
    info = probe(path)
    got = _joined(read_frames(path, grid := plan_sampling(info, Fraction(7, 3)), SIZE, info=info))
    assert info.timestamps == "exact"
    assert not (got["flags"] & FrameFlag.ESTIMATED).any()
    begins_s = [shown_s + Fraction(-1, 2000) for shown_s in clip.shown_s]
    assert numbers(got["frames"]) == [
        bisect_right(begins_s, grid.target_s(k)) - 1 for k in range(grid.num_targets)
    ]


def test_sound_files_raise_no_warning(made):
    """A sound file is read without a word of complaint."""
    clip, path = made
    info = probe(path)
    span = read_span(path, info, grid := plan_sampling(info), grid.spans(1000)[0], SIZE)
    accepted = {"read_in_order"} if clip.name == "h264_intra_refresh.mp4" else set()
    assert set(info.warnings) | set(span.warnings) <= accepted


@pytest.mark.parametrize(
    ("name", "share"), [("h264_ntsc.mp4", 0.7), ("h264_open.mkv", 0.7), ("hevc.mp4", 0.8), ("mpeg2.ts", 0.5)]
)
def test_most_pictures_are_never_decoded(make_named, monkeypatch, name, share):
    """At one frame a second the decoder gives clearly fewer pictures than the file holds."""
    clip, path = make_named(name)
    given = []
    pictures = Decoder.pictures

    def counted(self, *arguments):
        for picture in pictures(self, *arguments):
            given.append(picture.frame.pts)
            yield picture

    monkeypatch.setattr(Decoder, "pictures", counted)
    list(read_frames(path, plan_sampling(probe(path)), SIZE))
    assert len(given) < share * clip.num_frames


@pytest.mark.parametrize(
    "limits", [Limits(gop_packets=20), Limits(gop_bytes=10_000)], ids=["packets", "bytes"]
)
def test_a_gop_too_large_to_hold_is_read_without_planning(make, limits, read_plainly):
    """Memory is bounded by the limits, and the frames stay the same."""
    path = make("long_gop.mp4", num_frames=150)
    info = probe(path)
    grid = plan_sampling(info, Fraction(3))
    got = _joined(read_frames(path, grid, SIZE, info=info, limits=limits))
    apart = _joined(read_span(path, info, grid, span, SIZE, limits=limits) for span in grid.spans(5))
    frames, _ = read_plainly(path, [grid.target_s(k) for k in range(grid.num_targets)])
    assert np.array_equal(got["frames"], frames)
    assert np.array_equal(apart["frames"], frames)


def test_a_long_hold_is_repeated_for_a_minute_and_then_left_out(make, numbers):
    """An hour of one picture is not 3,600 frames; the picture after it is found, from any span."""
    times = (*[Fraction(n, 25) for n in range(25)], Fraction(3600), Fraction(3601))
    path = make("gap.mp4", times=times, time_base=Fraction(1, 1000))
    info = probe(path)
    grid = plan_sampling(info, max_frames=10_000)
    got = _joined(read_frames(path, grid, SIZE, info=info))
    assert info.duration_ms >= 3_601_000
    assert got["target_index"].tolist() == [*range(61), *range(3600, grid.num_targets)]
    assert numbers(got["frames"])[:3] + numbers(got["frames"])[-2:] == [0, 24, 24, 25, 26]
    assert got["flags"][2:61].tolist() == [FrameFlag.HELD] * 59
    late = read_span(path, info, grid, Span(100, 200), SIZE)
    assert late.frames.shape == (0, SIZE, SIZE, 3)
    assert late.warnings == ("long_hold",)


def test_a_slide_is_shown_at_every_target_it_is_on_screen_for(make, numbers):
    """Slides slower than the grid are repeated with a flag, so that time keeps its weight."""
    path = make("slides.mkv", times=tuple(Fraction(7 * n) for n in range(4)), rate=Fraction(1, 7),
                time_base=Fraction(1, 1000))  # fmt: skip
    grid = plan_sampling(probe(path))
    got = _joined(read_frames(path, grid, SIZE))
    assert numbers(got["frames"]) == [k // 7 for k in range(grid.num_targets)]
    assert [not f & FrameFlag.HELD for f in got["flags"]] == [k % 7 == 0 for k in range(grid.num_targets)]


def test_a_grid_beyond_the_video_gives_no_frames(make):
    """There is no picture after the last one's time is over."""
    path = make("short.mp4", num_frames=50)
    info = probe(path)
    grid = plan_sampling(info)
    longer = type(grid)(grid.step_s, 10)
    assert _joined(read_frames(path, longer, SIZE))["target_index"].tolist() == [0, 1]
    assert len(read_span(path, info, longer, Span(5, 10), SIZE).frames) == 0


def test_a_read_span_crosses_processes_as_it_is(make):
    """Frames are C-contiguous uint8 with one row per entry of the other columns, in rising target order."""
    path = make("plain.mp4", num_frames=100)
    info = probe(path)
    grid = plan_sampling(info, Fraction(4))
    for span in read_frames(path, grid, SIZE, frames_per_span=5):
        n = len(span.target_index)
        assert span.frames.shape == (n, SIZE, SIZE, 3)
        assert span.frames.flags.c_contiguous
        assert [a.dtype.name for a in (span.frames, span.pts_ms, span.target_index, span.flags)] == [
            "uint8", "int64", "int32", "uint8"]  # fmt: skip
        assert all(a < b for a, b in pairwise(span.target_index))
        assert span.first_target == span.target_index[0]
        assert span.seconds_cpu > 0


@pytest.mark.parametrize("span", [Span(-1, 1), Span(2, 2), Span(0, 99)])
def test_a_span_outside_the_grid_is_the_callers_mistake(make, span):
    """A wrong span is a ValueError, never an empty result."""
    path = make("tiny.mp4", num_frames=5)
    info = probe(path)
    with pytest.raises(ValueError, match="outside a grid"):
        read_span(path, info, plan_sampling(info), span, SIZE)


def test_nothing_stays_open(make):
    """When a call returns, its decoder and file are gone; a worker that reads for days does not grow."""
    path = make("plain.mp4", num_frames=30)
    info = probe(path)
    grid = plan_sampling(info)
    read_span(path, info, grid, Span(0, 1), SIZE)
    list(read_frames(path, grid, SIZE))
    next(read_frames(path, grid, SIZE))  # given up half way
    assert open_files() == 0


def test_readers_side_by_side_leave_nothing_open(make):
    """Whichever ends first; and what is looked through for it is not all that the process has."""
    path = make("plain.mp4", num_frames=30)
    grid = plan_sampling(probe(path))
    first, second = read_frames(path, grid, SIZE), read_frames(path, grid, SIZE)
    next(first), next(second)
    list(first)
    next(read_frames(path, grid, SIZE))
    assert gc.get_freeze_count() > 0
    assert open_files() == 1
    list(second)
    assert gc.get_freeze_count() == 0
    assert open_files() == 0


def open_files() -> int:
    return sum(issubclass(type(thing), InputContainer) for thing in gc.get_objects())


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="scheduling policies are Linux's")
def test_encoding_makes_no_test_real_time(make_named):
    """SVT-AV1 asks for it where it may, and keeps it: other processes would get a twentieth of each core."""
    before = os.sched_getscheduler(0)
    make_named("av1.mkv")
    assert os.sched_getscheduler(0) == before
