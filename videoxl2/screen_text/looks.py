"""Pictures as they are looked at: as a player shows them, in the size and the colours that are asked for."""

from fractions import Fraction
from typing import Protocol

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from videoxl2.frames.files.pixels import display_matrix, rotation_degrees, upright

_FILTER = Interpolation.AREA | Interpolation.FULL_CHR_H_INT


class Look(Protocol):
    """One picture, upright and with square pixels. Sides in pixels."""

    @property
    def width(self) -> int:
        """Width as it is shown, in pixels."""

    @property
    def height(self) -> int:
        """Height as it is shown, in pixels."""

    def gray(self, width: int, height: int) -> NDArray[np.uint8]:
        """Return the picture as `uint8 [height, width]`."""

    def rgb(self, width: int, height: int) -> NDArray[np.uint8]:
        """Return the picture as `uint8 [height, width, 3]`."""


class UnreadableLook(Exception):  # noqa: N818 - the name says what happened
    """A picture whose format makes no sense, as damage can do."""


class FrameLook:
    """A decoded picture."""

    def __init__(self, frame: VideoFrame, pixel_aspect: Fraction, reformatter: VideoReformatter) -> None:
        """Keep one reformatter for a film: its scaling tables are reused."""
        self._frame = frame
        self._reformatter = reformatter
        self._matrix = display_matrix(frame)
        self._is_on_its_side = 45 < rotation_degrees(self._matrix) % 180 < 135
        wide, tall = max(pixel_aspect, Fraction(1)), max(1 / pixel_aspect, Fraction(1))  # no pixel is lost
        sides = round(frame.width * wide), round(frame.height * tall)
        self.width, self.height = sides[::-1] if self._is_on_its_side else sides

    def gray(self, width: int, height: int) -> NDArray[np.uint8]:
        """See `Look`. Raises `UnreadableLook`."""
        return self._shown("gray", width, height)[..., 0]

    def rgb(self, width: int, height: int) -> NDArray[np.uint8]:
        """See `Look`. Raises `UnreadableLook`."""
        return self._shown("rgb24", width, height)

    def _shown(self, name: str, width: int, height: int) -> NDArray[np.uint8]:
        if self._is_on_its_side:
            width, height = height, width
        try:
            scaled = self._reformatter.reformat(
                self._frame, width=width, height=height, format=name, interpolation=_FILTER, threads=1
            )
        except (FFmpegError, ValueError) as error:
            raise UnreadableLook(str(error)) from error
        pixels_HWC = np.atleast_3d(scaled.to_ndarray().astype(np.uint8, copy=False))
        return upright(pixels_HWC, self._matrix)


def fitted(width: int, height: int, longer: int, step: int) -> tuple[int, int]:
    """Shrink a size until its longer side is at most `longer`, to the nearest multiples of `step`."""
    scale = min(1.0, longer / max(width, height))
    return _multiple(width * scale, step), _multiple(height * scale, step)


def _multiple(side: float, step: int) -> int:
    return max(step, round(side / step) * step)
