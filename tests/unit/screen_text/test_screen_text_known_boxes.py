"""Boxes that are not read twice."""

import numpy as np
from drawn_looks import draw_text

from videoxl2.screen_text.boxes import Box
from videoxl2.screen_text.known_boxes import KnownBoxes, Reading

PLAIN = np.full((96, 320, 3), 60, np.uint8)
BOX = Box(110, 42, 180, 40, 0.0, 0.9)
SAYS = Reading("Anna Keller", 0.98)


def known_with(picture: np.ndarray) -> KnownBoxes:
    known = KnownBoxes()
    known.keep(BOX, picture, SAYS)
    return known


def test_the_same_pixels_in_the_same_place_say_the_same() -> None:
    """Also where noise or a box that is a few pixels off is all the difference."""
    picture = draw_text(PLAIN, "Anna Keller", (30, 28))
    known = known_with(picture)
    noise = np.random.default_rng(1).integers(-6, 7, picture.shape)
    assert known.find(BOX, np.clip(picture + noise, 0, 255).astype(np.uint8)) == SAYS
    assert known.find(Box(112, 43, 182, 42, 0.0, 0.7), picture) == SAYS


def test_another_text_or_another_place_is_read() -> None:
    """A name that takes another's place, too."""
    known = known_with(draw_text(PLAIN, "Anna Keller", (30, 28)))
    other = draw_text(PLAIN, "Ben Okonkwo", (30, 28))
    assert known.find(BOX, other) is None
    assert known.find(Box(120, 42, 180, 40, 0.0, 0.9), draw_text(PLAIN, "Anna Keller", (40, 28))) is None


def test_boxes_used_long_ago_are_forgotten() -> None:
    """Memory does not grow with the film."""
    first = draw_text(PLAIN, "Anna Keller", (30, 28))
    known = known_with(first)
    for left in range(200):
        known.keep(Box(left, 42, 10, 40, 0.0, 0.9), first, Reading("x", 0.9))
    assert known.find(BOX, first) is None
