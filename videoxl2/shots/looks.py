"""A closer look at some pictures: whether those between two are mixes of them, in all and in detail.

Shapes: N pictures, P numbers of each: luma 18 x 32, then U and V 18 x 32 each.
"""

import numpy as np
from numpy.typing import NDArray

from videoxl2.shots.bars import Inside
from videoxl2.shots.reel import Reel

_LOOKED_AT = 12  # pictures between


def _mean_of_5(size: int) -> NDArray[np.float32]:
    """What takes the mean of five neighbours, the last ones repeated beyond the edge; [size, size]."""
    neighbours = np.clip(np.arange(size)[:, None] + np.arange(-2, 3), 0, size - 1)
    mean: NDArray[np.float32] = np.eye(size)[neighbours].mean(axis=1).astype(np.float32)
    return mean


_MEAN_OF_5_ROWS, _MEAN_OF_5_COLUMNS = _mean_of_5(18), _mean_of_5(32).T


def halved(luma_NHW: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures of half the height and width."""
    rows = luma_NHW[:, ::2].astype(np.float32) + luma_NHW[:, 1::2]
    halves: NDArray[np.float32] = (rows[:, :, ::2] + rows[:, :, 1::2]) * np.float32(0.25)
    return halves


def some(before: int, after: int) -> NDArray[np.intp]:
    """Return the numbers of both pictures, and of some between."""
    return np.linspace(before, after, min(_LOOKED_AT, after - before - 1) + 2).round().astype(np.intp)


def fine(reel: Reel, pictures: NDArray[np.intp], inside: Inside) -> NDArray[np.float32]:
    """Luma of half the size and chroma, as numbers in a row."""
    luma = halved(inside.of(reel.luma[pictures]))
    chroma = reel.chroma[pictures].astype(np.float32) * 0.7
    return np.concatenate([luma.reshape(len(luma), -1), chroma.reshape(len(luma), -1)], axis=1)


def detail(fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what luma has beyond the mean of 5 x 5 pixels around each."""
    luma = fine[:, : 18 * 32].reshape(-1, 18, 32)
    means = np.matmul(np.matmul(_MEAN_OF_5_ROWS, luma), _MEAN_OF_5_COLUMNS)
    detail: NDArray[np.float32] = luma - means
    return detail.reshape(len(fine), -1)


def correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Cosine of two pictures without their means, -1 to 1."""
    return float(a @ b / np.sqrt((a @ a) * (b @ b) + 1e-6))


def residual(pictures: NDArray[np.float32]) -> float:
    """The part of the change from first to last that the pictures between do not share."""
    way = pictures[-1] - pictures[0]
    square = float(way @ way) + 1e-6
    gone = pictures[1:-1] - pictures[0]
    share = gone @ way / square
    return float((np.einsum("np,np->n", gone, gone) - share**2 * square).mean() / square)


def neither(pictures: NDArray[np.float32]) -> float:
    """Return how far the pixels between are from being either those of the first or those of the last
    picture."""
    to_first = (pictures[1:-1] - pictures[0]) ** 2
    to_last = (pictures[1:-1] - pictures[-1]) ** 2
    return float(np.minimum(to_first, to_last).mean() / ((pictures[-1] - pictures[0]) ** 2).mean())
