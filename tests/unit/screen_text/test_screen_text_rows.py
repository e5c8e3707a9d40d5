"""Boxes of one row that stand close are one line."""

import pytest

from videoxl2.screen_text.records import Outline, Seen
from videoxl2.screen_text.rows import in_rows

ASPECT = 16 / 9


def seen(
    text: str, left: float, right: float, top: float = 0.5, high: float = 0.08, sure: float = 0.9
) -> Seen:
    return Seen(text, sure, Outline(left, top, right, top + high))


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (seen("Ada Byron", 0.42, 0.6), ["Camera Ada Byron"]),
        (seen("Ada Byron", 0.39, 0.6), ["Camera Ada Byron"]),
        (seen("Ada Byron", 0.5, 0.68), ["Camera", "Ada Byron"]),
        (seen("Ada Byron", 0.42, 0.6, top=0.51), ["Camera Ada Byron"]),
        (seen("Ada Byron", 0.42, 0.6, top=0.524), ["Camera", "Ada Byron"]),
        (seen("Ada Byron", 0.42, 0.6, top=0.48, high=0.14), ["Ada Byron", "Camera"]),
        (seen("Ada Byron", 0.2, 0.4), ["Camera", "Ada Byron"]),
    ],
    ids=[
        "close",
        "overlapping",
        "another column",
        "lower letters",
        "another row",
        "larger letters",
        "over it",
    ],
)
def test_what_is_close_in_one_row_is_one_line(second: Seen, expected: list[str]) -> None:
    """Closer than 0.6 of the boxes' height."""
    first = seen("Camera", 0.2 if second.outline.left != 0.2 else 0.21, 0.4)
    found = in_rows([second, first], ASPECT)
    assert sorted(one.text for one in found) == sorted(expected)


def test_more_than_two_are_joined_in_their_order() -> None:
    """The box is around all; the confidence is that of all letters."""
    parts = [seen("C", 0.62, 0.7), seen("A", 0.3, 0.45, sure=0.8), seen("B", 0.46, 0.61)]
    (line,) = in_rows(parts, ASPECT)
    assert (line.text, line.outline) == ("A B C", Outline(0.3, 0.5, 0.7, 0.58))
    assert line.confidence == pytest.approx((0.8 + 0.9 + 0.9) / 3, abs=0.03)


def test_lines_come_from_top_to_bottom() -> None:
    """And from left to right."""
    lines = [seen("right", 0.7, 0.9), seen("below", 0.1, 0.3, top=0.8), seen("left", 0.1, 0.3)]
    assert [one.text for one in in_rows(lines, ASPECT)] == ["left", "right", "below"]
