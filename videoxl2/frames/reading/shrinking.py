"""Pictures at 64 x 36 in luma and 32 x 18 in chroma, for as little as can be done.

Of large pictures a few lines stand for those around them: five of each small pixel, over its whole width.
"""

from collections.abc import Sequence

import numpy as np
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

WIDTH, HEIGHT = 64, 36
SIDES = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))  # of Y, U, V
_AREA, _FAST = int(Interpolation.AREA), int(Interpolation.FAST_BILINEAR)
_LINES = 5  # of a small pixel that are looked at
_TALL = 3 * _LINES * HEIGHT  # lines from which on that pays
_LARGE = 1_500_000  # pixels, from which on 25 samples stand for the area of a small pixel in other formats
_COARSE = (5 * WIDTH, 5 * HEIGHT)


class Shrinker:
    """Squashes pictures of one film. Keep one per film: its scaling tables are reused."""

    def __init__(self) -> None:
        self._luma, self._chroma = VideoReformatter(), VideoReformatter()
        self._whole, self._to_coarse = VideoReformatter(), VideoReformatter()

    def planes(self, picture: VideoFrame) -> Sequence[VideoPlane]:
        """Y, U and V, in the limited range of video; each line may be followed by others' bytes.

        Raises FFmpegError or ValueError for a picture whose format is none.
        """
        if _has_lines_to_spare(picture) and (planes := picture.planes)[0].line_size > 0:
            return self._of_some_lines(planes)
        if picture.width * picture.height >= _LARGE:
            picture = self._to_coarse.reformat(picture, *_COARSE, "yuv420p", interpolation=_FAST, threads=1)
        return self._whole.reformat(picture, WIDTH, HEIGHT, "yuv420p", interpolation=_AREA, threads=1).planes

    def _of_some_lines(self, planes: Sequence[VideoPlane]) -> Sequence[VideoPlane]:
        scalers = self._luma, self._chroma, self._chroma
        return [
            _shrunk(scaler, some_lines(plane, height), width, height)
            for plane, scaler, (height, width) in zip(planes, scalers, SIDES, strict=True)
        ]


def some_lines(plane: VideoPlane, height: int) -> VideoFrame:
    """Every so many lines of a plane, for one of that height; no copy, valid as long as the plane is."""
    step = plane.height // (_LINES * height)
    lines = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)  # type: ignore[call-overload]  # a plane is a buffer
    return VideoFrame.from_numpy_buffer(lines[step // 2 :: step], "gray", plane.width)


def _shrunk(scaler: VideoReformatter, gray: VideoFrame, width: int, height: int) -> VideoPlane:
    return scaler.reformat(gray, width, height, "gray", interpolation=_AREA, threads=1).planes[0]


def _has_lines_to_spare(picture: VideoFrame) -> bool:
    return (
        picture.height >= _TALL
        and picture.format.name == "yuv420p"
        and picture.color_range != ColorRange.JPEG
    )
