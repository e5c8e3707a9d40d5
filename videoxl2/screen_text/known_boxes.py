"""Boxes that have been read already: the same place with the same pixels says the same."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from videoxl2.screen_text.boxes import Box

_WIDTH, _HEIGHT = 96, 12  # of the pixels that are kept of a box
_NEAR, _NEAR_OF_HEIGHT = 6.0, 0.3  # that an edge may move: pixels, and less of small letters
_ALIKE = 9.0  # mean difference of pixels, 0 to 255
_MOST = 96  # boxes kept, those used last


@dataclass(frozen=True, slots=True)
class Reading:
    """What a box says; `confidence` is the mean probability of its letters."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class _Known:
    outline: NDArray[np.float64]  # [4]
    pixels: NDArray[np.float32]
    reading: Reading


class KnownBoxes:
    """The last boxes of one video."""

    def __init__(self) -> None:
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._count = 0

    def find(self, box: Box, rgb_HW3: NDArray[np.uint8]) -> Reading | None:
        """What it said the last time. `rgb_HW3` is the whole picture."""
        outline_4 = np.array(box.outline)
        reach = min(_NEAR, _NEAR_OF_HEIGHT * min(box.width, box.height))
        for number, known in reversed(self._known.items()):
            if np.abs(known.outline - outline_4).max() > reach:
                continue
            if np.abs(known.pixels - _pixels(known.outline, rgb_HW3)).mean() < _ALIKE:
                self._known.move_to_end(number)
                return known.reading
        return None

    def keep(self, box: Box, rgb_HW3: NDArray[np.uint8], reading: Reading) -> None:
        """Remember what it says."""
        outline_4 = np.array(box.outline)
        self._known[self._count] = _Known(outline_4, _pixels(outline_4, rgb_HW3), reading)
        self._count += 1
        if len(self._known) > _MOST:
            self._known.popitem(last=False)


def _pixels(outline_4: NDArray[np.float64], rgb_HW3: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width, _ = rgb_HW3.shape
    left, top, right, bottom = (round(edge) for edge in outline_4.tolist())
    left, top = min(max(left, 0), width - 1), min(max(top, 0), height - 1)
    cut = rgb_HW3[top : max(top + 1, bottom), left : max(left + 1, right)]
    small = Image.fromarray(cut).convert("L").resize((_WIDTH, _HEIGHT), Image.Resampling.BOX)
    return np.asarray(small, np.float32)
