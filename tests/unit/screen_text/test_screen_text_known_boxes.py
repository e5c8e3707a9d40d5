"""Boxes that are not read twice."""

import numpy as np
import pytest
from drawn_looks import Pixels, draw_text

from videoxl2.screen_text.box import Box
from videoxl2.screen_text.known_boxes import KnownBoxes, Reading, gray_of

PLAIN = np.full((96, 320, 3), 60, np.uint8)
BOX = Box(110, 42, 180, 40)
SAYS = Reading("Anna Keller", 0.98)


def known_with(picture: Pixels) -> KnownBoxes:
    known = KnownBoxes()
    known.keep(BOX, gray_of(picture), SAYS)
    return known


def test_the_same_pixels_in_the_same_place_say_the_same() -> None:
    """Also where noise or a box that is a few pixels off is all the difference."""
    picture = draw_text(PLAIN, "Anna Keller", (30, 28))
    known = known_with(picture)
    noise = np.random.default_rng(1).integers(-6, 7, picture.shape)
    assert known.find(BOX, gray_of(np.clip(picture + noise, 0, 255).astype(np.uint8))) == SAYS
    assert known.find(Box(112, 43, 182, 42), gray_of(picture)) == SAYS


def test_what_rolls_on_is_known() -> None:
    """Though its box lies a pixel or two otherwise around it."""
    known = known_with(draw_text(PLAIN, "Anna Keller", (30, 28)))
    assert known.find(Box(112, 60, 182, 41), gray_of(draw_text(PLAIN, "Anna Keller", (31, 45)))) == SAYS


@pytest.mark.parametrize("other", ["Ben Okonkwo", "Anna Kelter", "Anna Kelle", "Anna Kellers"])
def test_another_text_is_read(other: str) -> None:
    """Even where it is another by one letter."""
    known = known_with(draw_text(PLAIN, "Anna Keller", (30, 28)))
    assert known.find(BOX, gray_of(draw_text(PLAIN, other, (30, 28)))) is None


@pytest.mark.parametrize("size", [14, 18, 24])
@pytest.mark.parametrize("digit", range(9))
def test_another_digit_in_a_long_line_is_read(size: int, digit: int) -> None:
    """As on a score board."""
    box = Box(155, 42, 270, 1.7 * size)
    at = (30, 40 - size // 2)
    known = KnownBoxes()
    known.keep(box, gray_of(draw_text(PLAIN, f"Home {digit} : 1 Guests", at, size)), SAYS)
    assert known.find(box, gray_of(draw_text(PLAIN, f"Home {digit + 1} : 1 Guests", at, size))) is None


def test_boxes_used_long_ago_are_forgotten() -> None:
    """Memory does not grow with the film."""
    first = gray_of(draw_text(PLAIN, "Anna Keller", (30, 28)))
    known = KnownBoxes()
    known.keep(BOX, first, SAYS)
    for left in range(200):
        known.keep(Box(left, 42, 10, 40), first, Reading("x", 0.9))
    assert known.find(BOX, first) is None
