"""Pictures that carry their number, and reading it back.

The upper half is a row of 16 columns, bright = 1: 12 bits of the number, highest on the left, then 4 bits
that must fit them. A black picture, a grey one or half of another picture reads as no number at all.
"""

import numpy as np
from numpy.typing import NDArray

WIDTH, HEIGHT = 64, 48
_BITS, _CHECK_BITS = 12, 4
_DARK, _BRIGHT = 40, 200  # old codecs clip what differs more from pixel to pixel


def columns(number: int) -> NDArray[np.uint8]:
    """`[16]` of 0 and 1."""
    if not 0 <= number < 1 << _BITS:
        raise ValueError(f"{number} does not fit {_BITS} bits")
    word = number << _CHECK_BITS | _check(number)
    return np.array([word >> bit & 1 for bit in reversed(range(_BITS + _CHECK_BITS))], np.uint8)


def luma(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """`[height, width]`: the number over a bar that moves, in levels of video range."""
    plane = np.full((height, width), 60, np.uint8)
    plane[: height // 2] = _DARK + np.repeat(columns(number), width // 16) * (_BRIGHT - _DARK)
    at = number * 3 % (width - 4)
    plane[height * 3 // 4 :, at : at + 4] = 160
    return plane


def read_number(rgb: NDArray[np.uint8]) -> int | None:
    """The number of an upright picture `[H, W, 3]` of any size; None where it carries none."""
    height, width, _ = rgb.shape
    row = rgb[height // 8 : height * 3 // 8].mean(axis=(0, 2))
    half = max(1, width // 48)
    centres = (np.arange(16) * 2 + 1) * width // 32
    levels = row[centres[:, None] + np.arange(-half, half)].mean(axis=1)
    if ((levels > 75) & (levels < 175)).any():  # neither dark nor bright
        return None
    word = int("".join("1" if level > 125 else "0" for level in levels), 2)
    number = word >> _CHECK_BITS
    return number if word & (1 << _CHECK_BITS) - 1 == _check(number) else None


def _check(number: int) -> int:
    """Never 0 for number 0, nor 15 for the highest: plain pictures carry no number."""
    return (number ^ number >> 4 ^ number >> 8 ^ 0b0110) & 0b1111
