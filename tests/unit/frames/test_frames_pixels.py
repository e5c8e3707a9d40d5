"""Colour, filter and orientation of the frames."""

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
import torch
from av.video.reformatter import Interpolation
from PIL import Image
from torch.nn import functional

from videoxl2.frames import plan_sampling, probe, read_frames
from videoxl2.frames.files.pixels import RgbConverter, is_on_its_side, rotation_degrees, upright

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


@pytest.mark.parametrize("sides", [(560, 1008), (128, 224)])
def test_pictures_in_their_own_shape_are_those_of_qwens_processors_but_for_rounding(sides):
    """Mean difference to torch's antialiased bicubic of the full-size RGB picture: below 0.6 of 255."""
    rng = np.random.default_rng(0)
    smooth = Image.fromarray(rng.integers(0, 256, (18, 32, 3), dtype=np.uint8)).resize(
        (1280, 720), Image.Resampling.BICUBIC
    )
    picture = av.VideoFrame.from_ndarray(np.asarray(smooth), format="rgb24").reformat(format="yuv420p")
    careful = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
    full = torch.from_numpy(picture.reformat(format="rgb24", interpolation=careful).to_ndarray())
    scaled = functional.interpolate(full.permute(2, 0, 1)[None], sides, mode="bicubic", antialias=True)
    got = RgbConverter(sides).rgb(picture)
    assert np.abs(got.astype(int) - scaled[0].permute(1, 2, 0).numpy()).mean() < 0.6


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


@pytest.mark.parametrize(("turn", "quarter_turns"), [(0, 0), (90, 1), (180, 2), (-90, 3)])
def test_a_size_is_that_of_the_picture_as_it_is_shown(make, read_plainly, turn, quarter_turns):
    """Height and width count upright: what a phone stores on its side is squashed so, then turned."""
    path = make("shaped.mp4", num_frames=30, rotation=turn)
    info = probe(path)
    upright_sides = (192, 128) if quarter_turns % 2 == 0 else (128, 192)
    assert info.shown_size == upright_sides
    width, height = (side // 2 for side in upright_sides)
    got = next(read_frames(path, plan_sampling(info), (height, width))).frames
    stored, _ = read_plainly(path, [Fraction(0), Fraction(1)], (64, 96))
    assert np.array_equal(got, np.rot90(stored, quarter_turns, axes=(1, 2)))


def test_pictures_that_change_their_size_midway_are_squashed_to_the_same(make, read_plainly, tmp_path):
    """The size follows the first picture; later ones of another shape are squashed to it, none is lost."""
    parts = [make("wide.ts", num_frames=50), make("tall.ts", num_frames=50, size=(128, 192))]
    path = tmp_path / "both.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    info = probe(path)
    assert info.shown_size == (192, 128)
    got = next(read_frames(path, plan_sampling(info), (64, 96)))
    assert got.frames.shape == (len(got.pts_ms), 64, 96, 3)
    stored, _ = read_plainly(parts[1], [Fraction(0)], (64, 96))
    assert any(np.array_equal(frame, stored[0]) for frame in got.frames)


@pytest.mark.parametrize("matrix", [(0, 1, 1, 0), (0, -1, -1, 0)])
def test_a_mirrored_quarter_turn_swaps_the_sides(matrix):
    """Whichever way a picture lies, its stored height is its shown width."""
    a, b, c, d = matrix
    assert is_on_its_side(np.array([[a, b, 0], [c, d, 0], [0, 0, 1]], np.int32) * 65536)
    assert not is_on_its_side(None)


@pytest.mark.parametrize(
    ("rotation", "pixel_aspect", "shown"),
    [
        (0, Fraction(1), (720, 576)),
        (0, Fraction(64, 45), (1024, 576)),
        (90, Fraction(64, 45), (576, 1024)),
        (180, Fraction(16, 15), (768, 576)),
        (270, Fraction(1), (576, 720)),
        (0, Fraction(1, 5000), (1, 576)),
    ],
)
def test_shown_size_has_square_pixels_and_stands_upright(make, rotation, pixel_aspect, shown):
    """Pixels are as wide as the file says before they are turned, as in a player."""
    info = replace(
        probe(make("any.mp4", num_frames=1)),
        width=720,
        height=576,
        rotation=rotation,
        pixel_aspect=pixel_aspect,
    )
    assert info.shown_size == shown


@pytest.mark.parametrize("size", [33, 96, 384])
def test_any_size_is_square_and_tight(make, size):
    """Row padding inside FFmpeg never leaks into the array."""
    path = make("plain.mp4", num_frames=5)
    frames = next(iter(read_frames(path, plan_sampling(probe(path), Fraction(10)), size))).frames
    assert frames.shape == (2, size, size, 3)
    assert frames.flags.c_contiguous
