"""Apple Video: what its packets are said to be is not always so."""

from fractions import Fraction

import av
import numpy as np
import pytest

from videoxl2.frames import Span, plan_sampling, probe, read_frames, read_span
from videoxl2.frames.files.apple_video import keeps_blocks

SIZE = 96
HEAD = b"\xe1\0\0\0"
KEY = 40  # the only one but the first


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A square that moves over a ground that comes in with a key, and stays; by FFmpeg's own encoder."""
    path = tmp_path_factory.mktemp("apple") / "film.mov"
    noise = np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), dtype=np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("rpza", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "rgb555le"
        for number in range(80):
            picture = noise[number // KEY].copy()
            picture[20:36, number : number + 12] = 3 * number
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("start", [5, 35, KEY + 3, 75])
def test_a_span_has_the_pictures_of_the_whole_film(film, start):
    """Its encoder calls every packet a key; where blocks stay as they were, reading begins before."""
    with av.open(str(film)) as container:
        said = [packet.is_keyframe for packet in container.demux(video=0) if packet.size]
    assert all(said)
    info = probe(film)
    grid = plan_sampling(info, Fraction(25))
    whole = np.concatenate([span.frames for span in read_frames(film, grid, SIZE, info=info)])
    span = read_span(film, info, grid, Span(start, start + 4), SIZE)
    assert np.array_equal(span.frames, whole[start : start + 4])
    assert (info.warnings, span.flags.any()) == ((), False)


def test_blocks_that_stay_are_told_from_what_looks_like_them():
    """Behind a block of four colours or of sixteen, and behind several of one colour or of four."""
    stay, four = b"\x80", b"\x12\x34\x92\x34" + b"\x80" * 4
    sixteen, one, many = b"\x12\x34" * 16, b"\xa3\x80\x80", b"\xc1" + b"\x80" * 12
    for blocks in (four, sixteen, one, many):
        assert not keeps_blocks(HEAD + blocks * 3)
        assert keeps_blocks(HEAD + blocks * 3 + stay)
    assert not keeps_blocks(b"")
    assert not keeps_blocks(HEAD + b"\xff" + stay)
