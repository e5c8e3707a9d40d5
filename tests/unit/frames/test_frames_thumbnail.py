"""Thumbnails: the picture on screen at a moment, upright and in its true shape."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from videoxl2.frames import LimitExceeded, NoVideo, probe
from videoxl2.frames.reading.stills import thumbnail as module
from videoxl2.frames.reading.stills.thumbnail import read_thumbnail


def _picture(jpeg: bytes) -> Image.Image:
    return Image.open(io.BytesIO(jpeg))


def _squashed(jpeg: bytes) -> np.ndarray:
    return np.asarray(_picture(jpeg).convert("RGB").resize((96, 96)))


def test_it_shows_the_picture_on_screen(made, numbers):
    """In every container and codec, at the moment a picture begins and shortly before the next one does."""
    clip, path = made
    info = probe(path)
    num = len(clip.shown_s)
    wanted = sorted({0, num // 3, num // 2, num - 1})
    begin_ms = [round(clip.shown_s[n] * 1000) for n in wanted]
    next_ms = [
        round(clip.shown_s[n + 1] * 1000) - 3 if n + 1 < num else info.duration_ms + 999 for n in wanted
    ]
    for times in (begin_ms, next_ms):
        shown = np.stack([_squashed(read_thumbnail(path, ms, info.start_ms)) for ms in times])
        assert numbers(shown) == wanted


def test_it_is_upright_and_fits(make):
    """A quarter turn makes it tall; the longer side has the size asked for."""
    path = make("turned.mp4", num_frames=5, rotation=90)
    assert _picture(read_thumbnail(path, 0, 0, size=120)).size == (80, 120)


def test_pixels_that_are_not_square_are_stretched(tmp_path):
    """As players do: 192 x 128 with pixels twice as wide as high is 3 to 1."""
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 192, 128, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        frame = av.VideoFrame.from_ndarray(np.zeros((128, 192, 3), np.uint8), format="rgb24")
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    assert _picture(read_thumbnail(path, 0, 0, size=300)).size == (300, 100)


def test_work_without_an_index_is_bounded(make_named, monkeypatch):
    """A late moment of a long file that cannot be entered is refused instead of decoded for minutes."""
    _, path = make_named("h264.avi")
    info = probe(path)
    monkeypatch.setattr(module, "MAX_PACKETS", 50)
    assert read_thumbnail(path, 0, info.start_ms)
    with pytest.raises(LimitExceeded, match="packets"):
        read_thumbnail(path, 5000, info.start_ms)
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    with pytest.raises(LimitExceeded, match="bytes"):
        read_thumbnail(path, 0, info.start_ms)


def test_what_has_no_pictures_says_so(tmp_path):
    """The reader's own errors, for the caller to show."""
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    with pytest.raises(NoVideo):
        read_thumbnail(path, 0, 0)
