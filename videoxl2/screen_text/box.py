"""A box around a line of text, level or turned, and the line cut out of its picture."""

from dataclasses import dataclass
from math import atan2, hypot, pi

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_LEVEL = 0.02  # radians; less is how the corners were rounded
_COLUMN = 1.5  # times as high as wide


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; middle and sides in pixels, `angle` in radians clockwise from level."""

    x: float
    y: float
    width: float
    height: float
    angle: float = 0.0

    @classmethod
    def of_corners(cls, corners_42: NDArray[np.float64]) -> "Box":
        """Make a box of x and y of top left, top right, bottom right and bottom left, as the line is read."""
        (x, y), (left, right) = corners_42.mean(0), corners_42[:2]
        across, down = right - left, corners_42[3] - left
        angle = atan2(across[1], across[0])
        width, height = hypot(*across), hypot(*down)
        return cls(float(x), float(y), width, height, angle if abs(angle) > _LEVEL else 0.0)

    def scaled(self, across: float, down: float) -> "Box":
        """The same in a picture of another size."""
        return Box(self.x * across, self.y * down, self.width * across, self.height * down, self.angle)

    def moved(self, down: float) -> "Box":
        """The same further down."""
        return Box(self.x, self.y + down, self.width, self.height, self.angle)

    @property
    def corners_42(self) -> NDArray[np.float64]:
        """The x and y of top left, top right, bottom right and bottom left, as the line is read."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        along, across = np.array([c, s]) * self.width / 2, np.array([-s, c]) * self.height / 2
        middle = np.array([self.x, self.y])
        return middle + np.stack([-along - across, along - across, along + across, across - along])

    @property
    def outline(self) -> tuple[float, float, float, float]:
        """The left, top, right and bottom of the level rectangle around it."""
        low, high = self.corners_42.min(0), self.corners_42.max(0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def cut_lines(rgb_HW3: NDArray[np.uint8], box: Box) -> list[NDArray[np.uint8]]:
    """The box out of a picture, level. Of a column two: as if it were written upwards and downwards."""
    if box.height < _COLUMN * box.width:
        return [_cut(rgb_HW3, box)]
    turns = (-pi / 2, pi / 2)
    return [_cut(rgb_HW3, Box(box.x, box.y, box.height, box.width, box.angle + turn)) for turn in turns]


def _cut(rgb_HW3: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    size = max(1, round(box.width)), max(1, round(box.height))
    corners = box.corners_42[[0, 3, 2, 1]].ravel().tolist()
    picture = Image.fromarray(rgb_HW3)
    return np.asarray(picture.transform(size, Image.Transform.QUAD, corners, Image.Resampling.BILINEAR))
