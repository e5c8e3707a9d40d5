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
_ONES = np.fft.rfft2(np.ones((_H, _W), np.float32), _FFT)
_COVERED = np.maximum(np.fft.irfft2(_ONES.conj() * _ONES, _FFT), 1)  # pixels that overlap at each shift


@dataclass(frozen=True)
class Shift:
    """The best shift: its correlation, and rows and columns of the full picture."""

    correlation: float
    rows: int
    columns: int

    @property
    def is_move(self) -> bool:
        return (self.rows, self.columns) != (0, 0)

    @property
    def overlap(self) -> float:
        """Share of the picture that both show."""
        return (1 - abs(self.rows) / (2 * _H)) * (1 - abs(self.columns) / (2 * _W))


def best_shift(before_HW: NDArray[np.uint8], after_HW: NDArray[np.uint8], inside: Inside) -> Shift:
    """How well the second picture is the first one shifted by up to 10 rows and 24 columns."""
    halves = halved(inside.of(np.stack([before_HW, after_HW])))
    halves -= halves.mean(axis=(1, 2), keepdims=True)
    halves /= np.sqrt((halves**2).mean(axis=(1, 2), keepdims=True)) + 3.0
    a, b, aa, bb = np.fft.rfft2(np.concatenate([halves, halves**2]), _FFT)
    spectra = np.stack(
        [a.conj() * b, a.conj() * _ONES, _ONES.conj() * b, aa.conj() * _ONES, _ONES.conj() * bb]
    )
    ab, sum_a, sum_b, sum_aa, sum_bb = np.fft.irfft2(spectra, _FFT)[:, _ROWS[:, None], _COLUMNS]
    n = _COVERED[_ROWS[:, None], _COLUMNS]
    variance = np.maximum(sum_aa - sum_a**2 / n, 0) * np.maximum(sum_bb - sum_b**2 / n, 0)
    correlation = (ab - sum_a * sum_b / n) / np.sqrt(variance + 1e-3 + (n * _NOISE) ** 2)
    row, column = np.unravel_index(int(correlation.argmax()), correlation.shape)
    return Shift(float(correlation[row, column]), 2 * int(_ROWS[row]), 2 * int(_COLUMNS[column]))
