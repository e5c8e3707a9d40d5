"""The frames of consecutive targets, and how they are filled."""

from dataclasses import dataclass

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.files.packets import Damage
from videoxl2.frames.files.pixels import RgbConverter
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.choosing.sampling import Span
from videoxl2.frames.reading.choosing.targets import Answer, FrameFlag, Miss


@dataclass(frozen=True)
class FrameSpan:
    """The frames of consecutive targets; numpy only, so that it crosses process borders without a copy.

    A target without a picture has no row: rows can be fewer than targets, even none. `warnings` holds any
    of: `corrupt_packets`, `read_in_order` (skipping was given up: costs time, not accuracy),
    `missing_frames`, `damaged_frames` (some have the flag CORRUPT or SUBSTITUTE), `long_hold` (see
    `Limits.max_hold_s`), `timestamps_estimated`, `timestamp_discontinuity` (pictures came out in another
    order than their times say), `streams_unread`.
    """

    first_target: int
    frames: NDArray[np.uint8]  # [n, height, width, 3] RGB, C-contiguous
    pts_ms: NDArray[np.int64]  # [n] when each picture begins to be shown, from the first picture, nearest ms
    target_index: NDArray[np.int32]  # [n] strictly increasing
    flags: NDArray[np.uint8]  # [n] bits of FrameFlag
    warnings: tuple[str, ...]
    seconds_cpu: float  # of the reading thread


class SpanRows:
    """The rows of one span while they are filled."""

    def __init__(self, span: Span, info: MediaInfo, converter: RgbConverter) -> None:
        num_targets = span.stop - span.first
        self._first_target = span.first
        self._converter = converter
        self._frames = np.empty((num_targets, converter.height, converter.width, 3), np.uint8)
        self._pts_ms = np.empty(num_targets, np.int64)
        self._target_index = np.empty(num_targets, np.int32)
        self._flags = np.empty(num_targets, np.uint8)
        self._last: Picture | None = None  # one full-size picture at most is kept alive
        self._warnings = {"timestamps_estimated"} if info.timestamps == "estimated" else set[str]()
        self.num_frames = 0

    def add(self, answer: Answer) -> None:
        """Take one answer; a picture that answers several targets is converted once."""
        if isinstance(answer, Miss):
            self._warnings.add(answer.warning)
            return
        row = self.num_frames
        if answer.picture is self._last:
            self._frames[row] = self._frames[row - 1]
        else:
            try:
                self._frames[row] = self._converter.rgb(answer.picture.frame)
            except (FFmpegError, ValueError):  # damage can turn a picture's format into nonsense
                self._warnings.add("missing_frames")
                return
        self._last = answer.picture
        self._pts_ms[row] = answer.pts_ms
        self._target_index[row] = answer.target
        self._flags[row] = answer.flags
        if answer.flags & (FrameFlag.CORRUPT | FrameFlag.SUBSTITUTE):
            self._warnings.add("damaged_frames")
        self.num_frames += 1

    def finish(self, damage: Damage, seconds_cpu: float) -> FrameSpan:
        """The filled rows."""
        n = self.num_frames
        return FrameSpan(
            first_target=self._first_target,
            frames=self._frames[:n],
            pts_ms=self._pts_ms[:n],
            target_index=self._target_index[:n],
            flags=self._flags[:n],
            warnings=tuple(sorted(self._warnings | set(damage.warnings()))),
            seconds_cpu=seconds_cpu,
        )
