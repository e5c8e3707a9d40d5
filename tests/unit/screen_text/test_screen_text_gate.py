"""Which pictures are looked at: those in which what may be text has changed."""

import numpy as np
import pytest
from drawn_looks import ArrayLook, draw_text

from videoxl2.screen_text.gate import WHOLE, Gate, Strip, changed_rows, jumps_of

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
    rows = changed_rows(np.array([before], np.float32), np.array([after], np.float32))
    assert rows == (slice(0, 1) if expected else None)


def test_all_that_changed_is_in_the_rows() -> None:
    """And what lies between."""
    before, after = np.zeros((9, 4), np.float32), np.zeros((9, 4), np.float32)
    after[2, 1:3] = after[6, :2] = 20
    assert changed_rows(before, after) == slice(2, 7)


def test_the_first_picture_is_looked_at_whole_and_each_new_text_in_its_strip() -> None:
    """Also that a text is gone."""
    gate, text = Gate(), draw_text(PLAIN, "Anna Keller", (40, 300))
    strips = [gate.strip_of(ArrayLook(picture)) for picture in (PLAIN, PLAIN, text, text, PLAIN, PLAIN)]
    assert [strip is not None for strip in strips] == [True, False, True, False, True, False]
    first, _, came, _, went, _ = strips
    assert first == WHOLE
    assert isinstance(came, Strip)
    assert came == went
    assert 0.8 < came.top < 0.86 < 0.9 < came.bottom < 0.95


def test_a_part_that_is_not_looked_at_is_held_against_its_last_look() -> None:
    """So that what changes little by little is looked at when it has become another."""
    gate, stripes = Gate(), np.arange(640) % 4 < 2
    gate.strip_of(ArrayLook(PLAIN))
    tops = []
    for number in range(6):
        picture = draw_text(PLAIN, "Anna Keller" if number % 2 == 0 else "", (40, 300)).copy()
        picture[24:48] = np.where(stripes, 96 + 6 * number, 90).astype(np.uint8)[None, :, None]
        strip = gate.strip_of(ArrayLook(picture))
        tops.append(None if strip is None else round(strip.top, 2))
    assert tops[:2] == [0.84, 0.84]
    assert 0.06 in tops


def test_what_moves_without_text_is_not_looked_at() -> None:
    """A soft shape that wanders."""
    gate, rows = Gate(), np.arange(640)
    shapes = [90 + 80 * np.exp(-(((rows - 100 - 60 * n) / 60.0) ** 2)) for n in range(6)]
    pictures = [np.broadcast_to(shape[None, :, None], (360, 640, 3)).astype(np.uint8) for shape in shapes]
    assert [gate.strip_of(ArrayLook(picture)) for picture in pictures] == [WHOLE, *[None] * 5]


def test_every_fifteenth_picture_is_looked_at_whatever_it_shows() -> None:
    """So that text which comes softly is found in the end."""
    gate = Gate()
    looked = [gate.strip_of(ArrayLook(PLAIN)) for _ in range(31)]
    assert looked == [WHOLE if n % 15 == 0 else None for n in range(31)]


def test_a_picture_of_another_size_is_looked_at() -> None:
    """A film may change it."""
    gate = Gate()
    assert gate.strip_of(ArrayLook(PLAIN)) == WHOLE
    assert gate.strip_of(ArrayLook(PLAIN[:, :300])) == WHOLE
