"""Boxes that have been read already: the same pixels say the same, also where they have moved."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videoxl2.screen_text.box import Box

_ALIKE = 9.0  # mean difference of pixels, 0 to 255
_STROKE = 0.15  # of a box's height: the side of a square in which a stroke that comes or goes shows
_CONTRAST = 0.33  # of what is between dark and bright: mean difference of a square that makes another letter
_LEAST_CONTRAST = 12.0
_AS_WIDE, _AS_HIGH = 6, 3  # pixels that the sides of a box may differ
_SHIFTS = sorted(product(range(-3, 4), repeat=2), key=lambda shift: abs(shift[0]) + abs(shift[1]))
_MOST = 96  # boxes kept, those used last

Gray = NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Reading:
    """The text of a box; `confidence` is the mean probability of its letters."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class _Known:
    left: int
    top: int
    pixels: Gray
    most: float  # that a square of it may differ by
    reading: Reading

    def is_at(self, gray_HW: Gray, left: int, top: int) -> bool:
        """Whether a picture has these pixels at that place."""
        height, width = self.pixels.shape
        if left < 0 or top < 0:
            return False
        there = gray_HW[top : top + height, left : left + width]
        return there.shape == self.pixels.shape and is_alike(self.pixels, there, self.most)


class KnownBoxes:
    """The last boxes of one video."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._count = 0

    def find(self, box: Box, gray_HW: Gray) -> Reading | None:
        """Return what the box said the last time. `gray_HW` is the whole picture."""
        left, top, right, bottom = _edges(box, gray_HW)
        for number, known in reversed(self._known.items()):
            height, width = known.pixels.shape
            if abs(bottom - top - height) > _AS_HIGH or abs(right - left - width) > _AS_WIDE:
                continue
            if any(known.is_at(gray_HW, *place) for place in _places(known, left, top)):
                self._known.move_to_end(number)
                return known.reading
        return None

    def keep(self, box: Box, gray_HW: Gray, reading: Reading) -> None:
        """Remember what it says."""
        left, top, right, bottom = _edges(box, gray_HW)
        pixels = gray_HW[top:bottom, left:right].copy()
        self._known[self._count] = _Known(left, top, pixels, most_of(pixels), reading)
        self._count += 1
        if len(self._known) > _MOST:
            self._known.popitem(last=False)


def gray_of(rgb_HW3: NDArray[np.uint8]) -> Gray:
    """Return the picture as `int16 [H, W]`, in which boxes are compared."""
    return np.asarray(Image.fromarray(rgb_HW3).convert("L")).astype(np.int16)


def most_of(pixels_HW: Gray) -> float:
    """Return how far a square of a box may differ from what it was, by how dark and how bright the box is."""
    ordered = np.sort(pixels_HW, axis=None)  # not `percentile`, which loads a part of numpy at its first call
    dark, bright = (float(ordered[round(share * (len(ordered) - 1))]) for share in (0.05, 0.95))
    return max(_LEAST_CONTRAST, _CONTRAST * (bright - dark))


def is_alike(before_HW: Gray, after_HW: Gray, most: float) -> bool:
    """Whether not one stroke differs; `most` is that of the former."""
    differs_HW = np.abs(before_HW - after_HW)
    if differs_HW.mean() >= _ALIKE:
        return False
    return float(_squares(differs_HW, max(3, round(_STROKE * len(before_HW)))).max()) < most


def _squares(pixels_HW: Gray, side: int) -> NDArray[np.float64]:
    """Means of all squares with this side."""
    tall, wide = (min(side, length) for length in pixels_HW.shape)
    sums = np.zeros((pixels_HW.shape[0] + 1, pixels_HW.shape[1] + 1))
    sums[1:, 1:] = pixels_HW.cumsum(0).cumsum(1)
    rows = sums[tall:] - sums[:-tall]
    return np.asarray((rows[:, wide:] - rows[:, :-wide]) / (tall * wide))


def _places(known: _Known, left: int, top: int) -> Iterator[tuple[int, int]]:
    """Where it was, then around where a box is now."""
    if abs(known.left - left) <= _AS_WIDE and abs(known.top - top) <= _AS_HIGH:
        yield known.left, known.top
    for across, down in _SHIFTS:
        yield left + across, top + down


def _edges(box: Box, gray_HW: Gray) -> tuple[int, int, int, int]:
    height, width = gray_HW.shape
    left, top, right, bottom = (round(edge) for edge in box.outline)
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    return left, top, min(width, max(right, left + 1)), min(height, max(bottom, top + 1))
