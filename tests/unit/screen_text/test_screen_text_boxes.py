"""From a map of how likely each pixel is within a line to boxes around lines."""

import numpy as np
import pytest
from PIL import Image

from videoxl2.screen_text.boxes import Box, find_boxes
from videoxl2.screen_text.components import find_patches
from videoxl2.screen_text.recogniser import cut_lines

MASKS = {
    "apart": ("##..#", "##..#", 2),
    "touching by a corner": ("##...", "..###", 1),
    "joined further down": ("#.#.#", "#####", 1),
    "one row": ("#.#.#", ".....", 3),
    "at the borders": ("#...#", "....#", 2),
    "nothing": (".....", ".....", 0),
}


@pytest.mark.parametrize("name", MASKS)
def test_runs_that_touch_are_one_patch(name: str) -> None:
    """By a corner, too; the end of a row does not touch the start of the next."""
    *rows, expected = MASKS[name]
    assert find_patches(np.array([[mark == "#" for mark in row] for row in rows])).num_patches == expected


def test_patches_are_those_of_a_walk_from_pixel_to_pixel() -> None:
    """Of masks that are drawn at random."""
    draw = np.random.default_rng(5)
    for density in (0.1, 0.3, 0.45, 0.6, 0.8):
        mask = draw.random((40, 50)) < density
        runs = find_patches(mask)
        ours = np.full(mask.shape, -1)
        for row, first, stop, patch in zip(runs.row, runs.first, runs.stop, runs.patch, strict=True):
            ours[row, first:stop] = patch
        assert np.array_equal(ours >= 0, mask)
        pairs = {(ours[y, x], walked) for (y, x), walked in _walked(mask).items()}
        assert len(pairs) == runs.num_patches == len({walked for _, walked in pairs})


def _walked(mask: np.ndarray) -> dict[tuple[int, int], int]:
    left, found, number = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}, {}, 0
    while left:
        waiting = [left.pop()]
        while waiting:
            y, x = waiting.pop()
            found[y, x] = number
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            waiting += near
        number += 1
    return found


def test_a_level_line_gets_a_level_box_grown_by_what_the_core_lacks() -> None:
    """A core of 20 x 200 lacks 1.6 x 20 x 200 / 440 = 14.5 pixels at each side."""
    likely = np.zeros((128, 320), np.float32)
    likely[40:60, 50:250] = 0.9
    (box,) = find_boxes(likely)
    assert box.angle == 0
    assert box.outline == pytest.approx((35.5, 25.5, 264.5, 74.5), abs=2)
    assert box.score == pytest.approx(0.9, abs=0.1)


@pytest.mark.parametrize("degrees", [-30, -8, 12, 40])
def test_a_turned_line_gets_a_turned_box(degrees: int) -> None:
    """At the angle of the line, as wide as one that is level."""
    core = Image.new("L", (320, 320))
    core.paste(230, (60, 150, 260, 170))
    likely = np.asarray(core.rotate(-degrees, Image.Resampling.BILINEAR), np.float32) / np.float32(255)
    (box,) = find_boxes(likely)
    assert np.degrees(box.angle) == pytest.approx(degrees, abs=1)
    assert (box.x, box.y) == pytest.approx((160, 160), abs=2)
    assert (box.width, box.height) == pytest.approx((233, 53), abs=5)


def test_lines_come_from_top_to_bottom_and_specks_not_at_all() -> None:
    """Nor do patches that are mostly unsure."""
    likely = np.zeros((256, 320), np.float32)
    likely[200:212, 20:100] = likely[20:32, 180:300] = likely[22:34, 20:120] = 0.8
    likely[100:102, 40:42] = 0.9
    likely[120:132, 40:200] = 0.35
    assert [round(box.x) for box in find_boxes(likely)] == [70, 240, 60]


def test_an_empty_map_has_no_boxes() -> None:
    """Most pictures have none."""
    assert find_boxes(np.zeros((64, 64), np.float32)) == []


def test_a_line_is_cut_out_level_and_in_reading_order() -> None:
    """What is written along a column is turned both ways; a box over the border ends there."""
    picture = np.zeros((200, 300, 3), np.uint8)
    picture[20:180, 100:120] = np.linspace(255, 5, 160, dtype=np.uint8)[:, None, None]  # bright at the top
    upwards, downwards = cut_lines(picture, Box(110, 100, 20, 160, 0.0, 1.0))
    assert upwards.shape == downwards.shape == (48, 384, 3)
    assert upwards[24, 8, 0] < 20 < 240 < upwards[24, -8, 0]
    assert downwards[24, -8, 0] < 20 < 240 < downwards[24, 8, 0]
    (over,) = cut_lines(picture, Box(0, 10, 60, 40, 0.0, 1.0))
    assert over.shape == (48, 72, 3)
