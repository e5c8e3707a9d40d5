"""The pictures that a detector holds, with what is measured of each.

Shapes: N pictures; luma 36 x 64, chroma 2 x 18 x 32; coarse `COARSE` numbers. Indices count within the reel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

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

    def since(self, first: int) -> Reel:
        """Forget the pictures before; the arrays are copied so that these are freed."""
        return Reel(*(part[first:].copy() for part in self._parts()))

    def then(self, later: Reel) -> Reel:
        return Reel(*(np.concatenate(both) for both in zip(self._parts(), later._parts(), strict=True)))

    def _parts(self) -> Sequence[NDArray]:  # type: ignore[type-arg]
        return (self.luma, self.chroma, self.start_ms, self.change, self.spread, self.coarse)

    def step_ms(self, first: int, stop: int) -> float:
        """How long a picture there is usually shown."""
        around = self.start_ms[max(0, first) : stop + 1]
        return float(np.median(np.diff(around))) if len(around) > 1 else 40.0


def measured(pictures: SmallPictures, before: Reel | None) -> Reel:
    """Measure pictures that follow those of a reel; cheap, as every picture of a film goes through it."""
    luma, chroma = pictures.luma_N36x64, pictures.chroma_N2x18x32
    n = len(luma)
    flat = luma.reshape(n, -1).astype(np.float32)
    mean = flat.mean(axis=1)
    square = np.einsum("np,np->n", flat, flat) / flat.shape[1]
    change = np.zeros(n, np.float32)
    if before is not None and len(before):
        luma = np.concatenate([before.luma[-1:], luma])
        chroma = np.concatenate([before.chroma[-1:], chroma])
        change[:] = differences(luma, chroma)
    else:
        change[1:] = differences(luma, chroma)
    return Reel(
        pictures.luma_N36x64,
        pictures.chroma_N2x18x32,
        pictures.start_ms_N,
        change,
        np.sqrt(np.maximum(square - mean * mean, 0)),
        coarsened(pictures.luma_N36x64, pictures.chroma_N2x18x32),
    )


def differences(luma: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Between neighbours of N pictures, N - 1 of them."""
    return _distance(luma[1:], luma[:-1]) + _distance(chroma[1:], chroma[:-1])


def distances(reel: Reel, before: NDArray[np.intp], after: NDArray[np.intp]) -> NDArray[np.float32]:
    """Between every picture of the first and every one of the second, [B, A]."""
    rows = [
        _distance(reel.luma[after], reel.luma[b][None]) + _distance(reel.chroma[after], reel.chroma[b][None])
        for b in before
    ]
    return np.stack(rows)


def coarsened(luma: NDArray[np.uint8], chroma: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Means of 4 x 4 pixels of luma and of 3 x 4 pixels of U and V, these weighted less; [N, COARSE]."""
    n = len(luma)
    rows = luma.reshape(n, 9, 4, 64).sum(axis=2, dtype=np.uint16).astype(np.float32)
    rows_uv = chroma.reshape(n, 2, 6, 3, 32).sum(axis=3, dtype=np.uint16).astype(np.float32)
    return np.concatenate(
        [(rows @ _MEAN_OF_4).reshape(n, -1), (rows_uv @ _MEAN_OF_4_CHROMA).reshape(n, -1)], axis=1
    )


def _distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean absolute difference; of chroma that is half of U's and half of V's."""
    apart = np.maximum(a, b) - np.minimum(a, b)
    total = apart.reshape(len(apart), math.prod(a.shape[1:])).sum(axis=1, dtype=np.uint32)
    mean: NDArray[np.float32] = (total / math.prod(a.shape[1:])).astype(np.float32)
    return mean
