"""Where lines of text are, from a map that says of each pixel how likely it is within one.

The network marks the core of each line; a line's box is the core's narrowest rectangle, grown by what was
cut away. Nearly all text on screen is level, so a turned box has to be clearly narrower than a level one.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from videoxl2.screen_text.components import Ints, Runs, find_patches

_LIKELY = 0.3  # of a pixel
_SURE = 0.5  # of a box, on average
_LEAST_CORE, _LEAST_SIDE = 3, 5  # pixels
_GROWTH = 1.6  # times area over circumference
_MOST_BOXES = 200  # of one picture, the surest; a page of a book has 50 lines
_TURNED_AREA = 0.8  # of the level box, at most
_COARSE_DEG, _FINE_DEG = np.arange(-45, 45, 1.0), np.arange(-1, 1.01, 0.125)


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle around a line; middle and sides in pixels, `angle` in radians clockwise from level."""

    x: float
    y: float
    width: float
    height: float
    angle: float
    score: float

    def scaled(self, across: float, down: float) -> "Box":
        """The same in a picture of another size."""
        return Box(
            self.x * across, self.y * down, self.width * across, self.height * down, self.angle, self.score
        )

    def moved(self, down: float) -> "Box":
        """The same further down."""
        return replace(self, y=self.y + down)

    @property
    def corners_42(self) -> NDArray[np.float64]:
        """x and y of top left, top right, bottom right and bottom left, as the line is read."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        along, across = np.array([c, s]) * self.width / 2, np.array([-s, c]) * self.height / 2
        middle = np.array([self.x, self.y])
        return np.stack(
            [
                middle - along - across,
                middle + along - across,
                middle + along + across,
                middle - along + across,
            ]
        )

    @property
    def outline(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the level rectangle around it."""
        low, high = self.corners_42.min(0), self.corners_42.max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def find_boxes(likely_HW: NDArray[np.float32]) -> list[Box]:
    """The boxes of a map, from top to bottom, then left to right."""
    mask = likely_HW > _LIKELY
    mask[1:] |= mask[:-1].copy()
    mask[:, 1:] |= mask[:, :-1].copy()
    runs = find_patches(mask)
    sums_R = _sums(likely_HW, runs)
    found = [_box(runs, sums_R, rows) for rows in _by_patch(runs)]
    sure = sorted((box for box in found if box is not None), key=lambda box: -box.score)
    return sorted(sure[:_MOST_BOXES], key=lambda box: (round(box.y / 10), box.x))


def _by_patch(runs: Runs) -> list[Ints]:
    order = np.argsort(runs.patch, kind="stable")
    borders = np.searchsorted(runs.patch[order], np.arange(1, runs.num_patches))
    return [rows for rows in np.split(order, borders) if len(rows) >= _LEAST_CORE]


def _sums(likely_HW: NDArray[np.float32], runs: Runs) -> NDArray[np.float64]:
    """What the map has within each run."""
    before = np.zeros((likely_HW.shape[0], likely_HW.shape[1] + 1))
    np.cumsum(likely_HW, axis=1, out=before[:, 1:])
    return np.asarray(before[runs.row, runs.stop] - before[runs.row, runs.first])


def _box(runs: Runs, sums_R: NDArray[np.float64], rows: Ints) -> Box | None:
    """Of the patch that these runs make; None: too small or too unsure."""
    x, y = _rim(runs, rows)
    angle, width, height, middle = _narrowest(x, y)
    if min(width, height) < _LEAST_CORE:
        return None
    score = float(sums_R[rows].sum()) / (width * height)
    if score < _SURE:
        return None
    grow = _GROWTH * width * height / (width + height)
    if min(width, height) + grow < _LEAST_SIDE:
        return None
    return Box(middle[0], middle[1], width + grow, height + grow, angle, min(1.0, score))


def _rim(runs: Runs, rows: Ints) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of the runs of a patch."""
    x = np.concatenate([runs.first[rows], runs.stop[rows]] * 2).astype(np.float64)
    y = np.concatenate([runs.row[rows]] * 2 + [runs.row[rows] + 1] * 2).astype(np.float64)
    return x, y


def _narrowest(
    x_P: NDArray[np.float64], y_P: NDArray[np.float64]
) -> tuple[float, float, float, tuple[float, float]]:
    """Angle, width, height and middle of the rectangle around these points that has the least area."""
    level = _turned(x_P, y_P, np.zeros(1))
    area = float(level[0][0] * level[1][0])
    coarse = _COARSE_DEG[np.argmin(np.multiply(*_turned(x_P, y_P, np.radians(_COARSE_DEG))[:2]))]
    fine = np.radians(coarse + _FINE_DEG)
    turned = _turned(x_P, y_P, fine)
    best = int(np.argmin(turned[0] * turned[1]))
    if float(turned[0][best] * turned[1][best]) > _TURNED_AREA * area:
        fine, turned, best = np.zeros(1), level, 0
    widths, heights, along, across = turned
    c, s = float(np.cos(fine[best])), float(np.sin(fine[best]))
    u, v = float(along[best]), float(across[best])
    return float(fine[best]), float(widths[best]), float(heights[best]), (u * c - v * s, u * s + v * c)


def _turned(
    x_P: NDArray[np.float64], y_P: NDArray[np.float64], angle_A: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Widths, heights and middles (along, across) of the rectangles at these angles."""
    c, s = np.cos(angle_A)[:, None], np.sin(angle_A)[:, None]
    along, across = c * x_P + s * y_P, c * y_P - s * x_P
    lo_u, hi_u, lo_v, hi_v = along.min(1), along.max(1), across.min(1), across.max(1)
    return hi_u - lo_u, hi_v - lo_v, (lo_u + hi_u) / 2, (lo_v + hi_v) / 2
