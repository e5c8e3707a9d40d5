"""The pictures that a detector holds, with what is measured of each.

Shapes: N pictures; luma 36 x 64, chroma 2 x 18 x 32; coarse `COARSE` numbers. Indices count within the reel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.reading.small_pictures import SmallPictures

COARSE = 144 + 96  # luma 9 x 16, then U and V 6 x 8 each
GROUP = 8  # pictures that share a measurement of the bars at the edges
_CHROMA_WEIGHT = 0.7
_MEAN_OF_4 = np.repeat(np.eye(16, dtype=np.float32), 4, axis=0) / 16  # [64, 16]; four rows were summed
_MEAN_OF_4_CHROMA = np.repeat(np.eye(8, dtype=np.float32), 4, axis=0) / 12 * _CHROMA_WEIGHT  # [32, 8]


@dataclass(frozen=True)
class Reel:
    """Consecutive pictures.

    `change` [N] is the mean difference to the picture before, in levels: of luma, and half of that of U and
    of V; 0 where there is none. `spread` [N] is the deviation of luma within a picture.
    """

    luma: NDArray[np.uint8]
    chroma: NDArray[np.uint8]
    start_ms: NDArray[np.int64]
    change: NDArray[np.float32]
    spread: NDArray[np.float32]
    coarse: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.start_ms)

    @property
    def parts(self) -> Sequence[NDArray[Any]]:
        """The arrays of the reel, each with a row a picture."""
        return (self.luma, self.chroma, self.start_ms, self.change, self.spread, self.coarse)

    def step_ms(self, first: int, stop: int) -> float:
        """Return how long a picture there is usually shown."""
        around = self.start_ms[max(0, first) : stop + 1]
        return float(median(np.diff(around).tolist())) if len(around) > 1 else 40.0


class ReelStore:
    """Keeps the last pictures and what is measured of them, in place."""

    def __init__(self, capacity: int) -> None:
        """`capacity`: pictures that there is room for; it grows if more than that must be kept."""
        self._parts = _empty(capacity)
        self._first = self._stop = 0

    def __len__(self) -> int:
        return self._stop - self._first

    @property
    def reel(self) -> Reel:
        """The pictures kept; valid until others are added."""
        return Reel(*(part[self._first : self._stop] for part in self._parts))

    def add(self, pictures: SmallPictures) -> None:
        """Measure pictures that follow; cheap, as every picture of a film goes through it."""
        self._make_room(len(pictures))
        stop = self._stop + len(pictures)
        new = [part[self._stop : stop] for part in self._parts]
        luma, chroma, start_ms, change, spread, coarse = new
        luma[:], chroma[:], start_ms[:] = pictures.luma_N36x64, pictures.chroma_N2x18x32, pictures.start_ms_N
        has_one_before = len(self) > 0
        compared = slice(self._stop - has_one_before, stop)
        change[:1] = 0
        change[1 - has_one_before :] = _differences(self._parts[0][compared], self._parts[1][compared])
        spread[:] = _spread(luma)
        coarse[:] = _coarsened(luma, chroma)
        self._stop = stop

    def forget(self, count: int) -> None:
        """Drop the first pictures."""
        self._first += count

    def _make_room(self, count: int) -> None:
        if self._stop + count <= len(self._parts[0]):
            return
        kept = self.reel
        if len(kept) + count > len(self._parts[0]):
            self._parts = _empty(2 * (len(kept) + count))
        for part, old in zip(self._parts, kept.parts, strict=True):
            part[: len(kept)] = old
        self._first, self._stop = 0, len(kept)


def _empty(capacity: int) -> list[NDArray[Any]]:
    """Room for the parts of a reel."""
    return [
        np.empty((capacity, 36, 64), np.uint8),
        np.empty((capacity, 2, 18, 32), np.uint8),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.float32),
        np.empty(capacity, np.float32),
        np.empty((capacity, COARSE), np.float32),
    ]


def _spread(luma: NDArray[np.uint8]) -> NDArray[np.float32]:
    flat = luma.reshape(len(luma), 36 * 64).astype(np.float32)
    mean = flat.mean(axis=1)
    square = np.einsum("np,np->n", flat, flat) / flat.shape[1]
    spread: NDArray[np.float32] = np.sqrt(np.maximum(square - mean * mean, 0))
    return spread


def _differences(luma: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Between neighbours of N pictures, N - 1 of them."""
    return _distance(luma[1:], luma[:-1]) + _distance(chroma[1:], chroma[:-1])


def distances(reel: Reel, before: NDArray[np.intp], after: NDArray[np.intp]) -> NDArray[np.float32]:
    """Return the distance between every picture of the first and every one of the second. [B, A]"""
    luma = _distance(reel.luma[before][:, None], reel.luma[after][None], num_axes=2)
    return luma + _distance(reel.chroma[before][:, None], reel.chroma[after][None], num_axes=2)


def _coarsened(luma: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of 4 x 4 pixels of luma and of 3 x 4 pixels of U and V, these weighted less; [N, COARSE]."""
    n = len(luma)
    rows = luma.reshape(n, 9, 4, 64).sum(axis=2, dtype=np.uint16).astype(np.float32)
    rows_uv = chroma.reshape(n, 2, 6, 3, 32).sum(axis=3, dtype=np.uint16).astype(np.float32)
    return np.concatenate(
        [(rows @ _MEAN_OF_4).reshape(n, -1), (rows_uv @ _MEAN_OF_4_CHROMA).reshape(n, -1)], axis=1
    )


def _distance(a: NDArray[np.uint8], b: NDArray[np.uint8], num_axes: int = 1) -> NDArray[np.float32]:
    """Mean absolute difference over all but the first axes; of chroma that is half of U's and half of V's."""
    apart = np.maximum(a, b) - np.minimum(a, b)
    size = math.prod(apart.shape[num_axes:])
    total = apart.reshape(*apart.shape[:num_axes], size).sum(axis=-1, dtype=np.uint32)
    mean: NDArray[np.float32] = (total / size).astype(np.float32)
    return mean
