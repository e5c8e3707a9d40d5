"""Positions of a Qwen-VL sequence: time, row and column of each token, counted on as text and pictures come.

Text moves all three on by one. What a picture's tokens have depends on the model.

Shapes: T tokens, M tokens of a pair of frames.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor


class GridPositions(ABC):
    """Positions of one video, whose pairs of frames are grids of `rows` x `columns` tokens."""

    def __init__(self, rows: int, columns: int) -> None:
        self.next = 0  # position of the next token of text
        self._longest = max(rows, columns)
        self._row_M = torch.arange(rows).repeat_interleave(columns)
        self._column_M = torch.arange(columns).repeat(rows)

    def text(self, num_tokens: int) -> Tensor:
        """Return the positions `[3, T]` of so many tokens of text."""
        first = self.next
        self.next += num_tokens
        return torch.arange(first, self.next).expand(3, -1)

    @abstractmethod
    def pair(self, first_ms: int) -> Tensor:
        """Return the positions `[3, M]` of a pair of frames, of which the first is shown at `first_ms`."""

    def _grid(self, start: int, time: int) -> Tensor:
        self.next = max(self.next, start + self._longest, start + time + 1)
        time_M = torch.full_like(self._row_M, time)
        return torch.stack([time_M, self._row_M, self._column_M]) + start


class StampedPositions(GridPositions):
    """Positions of Qwen3-VL: stamps of text say the time, and each pair counts on from its own."""

    def pair(self, first_ms: int) -> Tensor:
        """Return the positions of a pair, whatever its time."""
        return self._grid(self.next, 0)


class TimedPositions(GridPositions):
    """Positions of Qwen2.5-VL: all pairs start where the first one does, and their times tell them apart."""

    def __init__(self, rows: int, columns: int, per_second: int) -> None:
        super().__init__(rows, columns)
        self._start: int | None = None
        self._per_second = per_second
        self._num_pairs = 0
        self._step_ms = 0

    def pair(self, first_ms: int) -> Tensor:
        """Return the positions of a pair at its true time from the start of the video."""
        if self._start is None:
            self._start = self.next
        if self._num_pairs == 1:
            self._step_ms = first_ms
        time = time_id(first_ms, self._num_pairs, self._step_ms, self._per_second)
        self._num_pairs += 1
        return self._grid(self._start, time)


def time_id(first_ms: int, number: int, step_ms: int, per_second: int) -> int:
    """Return the time of the pair of this number as a whole number of steps, `per_second` of them a second.

    Where pairs are `step_ms` apart it is the published product in float32, which can be one less than the
    exact number.
    """
    if first_ms == number * step_ms:
        return int(np.float32(number) * np.float32(per_second * step_ms / 1000))
    return per_second * first_ms // 1000
