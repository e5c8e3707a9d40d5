"""Lines of text in a picture, without reading them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videoxl2.screen_text.boxes import Box, find_boxes
from videoxl2.screen_text.sessions import as_input, load_session

SIDE = 32  # the network takes pictures whose sides are multiples of it


class Detector:
    """Finds lines with the weights in this file."""

    def __init__(self, path: Path) -> None:
        """Raises `ScreenTextError`."""
        self._session = load_session(path)

    def find(self, rgb_HW3: NDArray[np.uint8]) -> list[Box]:
        """Boxes in pixels of the picture, whose sides are multiples of `SIDE`."""
        (likely_HW,) = self._session.run(None, {"x": as_input(rgb_HW3)[None]})[0][0]
        return find_boxes(likely_HW)
