"""Codec pictures to RGB arrays: one resize in the decoder's own colour space, then upright."""

import math
from fractions import Fraction
from typing import cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

# FULL_CHR_H_INT matters more than the filter: without it swscale makes RGB from half-width chroma,
# which is eight times as far from a resize of the full-size RGB picture.
_FILTER = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT


Size = int | tuple[int, int]  # the side of a square, or height and width, in pixels


class RgbConverter:
    """Squashes pictures to RGB of one size. Keep one per stream: its scaling tables are reused."""

    def __init__(self, size: Size) -> None:
        """`size` is that of pictures as they are shown, upright."""
        self.height, self.width = (size, size) if isinstance(size, int) else size
        self._reformatter = VideoReformatter()

    def rgb(self, picture: VideoFrame) -> NDArray[np.uint8]:
        """Return `uint8 [height, width, 3]`, turned upright as a player would."""
        matrix = display_matrix(picture)
        lies = is_on_its_side(matrix)  # turning after the squash is the same as before, and cheaper
        scaled = self._reformatter.reformat(
            picture,
            width=self.height if lies else self.width,
            height=self.width if lies else self.height,
            format="rgb24",
            interpolation=_FILTER,
            threads=1,  # the default starts one thread per core
        )
        return upright(scaled.to_ndarray().astype(np.uint8, copy=False), matrix)


def shown_size(picture: VideoFrame, pixel_aspect: Fraction, longer: Fraction | int) -> tuple[int, int]:
    """Width and height of a picture as it is stored, with square pixels, its longer side `longer` pixels.

    `pixel_aspect`: a pixel's width over its height, before rotation.
    """
    width, height = picture.width * pixel_aspect, Fraction(picture.height)
    scale = longer / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def display_matrix(picture: VideoFrame) -> NDArray[np.int32] | None:
    """The 3 x 3 matrix that maps stored to displayed coordinates (ISO 14496-12), None if there is none."""
    side_data = cast(SideDataContainer, picture.side_data)  # the stubs call it a dict of motion vectors
    data = side_data.get(Type.DISPLAYMATRIX)
    if data is None or data.buffer_size < 36:
        return None
    return np.frombuffer(bytes(data), dtype="<i4", count=9).astype(np.int32).reshape(3, 3)


def rotation_degrees(matrix: NDArray[np.int32] | None) -> int:
    """Clockwise turn, 0 to 359, that shows a stored picture upright; what cameras call its rotation."""
    if matrix is None:
        return 0
    return round(math.degrees(math.atan2(int(matrix[0, 1]), int(matrix[0, 0])))) % 360


def is_on_its_side(matrix: NDArray[np.int32] | None) -> bool:
    """Whether a stored picture is shown by a quarter turn, so that its height becomes its width."""
    return matrix is not None and abs(int(matrix[0, 1])) > abs(int(matrix[0, 0]))


def upright(rgb: NDArray[np.uint8], matrix: NDArray[np.int32] | None) -> NDArray[np.uint8]:
    """Apply the nearest of the eight quarter turns and mirrorings."""
    if matrix is None:
        return rgb
    (a, b), (c, d) = matrix[:2, :2].tolist()
    if is_on_its_side(matrix):
        # Stored x becomes displayed y.
        rgb, a, d = rgb.transpose(1, 0, 2), c, b
    if a < 0:
        rgb = rgb[:, ::-1]
    if d < 0:
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)
