"""A strip of tiny pictures, evenly spaced over a film, by which people find a place in it.

All of them lie on one sheet, row after row, so that a page loads one file.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray
from PIL import Image

from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.reading.stills.thumbnail import shrink, to_jpeg

MOST_TILES = 100
LEAST_STEP_MS = 1000
COLUMNS = 10
SIZE = 160  # pixels of a tile's longer side
_QUALITY = 60


@dataclass(frozen=True)
class Strip:
    """A JPEG sheet of tiles, `num_columns` side by side: tile n is the picture on screen at n x `step_ms`.

    Sides of a tile in pixels.
    """

    image: bytes
    num_tiles: int
    num_columns: int
    tile_width: int
    tile_height: int
    step_ms: int


class StripMaker:
    """Takes the pictures of a film one by one, in order, and keeps those that become tiles."""

    def __init__(self, duration_ms: int, pixel_aspect: Fraction, size: int = SIZE) -> None:
        """`pixel_aspect`: width of a pixel over its height. `size`: pixels of a tile's longer side."""
        self._step_ms = max(LEAST_STEP_MS, ceil(duration_ms / MOST_TILES))
        self._num_tiles = max(1, ceil(duration_ms / self._step_ms))
        self._pixel_aspect = pixel_aspect
        self._size = size
        self._reformatter = VideoReformatter()
        self._shown: VideoFrame | None = None
        self._tiles: list[NDArray[np.uint8]] = []

    def picture(self, picture: Picture, at_ms: int) -> None:
        """Take the next picture, shown from `at_ms` on (see `videoxl2.watching`)."""
        while self._shown is not None and len(self._tiles) * self._step_ms < at_ms:
            if not self._take(self._shown):
                break
        self._shown = picture.frame

    def finish(self) -> Strip | None:
        """The strip; None: no picture could be drawn."""
        while self._shown is not None and len(self._tiles) < self._num_tiles and self._take(self._shown):
            pass
        self._shown = None
        if not self._tiles:
            return None
        height, width, _ = self._tiles[0].shape
        return Strip(_sheet(self._tiles), len(self._tiles), COLUMNS, width, height, self._step_ms)

    def _take(self, picture: VideoFrame) -> bool:
        """Make it the next tile; the one before again where damage left nothing to draw."""
        if len(self._tiles) == self._num_tiles:
            return False
        try:
            tile = self._drawn(picture)
        except (FFmpegError, ValueError):
            if not self._tiles:
                return False
            tile = self._tiles[-1]
        self._tiles.append(tile)
        return True

    def _drawn(self, picture: VideoFrame) -> NDArray[np.uint8]:
        """`uint8 [height, width, 3]`, upright, in the shape of the first one."""
        tile = shrink(picture, self._pixel_aspect, self._size, Interpolation.AREA, self._reformatter)
        if self._tiles and tile.shape != self._tiles[0].shape:
            height_0, width_0, _ = self._tiles[0].shape
            tile = np.asarray(Image.fromarray(tile).resize((width_0, height_0)))
        return tile


def _sheet(tiles: list[NDArray[np.uint8]]) -> bytes:
    """One JPEG of all tiles; what is left of the last row is black."""
    height, width, _ = tiles[0].shape
    across = min(COLUMNS, len(tiles))
    sheet = np.zeros((ceil(len(tiles) / COLUMNS) * height, across * width, 3), np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = tile
    return to_jpeg(sheet, _QUALITY, optimize=True)
