"""Whether a picture is worth a look for text: has what may be text changed since the last look.

Text is where brightness jumps often along a row. A picture is cut into blocks, and for each the mean jump is
taken; two neighbouring blocks with much of it that changed are enough. Motion without text changes single
blocks or soft ones.
"""

import numpy as np
from numpy.typing import NDArray

from videoxl2.screen_text.looks import Look, fitted

LONGER = 640  # of the picture that is compared
_BLOCK_H, _BLOCK_W = 12, 16
_STEP = 48  # a multiple of both
_MOST_JUMP = 96  # one edge of a window frame is no text
_JUMP = 14.0  # mean jump of blocks that may hold text
_CHANGE = 0.35  # of the larger one
_EVERY = 8  # pictures at the latest

Jumps = NDArray[np.float32]


class Gate:
    """Remembers how the picture was at the last look."""

    def __init__(self) -> None:
        self._seen: Jumps | None = None
        self._passed = 0

    def opens(self, look: Look) -> bool:
        """Whether to look at this picture. If so, the next ones are held against it."""
        jumps = jumps_of(look.gray(*fitted(look.width, look.height, LONGER, _STEP)))
        self._passed += 1
        if self._seen is not None and self._passed < _EVERY and not has_changed(self._seen, jumps):
            return False
        self._seen, self._passed = jumps, 0
        return True


def jumps_of(gray_HW: NDArray[np.uint8]) -> Jumps:
    """`float32 [H / 12, W / 16]`: the mean jump between neighbours along a row, of each block."""
    height, width = gray_HW.shape
    jumps = np.abs(np.diff(gray_HW.astype(np.int16), axis=1, append=gray_HW[:, -1:].astype(np.int16)))
    np.minimum(jumps, _MOST_JUMP, out=jumps)
    blocks = jumps.reshape(height // _BLOCK_H, _BLOCK_H, width // _BLOCK_W, _BLOCK_W)
    return np.asarray(blocks.mean((1, 3)), np.float32)


def has_changed(before: Jumps, after: Jumps) -> bool:
    """Whether two neighbouring blocks in a row that may hold text are no longer what they were."""
    if before.shape != after.shape:
        return True
    larger = np.maximum(before, after)
    changed = (np.abs(after - before) > _CHANGE * larger) & (larger > _JUMP)
    return bool((changed[:, :-1] & changed[:, 1:]).any())
