"""Consecutive pictures of a film at 64 x 36, for whatever compares each with its neighbours.

Shapes: N pictures; luma 36 x 64, chroma 18 x 32, U then V, in the limited range of video (black 16).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from numpy.typing import NDArray

from videoxl2.frames.reading.shrinking import HEIGHT, SIDES, WIDTH, Shrinker

CHUNK = 64  # pictures given at once: a few seconds, 0.2 MB
_ENDS = (0, 2304, 2880, 3456)  # bytes of one picture


@dataclass(frozen=True)
class SmallPictures:
    """Consecutive pictures of a film, each squashed to the same size.

    `start_ms_N` is when each begins to be shown, strictly increasing.
    """

    luma_N36x64: NDArray[np.uint8]  # noqa: N815
    chroma_N2x18x32: NDArray[np.uint8]  # noqa: N815
    start_ms_N: NDArray[np.int64]  # noqa: N815

    def __len__(self) -> int:
        return len(self.start_ms_N)


class SmallPictureMaker:
    """Shrinks pictures one by one and gives them in chunks."""

    def __init__(self, chunk: int = CHUNK) -> None:
        """`chunk`: pictures given at once."""
        self._chunk = chunk
        self._shrinker = Shrinker()
        self._last_ms = -1
        self._begin()

    def add(self, picture: VideoFrame, at_ms: int) -> SmallPictures | None:
        """Take a picture that is shown from `at_ms` on; a full chunk, if it is the last of one.

        Left out are pictures shown less than a millisecond after the one before, and those that damage has
        given a format that is none.
        """
        if at_ms <= self._last_ms:
            return None
        try:
            planes = self._shrinker.planes(picture)
        except (FFmpegError, ValueError):
            return None
        self._last_ms = self._start_ms[self._count] = at_ms
        self._copy(planes)
        self._count += 1
        return self.rest() if self._count == self._chunk else None

    def rest(self) -> SmallPictures:
        """Return the pictures not given yet; may be none."""
        n, pixels = self._count, self._pixels
        given = SmallPictures(
            pixels[:n, : _ENDS[1]].reshape(n, HEIGHT, WIDTH),
            pixels[:n, _ENDS[1] :].reshape(n, 2, HEIGHT // 2, WIDTH // 2),
            self._start_ms[:n],
        )
        self._begin()
        return given

    def _begin(self) -> None:
        self._count = 0
        self._pixels = np.empty((self._chunk, _ENDS[-1]), np.uint8)
        self._bytes = self._pixels.data.cast("B")
        self._start_ms = np.empty(self._chunk, np.int64)

    def _copy(self, planes: Sequence[VideoPlane]) -> None:
        at = self._count * _ENDS[-1]
        for plane, (height, width), begin, end in zip(planes, SIDES, _ENDS, _ENDS[1:], strict=False):
            if plane.line_size == width:
                self._bytes[at + begin : at + end] = memoryview(plane)
            else:
                rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
                self._pixels[self._count, begin:end] = rows[:height, :width].reshape(-1)


def in_chunks(pictures: Iterator[tuple[VideoFrame, int]], chunk: int = CHUNK) -> Iterator[SmallPictures]:
    """All pictures, each with the millisecond it begins at, shrunk."""
    maker = SmallPictureMaker(chunk)
    for picture, at_ms in pictures:
        if (full := maker.add(picture, at_ms)) is not None:
            yield full
    if len(rest := maker.rest()):
        yield rest
