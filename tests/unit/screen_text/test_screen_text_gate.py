"""Which pictures are looked at: those in which what may be text has changed."""

import numpy as np
import pytest
from drawn_looks import ArrayLook, draw_text

from videoxl2.screen_text.gate import Gate, has_changed, jumps_of

PLAIN = np.full((360, 640, 3), 90, np.uint8)


def test_the_jumps_of_a_block_are_those_of_its_own_pixels() -> None:
    """A hard edge counts no more than 96; rows are 12 high, columns 16 wide."""
    gray = np.zeros((24, 48), np.uint8)
    gray[:, 20:] = 255
    assert jumps_of(gray).tolist() == [[0, 6, 0], [0, 6, 0]]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([0, 20, 20, 0], [0, 20, 20, 0], False),
        ([0, 0, 0, 0], [0, 20, 20, 0], True),
        ([0, 20, 20, 0], [0, 0, 0, 0], True),
        ([0, 20, 20, 0], [0, 30, 20, 0], False),
        ([0, 20, 20, 0], [0, 31, 31, 0], True),
        ([0, 0, 0, 0], [0, 13, 13, 0], False),
        ([0, 0, 0, 0], [20, 0, 20, 0], False),
    ],
)
def test_two_neighbours_that_changed_are_text(before: list[int], after: list[int], expected: bool) -> None:
    """One alone is an edge that moved; soft ones are no text."""
    assert has_changed(np.array([before], np.float32), np.array([after], np.float32)) is expected


def test_the_first_picture_and_each_new_text_are_looked_at() -> None:
    """And that a text is gone."""
    gate, text = Gate(), draw_text(PLAIN, "Anna Keller", (40, 300))
    opened = [gate.opens(ArrayLook(picture)) for picture in (PLAIN, PLAIN, text, text, PLAIN, PLAIN)]
    assert opened == [True, False, True, False, True, False]


def test_what_moves_without_text_is_not_looked_at() -> None:
    """A soft shape that wanders."""
    gate, rows = Gate(), np.arange(640)
    shapes = [90 + 80 * np.exp(-(((rows - 100 - 60 * n) / 60.0) ** 2)) for n in range(6)]
    pictures = [np.broadcast_to(shape[None, :, None], (360, 640, 3)).astype(np.uint8) for shape in shapes]
    assert [gate.opens(ArrayLook(picture)) for picture in pictures] == [True, *[False] * 5]


def test_every_eighth_picture_is_looked_at_whatever_it_shows() -> None:
    """So that text which comes softly is found in the end."""
    gate = Gate()
    assert [gate.opens(ArrayLook(PLAIN)) for _ in range(17)] == [n % 8 == 0 for n in range(17)]


def test_a_picture_of_another_size_is_looked_at() -> None:
    """A film may change it."""
    gate = Gate()
    assert gate.opens(ArrayLook(PLAIN))
    assert gate.opens(ArrayLook(PLAIN[:, :300]))
