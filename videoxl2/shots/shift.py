"""Whether a picture is another one moved: the best correlation over shifts of the whole picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoxl2.shots.bars import Inside
from videoxl2.shots.looks import halved

_H, _W = 18, 32  # the pictures are halved
_REACH = (5, 12)  # rows, columns
_FFT = (24, 48)  # at least size + reach, so that shifts do not wrap round
_NOISE = 0.02  # of the variance; keeps empty overlaps from correlating
_ROWS = np.arange(-_REACH[0], _REACH[0] + 1)
_COLUMNS = np.arange(-_REACH[1], _REACH[1] + 1)


def _overlapping(size: int, shifts: NDArray[np.intp]) -> NDArray[np.float32]:
    """Which pixels of a line another one shifted so far still covers: 1, others 0; [S, size]."""
    covered = np.arange(size) + shifts[:, None]
    return ((covered >= 0) & (covered < size)).astype(np.float32)


_OF_BEFORE = _overlapping(_H, _ROWS), _overlapping(_W, _COLUMNS).T
_OF_AFTER = _overlapping(_H, -_ROWS), _overlapping(_W, -_COLUMNS).T
_COVERED = _OF_BEFORE[0].sum(axis=1)[:, None] * _OF_BEFORE[1].sum(axis=0)  # pixels that overlap at each shift


@dataclass(frozen=True)
class Shift:
    """The best shift: its correlation, and rows and columns of the full picture."""

    correlation: float
    rows: int
    columns: int

    @property
    def is_move(self) -> bool:
        """Whether the picture moved at all."""
        return (self.rows, self.columns) != (0, 0)

    @property
    def overlap(self) -> float:
        """Share of the picture that both show."""
        return (1 - abs(self.rows) / (2 * _H)) * (1 - abs(self.columns) / (2 * _W))


def best_shift(before_HW: NDArray[np.uint8], after_HW: NDArray[np.uint8], inside: Inside) -> Shift:
    """Find the shift of up to 10 rows and 24 columns by which the second picture is most like the first
    one."""
    halves = halved(inside.of(np.stack([before_HW, after_HW])))
    halves -= halves.mean(axis=(1, 2), keepdims=True)
    halves /= np.sqrt((halves**2).mean(axis=(1, 2), keepdims=True)) + 3.0
    a, b = np.fft.rfft2(halves, _FFT)
    ab = np.fft.irfft2(a.conj() * b, _FFT)[_ROWS[:, None], _COLUMNS]
    sum_a, sum_aa = _sums(halves[0], *_OF_BEFORE)
    sum_b, sum_bb = _sums(halves[1], *_OF_AFTER)
    n = _COVERED
    variance = np.maximum(sum_aa - sum_a**2 / n, 0) * np.maximum(sum_bb - sum_b**2 / n, 0)
    correlation = (ab - sum_a * sum_b / n) / np.sqrt(variance + 1e-3 + (n * _NOISE) ** 2)
    row, column = np.unravel_index(int(correlation.argmax()), correlation.shape)
    return Shift(float(correlation[row, column]), 2 * int(_ROWS[row]), 2 * int(_COLUMNS[column]))


def _sums(
    half_HW: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Of a picture, and of its squares: the sums of what overlaps at each shift."""
    return rows @ np.stack([half_HW, half_HW**2]) @ columns
