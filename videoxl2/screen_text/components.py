"""Connected patches of a mask, by runs: stretches of set pixels in one row. Diagonal neighbours touch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Runs:
    """R runs of a mask by row, then column, each `[R]`; `stop` is the first column after, patches from 0."""

    row: Ints
    first: Ints
    stop: Ints
    patch: Ints

    @property
    def num_patches(self) -> int:
        """How many patches there are."""
        return int(self.patch.max()) + 1 if len(self.patch) else 0


def find_patches(mask_HW: NDArray[np.bool_]) -> Runs:
    """Runs of the mask, those that touch of one patch."""
    height, width = mask_HW.shape
    framed = np.zeros((height, width + 2), np.int8)
    framed[:, 1:-1] = mask_HW
    steps = np.diff(framed, axis=1)
    row_R, first_R = np.nonzero(steps == 1)
    stop_R = np.nonzero(steps == -1)[1]
    patch_R = _joined(len(row_R), *_touching(row_R, first_R, stop_R, width + 2))
    return Runs(row_R, first_R, stop_R, patch_R)


def _touching(row_R: Ints, first_R: Ints, stop_R: Ints, stride: int) -> tuple[Ints, Ints]:
    """Pairs of runs in neighbouring rows that touch."""
    above = (row_R - 1) * stride
    lo = np.searchsorted(row_R * stride + stop_R, above + first_R, side="left")
    hi = np.searchsorted(row_R * stride + first_R, above + stop_R, side="right")
    counts = np.maximum(hi - lo, 0)
    below = np.repeat(np.arange(len(row_R)), counts)
    within = np.arange(len(below)) - np.repeat(np.cumsum(counts) - counts, counts)
    return below, np.repeat(lo, counts) + within


def _joined(count: int, a_P: Ints, b_P: Ints) -> Ints:
    """A number from 0 for each run, equal where pairs lead from one to the other."""
    label = np.arange(count)
    while True:
        least = np.minimum(label[a_P], label[b_P])
        after = label.copy()
        np.minimum.at(after, a_P, least)
        np.minimum.at(after, b_P, least)
        after = after[after]
        if np.array_equal(after, label):
            return np.unique(label, return_inverse=True)[1].astype(np.int64)
        label = after
