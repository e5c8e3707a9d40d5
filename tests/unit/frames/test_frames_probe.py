"""What `probe` says about sound files, and the grid planned from it."""

import pickle
from fractions import Fraction

import pytest

from videoxl2.frames import Limits, Span, plan_sampling, probe


def test_the_length_is_what_the_pictures_last(made):
    """Duration, picture count and rate come from the packets and agree with what was encoded."""
    clip, path = made
    info = probe(path)
    # The last picture of an uneven video lasts as long as its file says; even ones last one period.
    last_s = clip.shown_s[-1]
    assert info.num_frames == len(clip.shown_s)
    if clip.times is None:
        assert abs(info.duration_ms - float(1000 * (last_s + 1 / clip.rate))) <= 2
        if len(clip.shown_s) > 1:
            assert abs(info.fps / clip.rate - 1) < Fraction(1, 1000)
    else:
        assert info.duration_ms > 1000 * last_s
    assert info.is_vfr == (clip.times is not None)


def test_everything_stored_is_reported(make):
    """Container, codecs, size, rate, title and start are those of the file, in plain picklable values."""
    path = make(
        "described.mkv", title="  A day out ", audio_s=6, rate=Fraction(24000, 1001), start_s=Fraction(3)
    )
    info = probe(path)
    assert (info.container, info.video_codec, info.audio_codecs) == ("matroska", "h264", ("aac",))
    assert (info.width, info.height, info.rotation) == (192, 128, 0)
    assert (info.fps_num, info.fps_den, info.is_vfr) == (24000, 1001, False)
    assert (info.title, info.size_bytes) == ("A day out", path.stat().st_size)
    assert info.start_ms == pytest.approx(3000, abs=30)
    assert (info.timestamps, info.warnings) == ("exact", ())
    assert pickle.loads(pickle.dumps(info)) == info


@pytest.mark.parametrize(
    ("name", "word"), [("a.mp4", "mp4"), ("a.mov", "mov"), ("a.mkv", "matroska"), ("a.ts", "mpegts")]
)
def test_the_container_is_one_word(make, name, word):
    """MP4 and QuickTime are told apart though FFmpeg gives them one name."""
    assert probe(make(name, num_frames=5)).container == word


def test_a_short_video_with_long_audio_is_not_truncated(make):
    """Audio that goes on after the last picture is no damage."""
    info = probe(make("song.mkv", num_frames=25, audio_s=8))
    assert (info.duration_ms, info.warnings) == (1000, ())


def test_targets_are_a_second_apart_and_inside_the_video(make):
    """The plain grid: k seconds for every k before the end."""
    grid = plan_sampling(probe(make("ten.mp4", num_frames=250)))
    assert (grid.step_s, grid.num_targets, grid.effective_fps) == (1, 10, 1)
    assert grid.spans(4) == [Span(0, 4), Span(4, 8), Span(8, 10)]


def test_a_long_video_is_covered_evenly_by_max_frames(make):
    """The step widens exactly as far as needed; the first and last parts get their share."""
    info = probe(make("ten.mp4", num_frames=250))
    grid = plan_sampling(info, max_frames=7)
    assert (grid.num_targets, grid.step_s) == (7, Fraction(10, 7))
    assert grid.target_s(6) < 10 <= grid.target_s(7)


def test_the_shortest_video_has_one_target(make):
    """A readable video never gets an empty grid."""
    assert plan_sampling(probe(make("one.mp4", num_frames=1)), Fraction(1, 100)).num_targets == 1


def test_a_grid_cannot_be_planned_from_nonsense(make):
    """Rates and caps below one frame are the caller's mistake."""
    info = probe(make("one.mp4", num_frames=1))
    with pytest.raises(ValueError, match="positive"):
        plan_sampling(info, Fraction(0))
    with pytest.raises(ValueError, match="positive"):
        plan_sampling(info, max_frames=0)
    with pytest.raises(ValueError, match="at least 1"):
        plan_sampling(info).spans(0)


def test_limits_count_for_probing_too(make):
    """A limit is named in the error that it causes."""
    from videoxl2.frames import LimitExceeded

    path = make("two_seconds.mp4", num_frames=50)
    with pytest.raises(LimitExceeded, match="max_pixels: 192x128 is above 1000"):
        probe(path, Limits(max_pixels=1000))
    with pytest.raises(LimitExceeded, match="max_duration: 2 seconds are above 1"):
        probe(path, Limits(max_duration_s=1))
