"""Strips: the picture on screen at even steps, on one sheet."""

import io
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.reading.stills.strip import COLUMNS, MOST_TILES, Strip, StripMaker

SHADES = (20, 90, 160, 230)


def shown(shade: int, height: int = 36, width: int = 64) -> Picture:
    """A grey picture, as a decoder gives it."""
    pixels = np.full((height, width, 3), shade, np.uint8)
    return Picture(av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="yuv420p"), False)


def make(
    duration_ms: int, pictures: list[tuple[int, int]], pixel_aspect: Fraction = Fraction(1)
) -> Strip | None:
    """The strip of a film, its pictures as (ms, shade)."""
    maker = StripMaker(duration_ms, pixel_aspect)
    for at_ms, shade in pictures:
        maker.picture(shown(shade), at_ms)
    return maker.finish()


def shades_of(strip: Strip) -> list[int]:
    """The mean of each tile."""
    sheet = np.asarray(Image.open(io.BytesIO(strip.image)).convert("L"))
    tiles = []
    for number in range(strip.num_tiles):
        y, x = number // strip.num_columns * strip.tile_height, number % strip.num_columns * strip.tile_width
        tiles.append(round(float(sheet[y : y + strip.tile_height, x : x + strip.tile_width].mean())))
    return tiles


def test_each_tile_is_the_picture_on_screen_then():
    """Also where pictures stand for seconds, come many a second, or begin just before or at a step."""
    strip = make(5500, [(0, 20), (40, 90), (999, 160), (1000, 230), (1040, 20), (4000, 90), (5400, 160)])
    assert (strip.num_tiles, strip.step_ms) == (6, 1000)
    assert shades_of(strip) == pytest.approx([20, 230, 20, 20, 90, 90], abs=6)


def test_a_long_film_has_as_many_tiles_as_a_short_one_at_most():
    """Ten hours, a picture each minute: the steps grow, not the sheet."""
    strip = make(36_000_000, [(ms, SHADES[ms // 60_000 % 4]) for ms in range(0, 36_000_000, 60_000)])
    assert (strip.num_tiles, strip.num_columns, strip.step_ms) == (MOST_TILES, COLUMNS, 360_000)
    assert Image.open(io.BytesIO(strip.image)).size == (10 * strip.tile_width, 10 * strip.tile_height)
    expected = [SHADES[n * 6 % 4] for n in range(MOST_TILES)]
    assert shades_of(strip) == pytest.approx(expected, abs=6)


def test_one_picture_makes_one_tile():
    """In the shape that a player shows: pixels twice as wide as high."""
    strip = make(40, [(0, 160)], Fraction(2))
    assert (strip.num_tiles, strip.tile_width, strip.tile_height) == (1, 160, 45)
    assert shades_of(strip) == pytest.approx([160], abs=6)


def test_a_film_that_changes_its_size_keeps_its_tiles():
    """All on one sheet are of the first one's shape."""
    maker = StripMaker(2000, Fraction(1))
    maker.picture(shown(20), 0)
    maker.picture(shown(230, height=64, width=36), 1000)
    strip = maker.finish()
    assert (strip.tile_width, strip.tile_height, strip.num_tiles) == (160, 90, 2)
    assert shades_of(strip) == pytest.approx([20, 230], abs=6)


def test_no_pictures_make_no_strip():
    """A pass that was given up at once."""
    assert make(2000, []) is None
