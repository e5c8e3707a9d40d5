"""Stretches in which something holds, found as pictures come."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Span = tuple[int, int]  # half-open, milliseconds unless told otherwise


class SpanFinder:
    """Collects stretches that last at least so long, each up to the first picture that is not in it."""

    def __init__(self, least: int) -> None:
        self._least = least
        self._open: int | None = None
        self.found: list[Span] = []

    @property
    def is_open(self) -> bool:
        """Whether it held at the last picture."""
        return self._open is not None

    def feed(self, holds_N: NDArray[np.bool_], start_N: NDArray[np.int64]) -> None:
        """The next pictures."""
        changes = np.flatnonzero(np.diff(holds_N, prepend=self.is_open))
        for start in start_N[changes].tolist():
            if self._open is None:
                self._open = start
            else:
                self.finish(start)

    def finish(self, end: int) -> list[Span]:
        """All that were found; what still holds ends here."""
        if self._open is not None and end - self._open >= self._least:
            self.found.append((self._open, end))
        self._open = None
        return self.found


def without(spans: Iterable[Span], others: Iterable[Span], least: int) -> Iterator[Span]:
    """Yield what of the spans lies outside all the others, where that lasts `least` or longer. Both are in
    order."""
    blocks = sorted(others)
    for start, end in spans:
        for block_start, block_end in blocks:
            if block_end <= start or block_start >= end:
                continue
            if block_start - start >= least:
                yield start, block_start
            start = max(start, block_end)
        if end - start >= least:
            yield start, end


def merged(spans: Iterable[Span], gap: int = 0) -> list[Span]:
    """Sort spans, and join those that touch or are no further apart than `gap`."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1] + gap:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return joined
