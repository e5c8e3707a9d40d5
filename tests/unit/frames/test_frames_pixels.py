"""Colour, filter and orientation of the frames."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import Interpolation
from PIL import Image

from videoxl2.frames import plan_sampling, probe, read_frames
from videoxl2.frames.files.pixels import RgbConverter, rotation_degrees, upright

SIZE = 96


def test_the_resize_is_pillows_bicubic_but_for_rounding():
    """Mean difference to Pillow's bicubic of the full-size RGB picture stays below 0.6 of 255 levels."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (18, 32, 3), dtype=np.uint8)).resize(
        (1280, 720), Image.Resampling.BICUBIC
    )
    picture = av.VideoFrame.from_ndarray(np.asarray(smooth), format="rgb24").reformat(format="yuv420p")
    careful = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
    full = picture.reformat(format="rgb24", interpolation=careful)
    expected = Image.fromarray(full.to_ndarray()).resize((384, 384), Image.Resampling.BICUBIC)
    got = RgbConverter(384).rgb(picture)
    assert np.abs(got.astype(int) - np.asarray(expected)).mean() < 0.6


@pytest.mark.parametrize(("turn", "quarter_turns"), [(90, 1), (180, 2), (-90, 3)])
def test_phone_videos_are_shown_upright(make, read_plainly, turn, quarter_turns):
    """A stored turn is applied, counter-clockwise as FFmpeg's autorotate does, and reported clockwise."""
    path = make("turned.mp4", num_frames=30, rotation=turn)
    info = probe(path)
    got = next(read_frames(path, plan_sampling(info), SIZE)).frames
    stored, _ = read_plainly(path, [Fraction(0), Fraction(1)])
    assert info.rotation == -turn % 360
    assert (info.width, info.height) == (192, 128)
    assert np.array_equal(got, np.rot90(stored, quarter_turns, axes=(1, 2)))


def test_mirrored_videos_are_mirrored_back(make, read_plainly):
    """Front cameras store a flip; it is undone."""
    path = make("mirrored.mp4", num_frames=5, hflip=True)
    got = next(read_frames(path, plan_sampling(probe(path)), SIZE)).frames
    stored, _ = read_plainly(path, [Fraction(0)])
    assert np.array_equal(got, stored[:, :, ::-1])


@pytest.mark.parametrize("matrix", [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0),
                                    (-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0)])  # fmt: skip
def test_every_orientation_moves_pixels_where_the_matrix_says(matrix):
    """All eight: the pixel at (x, y) is shown at (a x + c y, b x + d y), shifted into view."""
    a, b, c, d = matrix
    fixed = np.array([[a, b, 0], [c, d, 0], [0, 0, 1]], np.int32) * 65536
    rgb = np.arange(5 * 5 * 3, dtype=np.uint8).reshape(5, 5, 3)
    expected = np.empty_like(rgb)
    for y in range(5):
        for x in range(5):
            expected[(b * x + d * y) % 5 if b + d > 0 else 4 + b * x + d * y,
                     (a * x + c * y) % 5 if a + c > 0 else 4 + a * x + c * y] = rgb[y, x]  # fmt: skip
    assert np.array_equal(upright(rgb, fixed), expected)
    assert upright(rgb, None) is rgb
    assert rotation_degrees(None) == 0


@pytest.mark.parametrize("size", [33, 96, 384])
def test_any_size_is_square_and_tight(make, size):
    """Row padding inside FFmpeg never leaks into the array."""
    path = make("plain.mp4", num_frames=5)
    frames = next(iter(read_frames(path, plan_sampling(probe(path), Fraction(10)), size))).frames
    assert frames.shape == (2, size, size, 3)
    assert frames.flags.c_contiguous
