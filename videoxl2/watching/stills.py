"""Stills: the picture that represents a shot, chosen among small copies of pictures as they pass by."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.files.pixels import display_matrix, shown_size, upright
from videoxl2.frames.reading.stills.keyframes import SIZE, Keyframe
from videoxl2.frames.reading.stills.thumbnail import to_jpeg

EVERY_MS, AT_KEYS_MS = 1000, 200  # copies are no closer together; where the encoder began anew
SETTLED_MS = 400  # away from the borders of a shot, where it is long enough
MOST_COPIES = 256  # held at once: 25 MB
_AREA = int(Interpolation.AREA)


@dataclass(frozen=True, kw_only=True)
class Still(Keyframe):
    """A keyframe with its time, from which on it is shown."""

    at_ms: int


@dataclass(frozen=True)
class _Copy:
    """A small copy of a picture, as it is stored."""

    at_ms: int
    frame: VideoFrame
    matrix: NDArray[np.int32] | None
    is_damaged: bool

    def detail(self) -> float:
        """Mean difference between neighbours, in levels of brightness."""
        plane = self.frame.planes[0]
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        luma = rows[: self.frame.height, : self.frame.width].astype(np.int16)
        return _mean_step(luma, 0) + _mean_step(luma, 1)


class StillTaker:
    """Copies a picture a second, and gives the best copy of each stretch of the film."""

    def __init__(self, pixel_aspect: Fraction) -> None:
        """`pixel_aspect`: a pixel's width over its height, before rotation."""
        self._aspect = pixel_aspect
        self._reformatter, self._to_rgb = VideoReformatter(), VideoReformatter()
        self._copies: list[_Copy] = []
        self._last_ms = -EVERY_MS

    def offer(self, picture: Picture, at_ms: int) -> None:
        """Show the next picture; it is copied where its turn has come."""
        since_ms = at_ms - self._last_ms
        if since_ms < AT_KEYS_MS or (since_ms < EVERY_MS and not picture.frame.key_frame):
            return
        frame = picture.frame
        try:
            small = self._reformatter.reformat(
                frame, *self._size(frame), "yuv420p", interpolation=_AREA, threads=1
            )
        except (FFmpegError, ValueError):  # damage can turn a picture's format into nonsense
            return
        self._last_ms = at_ms
        self._copies.append(_Copy(at_ms, small, display_matrix(frame), picture.is_damaged))
        if len(self._copies) > MOST_COPIES:
            del self._copies[1 : MOST_COPIES // 2 : 2]  # the oldest are most likely of a long shot

    def take(self, start_ms: int, end_ms: int, clear_ms: tuple[int, int]) -> Still | None:
        """The best of a stretch, and forget what was before its end; None where no picture of it was copied.

        Within `clear_ms` no transition is under way. Best is what is sound, clear of the borders, rich in
        detail and near the middle.
        """
        inside = [copy for copy in self._copies if start_ms <= copy.at_ms < end_ms]
        self._copies = [copy for copy in self._copies if copy.at_ms >= end_ms]
        ordered = sorted(inside, key=lambda copy: (copy.is_damaged, not _is_clear(copy.at_ms, clear_ms)))
        alike = [
            copy
            for copy in ordered
            if copy.is_damaged == ordered[0].is_damaged
            and _is_clear(copy.at_ms, clear_ms) == _is_clear(ordered[0].at_ms, clear_ms)
        ]
        best = _richest(alike, start_ms, end_ms)
        return None if best is None else self._still(best)

    def _size(self, frame: VideoFrame) -> tuple[int, int]:
        own = max(frame.width * self._aspect, Fraction(frame.height))
        return shown_size(frame, self._aspect, min(own, Fraction(SIZE)))

    def _still(self, copy: _Copy) -> Still:
        rgb = self._to_rgb.reformat(copy.frame, format="rgb24", threads=1).to_ndarray()
        shown = upright(rgb.astype(np.uint8, copy=False), copy.matrix)
        height, width, _ = shown.shape
        return Still(to_jpeg(shown), width, height, copy.is_damaged, at_ms=copy.at_ms)


def _mean_step(luma_HW: NDArray[np.int16], axis: int) -> float:
    """Between neighbours along an axis; 0 where there is but one."""
    steps = np.abs(np.diff(luma_HW, axis=axis))
    return float(steps.mean()) if steps.size else 0.0


def _is_clear(at_ms: int, clear_ms: tuple[int, int]) -> bool:
    start_ms, end_ms = clear_ms
    margin_ms = min(SETTLED_MS, (end_ms - start_ms) // 4)
    return start_ms + margin_ms <= at_ms < end_ms - margin_ms


def _richest(copies: Sequence[_Copy], start_ms: int, end_ms: int) -> _Copy | None:
    middle_ms, half_ms = (start_ms + end_ms) / 2, max(1, end_ms - start_ms) / 2

    def worth(copy: _Copy) -> float:
        return copy.detail() * (1 - abs(copy.at_ms - middle_ms) / half_ms / 2)

    return copies[0] if len(copies) == 1 else max(copies, key=worth, default=None)
