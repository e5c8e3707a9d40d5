"""Spans of frames to batches of frames, without ever holding a video.

Shapes: F frames, S image size. Frames of a Qwen-VL model are as they come, H x W.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from videoxl2.errors import ModelInputError
from videoxl2.network.vision.images import squash_frames


class FrameSpan(Protocol):
    """Consecutive frames of a video, as the frame reader yields them."""

    @property
    def frames(self) -> NDArray[np.uint8]:  # [n, H, W, 3] RGB
        """The pictures, RGB. [n, H, W, 3]"""

    @property
    def pts_ms(self) -> NDArray[np.int64]:  # [n], from the video's first frame
        """The pictures' times, counted from the video's first one. [n]"""


@dataclass(frozen=True)
class FrameBatch:
    """Frames that go through the vision tower together, with their times in milliseconds."""

    frames: NDArray[np.uint8]  # [F, S, S, 3], or [F, H, W, 3]
    pts_ms: tuple[int, ...]


@dataclass(frozen=True)
class _ShownSpan:
    frames: NDArray[np.uint8]
    pts_ms: NDArray[np.int64]


def shown(spans: Iterable[FrameSpan], every: int, held: int) -> Iterator[FrameSpan]:
    """Yield one frame of `every`, beginning with the first, each with its time and `held` times in a row."""
    if every == held == 1:
        yield from spans
        return
    number = 0
    for span in spans:
        kept = slice(-number % every, None, every)
        number += len(span.frames)
        yield _ShownSpan(span.frames[kept].repeat(held, axis=0), np.repeat(span.pts_ms[kept], held))


def frame_batches(spans: Iterable[FrameSpan], batch: int, image_size: int | None) -> Iterator[FrameBatch]:
    """Yield batches of `batch` frames, the last one shorter; a span is read when its frames are due.

    Frames become squares of `image_size`, or stay as they are.
    """
    frames: list[NDArray[np.uint8]] = []
    times: list[int] = []
    for span in spans:
        squashed = span.frames if image_size is None else squash_frames(span.frames, image_size)
        pts_ms = _times(span, times)
        taken = 0
        while taken < len(pts_ms):
            part = slice(taken, taken + batch - len(times))
            frames.append(squashed[part])
            times += pts_ms[part]
            taken += len(pts_ms[part])
            if len(times) == batch:
                yield FrameBatch(_joined(frames), tuple(times))
                frames, times = [], []
    if times:
        yield FrameBatch(_joined(frames), tuple(times))


def _joined(frames: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    return frames[0] if len(frames) == 1 else np.concatenate(frames)


def _times(span: FrameSpan, before: list[int]) -> list[int]:
    times = [int(t) for t in span.pts_ms]
    if len(times) != len(span.frames):
        raise ModelInputError(
            f"a span has {len(span.frames)} frames and {len(times)} timestamps", "Give one pts_ms per frame."
        )
    sequence = [*before[-1:], *times]
    if any(t < 0 for t in times) or any(b < a for a, b in pairwise(sequence)):
        raise ModelInputError(
            "timestamps are negative or run backwards",
            "Give pts_ms in milliseconds from the video's first frame, in display order.",
        )
    return times
