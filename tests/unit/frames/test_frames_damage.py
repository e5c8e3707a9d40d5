"""Broken videos: what is there is read, and what is less than perfect is said."""

import re
from fractions import Fraction

import av
import numpy as np
import pytest

from videoxl2.frames import (
    FrameFlag,
    Span,
    UndecodableVideo,
    plan_sampling,
    probe,
    read_frames,
    read_span,
    read_spans,
)
from videoxl2.frames.files.formats.structure import is_followed

SIZE = 96
MARKED = FrameFlag.CORRUPT | FrameFlag.SUBSTITUTE


def _joined(spans):
    spans = list(spans)
    fields = ("frames", "pts_ms", "target_index", "flags")
    return {name: np.concatenate([getattr(span, name) for span in spans]) for name in fields}


@pytest.mark.parametrize("name", ["cut.mp4", "cut_fragmented.mp4", "cut.mkv", "cut.ts"])
def test_a_truncated_file_gives_what_is_there(tmp_path, make, numbers, name):
    """Frames up to the cut are right, the length is that of what is left, and the file is marked."""
    flags = "frag_keyframe+empty_moov+default_base_moof" if "fragmented" in name else "faststart"
    format_options = {"movflags": flags} if name.endswith("mp4") else {}
    whole = make(name, num_frames=300, format_options=format_options)
    path = tmp_path / name
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    info = probe(path)
    grid = plan_sampling(info, Fraction(2))
    got = _joined(read_frames(path, grid, SIZE, info=info))
    assert 5_000 < info.duration_ms < 9_000
    assert grid.num_targets - len(got["frames"]) <= 1
    sure = got["flags"] == 0
    expected = [int(k * 12.5) for k in got["target_index"]]
    assert np.array(numbers(got["frames"]))[sure].tolist() == np.array(expected)[sure].tolist()
    assert sure.sum() >= len(sure) - 2
    if name in ("cut.mp4", "cut.mkv"):  # the others never say how long they meant to be
        assert "truncated" in info.warnings


@pytest.mark.parametrize("name", ["hole.mp4", "hole.mkv", "hole.ts"])
@pytest.mark.parametrize("hole", ["zeros", "noise"])
def test_a_hole_in_the_middle_costs_only_the_hole(tmp_path, make, numbers, name, hole):
    """Unmarked frames are right, on both sides of the damage, and the same in spans as in the whole."""
    data = bytearray(make(name, num_frames=400).read_bytes())
    start, stop = len(data) * 45 // 100, len(data) * 52 // 100
    noise = np.random.default_rng(1).integers(0, 256, stop - start, dtype=np.uint8).tobytes()
    data[start:stop] = bytes(stop - start) if hole == "zeros" else noise
    path = tmp_path / name
    path.write_bytes(data)
    info = probe(path)
    grid = plan_sampling(info, Fraction(2))
    spans = list(read_frames(path, grid, SIZE, info=info, frames_per_span=5))
    got = _joined(spans)
    apart = _joined(read_span(path, info, grid, span, SIZE) for span in grid.spans(5))
    assert np.array_equal(got["target_index"], apart["target_index"])
    sound = ((got["flags"] | apart["flags"]) & MARKED) == 0
    for field, values in got.items():
        assert np.array_equal(values[sound], apart[field][sound]), field
    assert len(got["frames"]) >= 0.8 * grid.num_targets
    assert sound.sum() >= 0.6 * grid.num_targets
    shown = np.array(numbers(got["frames"]))
    num_wrong = (shown[sound] != np.round(got["pts_ms"][sound] / 40)).sum()
    # TS packets vanish without a trace: FFmpeg patches from older pictures, unmarked, up to the next key.
    assert num_wrong <= (2 if name.endswith("ts") else 0)
    # Matroska and TS step over a hole without a word; what is left then is an uneven clock.
    assert info.is_vfr or info.warnings or any(span.warnings for span in spans)


def test_a_flash_file_that_ends_inside_a_tag_is_truncated(tmp_path, make):
    """Its header counts from the first picture, wherever that is on the clock."""
    whole = make("whole.flv", codec="flv1", codec_options={}, num_frames=90, start_s=Fraction(7, 5))
    assert probe(whole).warnings == ()
    path = tmp_path / "cut.flv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 8 // 10])
    assert "truncated" in probe(path).warnings


def test_a_stream_that_starts_between_keys_starts_at_its_first_key(tmp_path, make, numbers):
    """A recording cut from a broadcast begins with the first picture that can be read, and says so."""
    data = make("broadcast.ts", num_frames=200).read_bytes()
    at = len(data) // 10 // 188 * 188
    path = tmp_path / "cut_in.ts"
    path.write_bytes(data[:376] + data[at:])  # program tables first, then from the middle of a GOP
    info = probe(path)
    got = _joined(read_frames(path, plan_sampling(info, Fraction(2)), SIZE, info=info))
    first = numbers(got["frames"])[0]
    assert first % 40 == 0
    assert first > 0
    assert "starts_mid_gop" in info.warnings
    assert numbers(got["frames"]) == [first + int(k * 12.5) for k in got["target_index"]]


def test_a_clock_that_starts_again_is_joined(tmp_path, make, numbers):
    """Two recordings glued together are one film, each with its own times; the seam is said."""
    one = make("one.ts", num_frames=100).read_bytes()
    path = tmp_path / "glued.ts"
    path.write_bytes(one + one)
    info = probe(path)
    got = _joined(read_frames(path, plan_sampling(info), SIZE, info=info))
    assert (info.num_frames, info.duration_ms, info.timestamps) == (200, 8000, "exact")
    assert "clock_joined" in info.warnings
    assert numbers(got["frames"]) == [0, 25, 50, 75] * 2
    assert got["pts_ms"].tolist() == [k * 1000 for k in range(8)]
    assert not got["flags"].any()


@pytest.mark.parametrize(
    ("name", "codec"), [("bare.h264", "libx264"), ("bare.hevc", "libx265"), ("bare.m2v", "mpeg2video")]
)
def test_a_bare_bitstream_is_counted(make, numbers, name, codec):
    """A stream without a container has no clock; its pictures are still all there, in order."""
    options = {"x265-params": "log-level=none"} if codec == "libx265" else {"g": "25"}
    path = make(name, codec=codec, codec_options=options)
    info = probe(path)
    got = _joined(read_frames(path, plan_sampling(info), SIZE, info=info))
    assert (info.timestamps, info.fps, info.duration_ms) == ("estimated", 25, 6000)
    assert numbers(got["frames"]) == [0, 25, 50, 75, 100, 125]


def test_an_edit_list_moves_the_start(tmp_path, make, numbers):
    """Pictures before an edit are not shown, and the first one shown is at zero."""
    source = make("source.mp4", num_frames=150)
    path = tmp_path / "trimmed.mp4"
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        stream = out.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is None:
                continue
            shift = int(1 / packet.time_base)  # one second before zero: the muxer writes an edit for it
            packet.pts, packet.dts, packet.stream = packet.pts - shift, packet.dts - shift, stream
            out.mux(packet)
    info = probe(path)
    grid = plan_sampling(info)
    got = _joined(read_frames(path, grid, SIZE, info=info))
    assert info.warnings == ()
    assert numbers(got["frames"])[:4] == [25, 50, 75, 100]
    assert got["pts_ms"][0] == 0


def test_a_video_of_garbage_is_undecodable(tmp_path, make):
    """An intact index over noise is a video without pictures."""
    data = bytearray(make("noise.mp4").read_bytes())
    start, stop = data.index(b"mdat") + 4, data.index(b"moov") - 4
    data[start:stop] = np.random.default_rng(0).integers(0, 256, stop - start, dtype=np.uint8).tobytes()
    path = tmp_path / "noise.mp4"
    path.write_bytes(data)
    with pytest.raises(UndecodableVideo):
        probe(path)


def test_a_damaged_key_leaves_the_next_one_and_what_refers_to_it_alone(tmp_path, make):
    """H.264's decoder keeps more of damage than a flush takes away: whatever was read before, a sound stretch
    has the pictures of a sound file."""
    whole = make("whole.mp4", codec_options={"preset": "ultrafast", "g": "20", "bf": "0"}, num_frames=60)
    info = probe(whole)
    grid = plan_sampling(info, Fraction(25))
    sound = read_span(whole, info, grid, Span(41, 46), SIZE).frames
    with av.open(str(whole)) as container:
        keys = [packet for packet in container.demux(video=0) if packet.is_keyframe]
        first, size = keys[1].pos, keys[1].size
    for at in range(first + size // 4, first + size - 20, size // 20):
        data = bytearray(whole.read_bytes())
        data[at : first + size] = bytes(first + size - at)
        path = tmp_path / "harmed.mp4"
        path.write_bytes(data)
        info = probe(path)
        harmed, after = read_spans(path, info, grid, [Span(20, 21), Span(41, 46)], SIZE)
        assert harmed.flags.all()
        assert not after.flags.any()
        assert np.array_equal(after.frames, sound), at


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.avi", "mpeg4"), ("a.asf", "mpeg4")])
def test_another_film_put_behind_is_said(tmp_path, make, name, codec):
    """These cannot be joined byte by byte: FFmpeg leaves the second out, or counts its pictures wrongly."""
    whole = make(name, codec=codec, codec_options={"g": "12"}, num_frames=30)
    assert probe(whole).warnings == ()
    path = tmp_path / name
    path.write_bytes(whole.read_bytes() * 2)
    info = probe(path)
    assert "streams_unread" in info.warnings
    assert info.timestamps == "estimated" or info.num_frames == 30


def test_a_header_repeated_between_fragments_is_no_other_film(tmp_path, make):
    """As in recordings of a broadcast; another header there, or the same without fragments, is one."""
    fragmented = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    options = {"codec_options": {"g": "10", "preset": "ultrafast"}, "format_options": fragmented}
    data = make("one.mp4", num_frames=30, **options).read_bytes()
    other = make("other.mp4", num_frames=30, size=(128, 64), **options).read_bytes()
    starts = [found.start() - 4 for found in re.finditer(b"moof", data)]
    head, middle = data[: starts[0]], starts[1]
    path = tmp_path / "recorded.mp4"
    path.write_bytes(data[:middle] + head + data[middle:])
    info = probe(path)
    assert (info.warnings, info.num_frames) == ((), 30)
    path.write_bytes(data + other)
    assert "streams_unread" in probe(path).warnings
    path.write_bytes(head + data)
    assert is_followed(path, "mov,mp4")
