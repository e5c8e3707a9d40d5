"""Black bars at the edges, which belong to no shot: edges that never change would tie all shots together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLACK = 26  # levels; a bar's pixels are darker
_SPECKS = 2  # brighter pixels that a row of a bar may have
_MOST = (12, 24)  # rows, columns of a bar


@dataclass(frozen=True)
class Inside:
    """The part of the picture between bars: rows `top` to `bottom`, columns `left` to `right`, half-open."""

    top: int = 0
    bottom: int = 36
    left: int = 0
    right: int = 64

    @property
    def is_all(self) -> bool:
        """Whether it is the whole picture, without bars."""
        return self.share == 1

    def and_of(self, other: Inside) -> Inside:
        """Return what is inside of both; the whole picture where that is next to nothing."""
        both = Inside(
            max(self.top, other.top),
            min(self.bottom, other.bottom),
            max(self.left, other.left),
            min(self.right, other.right),
        )
        return both if both.bottom - both.top >= 12 and both.right - both.left >= 16 else WHOLE

    @property
    def share(self) -> float:
        """Share of the picture's area, as a fraction."""
        return (self.bottom - self.top) * (self.right - self.left) / (36 * 64)

    def of(self, luma_NHW: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The part of each picture, stretched to the whole picture's size."""
        if self.is_all:
            return luma_NHW
        rows = self.top + np.arange(36) * (self.bottom - self.top) // 36
        columns = self.left + np.arange(64) * (self.right - self.left) // 64
        return luma_NHW.take(rows, axis=1).take(columns, axis=2)


WHOLE = Inside()


def inside_bars(luma_NHW: NDArray[np.uint8]) -> Inside:
    """Return what is inside of bars that all of the pictures have; pictures that are black all over do not
    count.

    With a bar its inner edge is left out, which scaling has blended with the picture.
    """
    bright = luma_NHW.max(axis=0, initial=0) >= _BLACK
    if _is_at_all_edges(bright):
        return WHOLE
    lit = luma_NHW[luma_NHW.reshape(len(luma_NHW), 36 * 64).max(axis=1) >= _BLACK + 8]
    if not len(lit):
        return WHOLE
    if len(lit) < len(luma_NHW):
        bright = lit.max(axis=0) >= _BLACK
    rows = bright.sum(axis=1) > _SPECKS
    columns = bright.sum(axis=0) > _SPECKS
    if not rows.any() or not columns.any():
        return WHOLE
    top, bottom = _ends(rows, _MOST[0])
    left, right = _ends(columns, _MOST[1])
    return Inside(top, bottom, left, right)


def _is_at_all_edges(bright_HW: NDArray[np.bool_]) -> bool:
    """Whether there is no bar at all."""
    edges = (bright_HW[0], bright_HW[-1], bright_HW[:, 0], bright_HW[:, -1])
    return all(np.count_nonzero(edge) > _SPECKS for edge in edges)


def _ends(is_lit: NDArray[np.bool_], most: int) -> tuple[int, int]:
    """First lit line and the one after the last, a line further in where there is a bar."""
    size = len(is_lit)
    before = min(int(np.argmax(is_lit)), most)
    after = min(int(np.argmax(is_lit[::-1])), most)
    return before + (before > 0), size - after - (after > 0)
