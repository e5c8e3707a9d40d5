"""Boxes around lines, and lines cut out of their pictures."""

import numpy as np
import pytest

from videoxl2.screen_text.box import Box, cut_lines


@pytest.mark.parametrize("degrees", [-40, -12, 0, 8, 30])
def test_a_box_has_the_corners_it_was_made_from(degrees: int) -> None:
    """Whatever its angle."""
    box = Box(160, 150, 200, 30, np.radians(degrees))
    again = Box.of_corners(box.corners_42)
    assert again.corners_42 == pytest.approx(box.corners_42)
    assert (again.x, again.y, again.width, again.height, again.angle) == pytest.approx(
        (160, 150, 200, 30, np.radians(degrees))
    )


def test_corners_that_were_rounded_make_no_turned_box() -> None:
    """A pixel up or down over a line is level."""
    corners = np.array([[40, 300], [240, 301], [240, 331], [40, 330]], float)
    assert Box.of_corners(corners).angle == 0.0


def test_the_outline_is_level_and_holds_the_box() -> None:
    """In pixels; moved and scaled with it."""
    level = Box(100, 50, 80, 20)
    assert level.outline == pytest.approx((60, 40, 140, 60))
    assert level.moved(32).outline == pytest.approx((60, 72, 140, 92))
    assert level.scaled(2, 3).outline == (120, 120, 280, 180)
    left, top, right, bottom = Box(100, 50, 80, 20, np.pi / 4).outline
    assert (right - left, bottom - top) == pytest.approx((70.7, 70.7), abs=0.1)


def test_a_line_is_cut_out_level_and_in_reading_order() -> None:
    """What is written along a column is turned both ways; a box over the border is as large as it is."""
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[20:180, 100:120] = np.linspace(255, 5, 160, dtype=np.uint8)[:, None, None]  # bright at the top
    upwards, downwards = cut_lines(picture, Box(110, 100, 20, 160))
    assert upwards.shape == downwards.shape == (20, 160, 3)
    assert upwards[10, 4, 0] < 20 < 240 < upwards[10, -4, 0]
    assert downwards[10, -4, 0] < 20 < 240 < downwards[10, 4, 0]
    (over,) = cut_lines(picture, Box(0, 10, 60, 40))
    assert over.shape == (40, 60, 3)


def test_a_turned_line_is_cut_out_level() -> None:
    """Dark above, bright in the middle, along all of it."""
    rows, columns = np.mgrid[:200, :300]
    along = np.abs((rows - 100) * np.cos(0.3) - (columns - 150) * np.sin(0.3))
    picture = np.where(along < 4, 255, 0).astype(np.uint8)[..., None].repeat(3, 2)
    (line,) = cut_lines(picture, Box(150, 100, 120, 24, 0.3))
    assert line[12, 5:-5].min() > 200
    assert line[2, 5:-5].max() < 50
