"""Where in a picture a look for text is worth it: what may be text has changed since the last look.

Text is where brightness jumps often along a row. A picture is cut into blocks, and for each the mean jump is
taken; two neighbouring blocks with much of it that changed are enough. Motion without text changes single
blocks or soft ones.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoxl2.screen_text.looks import Look, fitted

LONGER = 640  # of the picture that is compared
_BLOCK_H, _BLOCK_W = 12, 16
_STEP = 48  # a multiple of both
_MOST_JUMP = 96  # one edge of a window frame is no text
_JUMP = 14.0  # mean jump of blocks that may hold text
_CHANGE = 0.35  # of the larger one
_EVERY = 15  # pictures between two looks at all of it, at most

Jumps = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Strip:
    """A part of a picture as wide as it; top and bottom as fractions of its height."""

    top: float
    bottom: float


WHOLE = Strip(0.0, 1.0)


class Gate:
    """Remembers how each part of the picture was when it was looked at."""

    def __init__(self) -> None:
        self._seen: Jumps | None = None
        self._passed = 0

    def strip_of(self, look: Look) -> Strip | None:
        """Return what is worth a look; None: nothing. The pictures to come are held against it."""
        jumps = jumps_of(look.gray(*fitted(look.width, look.height, LONGER, _STEP)))
        self._passed += 1
        if self._seen is None or self._seen.shape != jumps.shape or self._passed >= _EVERY:
            self._seen, self._passed = jumps, 0
            return WHOLE
        rows = changed_rows(self._seen, jumps)
        if rows is None:
            return None
        self._seen[rows] = jumps[rows]
        return Strip(rows.start / len(jumps), rows.stop / len(jumps))


def jumps_of(gray_HW: NDArray[np.uint8]) -> Jumps:
    """Return `float32 [H / 12, W / 16]`: the mean jump between neighbours along a row, of each block."""
    height, width = gray_HW.shape
    left, right = gray_HW[:, :-1], gray_HW[:, 1:]
    jumps = np.zeros(gray_HW.shape, np.uint8)  # none beyond the last column
    np.subtract(np.maximum(left, right), np.minimum(left, right), out=jumps[:, :-1])
    np.minimum(jumps, _MOST_JUMP, out=jumps)
    of_rows = jumps.reshape(height // _BLOCK_H, _BLOCK_H, width).sum(axis=1, dtype=np.uint16)
    blocks = of_rows.reshape(-1, width // _BLOCK_W, _BLOCK_W).sum(axis=2, dtype=np.uint32)
    return np.asarray(blocks / (_BLOCK_H * _BLOCK_W), np.float32)


def changed_rows(before: Jumps, after: Jumps) -> slice | None:
    """Rows from the first to the last in which two neighbouring blocks that may hold text have changed."""
    larger = np.maximum(before, after)
    changed = (np.abs(after - before) > _CHANGE * larger) & (larger > _JUMP)
    rows = np.flatnonzero((changed[:, :-1] & changed[:, 1:]).any(1))
    return slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else None
