"""Which parts of a video a prompt is answered on: chunks that stay dense, while the others are pooled.

A selection chunk is `chunk_groups` frame groups, numbered from 1; its size is independent of the prefill
chunk's. A unit is 8 frames, two groups, the grain in which the reference lists relevant moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from videoxl2.errors import ModelInputError
from videoxl2.generate.kv.layout import TokenLayout

UNIT_GROUPS = 2


@dataclass(frozen=True)
class BiLevelOptions:
    """Choice of the chunks that stay dense, and how far the others are pooled.

    `units` names the relevant 8-frame units (an empty list keeps everything dense, as in the reference);
    None lets a scorer choose the `top_chunks` most relevant selection chunks for the prompt.
    """

    chunk_groups: int = 6
    compression: int = 4  # visual tokens averaged into one
    top_chunks: int = 6
    units: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.chunk_groups < 1 or self.compression < 1 or self.top_chunks < 0:
            raise ModelInputError(
                f"bi-level options out of range: {self}", "Take 1 or more for chunk_groups and compression."
            )


@dataclass(frozen=True)
class SelectionChunk:
    """Frame groups `[first_group, end_group)` seen from `start_ms`; the unit of the dense/sparse choice."""

    number: int
    first_group: int
    end_group: int
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class BiLevelReport:
    """Record of what a bi-level answer was decoded on."""

    num_chunks: int
    dense_chunks: tuple[int, ...]
    scores: tuple[float, ...]  # one per chunk; empty when no scorer was asked
    full_tokens: int
    mixed_tokens: int

    @property
    def reduction(self) -> float:
        """Return the share of rows that were spared, 0 to 1."""
        return 1 - self.mixed_tokens / self.full_tokens


@dataclass(frozen=True)
class Segment:
    """Rows `[start, end)` of a cache, which lie from position `at` on in what a selection makes of it."""

    compression: int  # of the pooled cache that has the rows; 1 is the cache itself
    start: int
    end: int
    at: int

    @property
    def shift(self) -> int:
        """Return how many positions later the rows are stored than they are seen."""
        return self.start - self.at


@dataclass(frozen=True)
class Selection:
    """Part of the cache that a prompt is answered on; without chunks, all of it."""

    chunks: tuple[SelectionChunk, ...] = ()
    dense: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    compression: int = 1

    @property
    def is_whole(self) -> bool:
        """Whether nothing is pooled."""
        return len(self.dense) == len(self.chunks)

    def segments(self, layout: TokenLayout) -> tuple[Segment, ...]:
        """Return what the prompt sees, in order: runs of dense chunks, and of pooled ones between them."""
        if self.is_whole:
            return (Segment(1, 0, layout.end, 0),)
        found: list[Segment] = []
        at = 0
        for is_dense, run in groupby(self.chunks, key=lambda chunk: chunk.number in self.dense):
            chunks = list(run)
            compression = 1 if is_dense else self.compression
            first, end = chunks[0].first_group, chunks[-1].end_group
            # Every cache begins with the prefix and ends with what stands after the video.
            start = layout.pooled_start(first, compression) if first else 0
            after = layout.tokens_after if end == layout.num_groups else 0
            found.append(Segment(compression, start, layout.pooled_start(end, compression) + after, at))
            at += found[-1].end - start
        return tuple(found)

    def num_tokens(self, layout: TokenLayout) -> int:
        """Return how many keys the prompt sees."""
        last = self.segments(layout)[-1]
        return last.at + last.end - last.start

    def report(self, layout: TokenLayout) -> BiLevelReport | None:
        """Return what a bi-level answer was decoded on; None where nothing was selected."""
        if not self.chunks:
            return None
        return BiLevelReport(len(self.chunks), self.dense, self.scores, layout.end, self.num_tokens(layout))


def selection_chunks(group_times_ms: Sequence[int], chunk_groups: int) -> list[SelectionChunk]:
    """Divide the video into consecutive chunks, of which the last may be short."""
    num_groups = len(group_times_ms)
    chunks: list[SelectionChunk] = []
    for first in range(0, num_groups, chunk_groups):
        end = min(first + chunk_groups, num_groups)
        end_ms = group_times_ms[end] if end < num_groups else group_times_ms[-1]
        chunks.append(SelectionChunk(len(chunks) + 1, first, end, group_times_ms[first], end_ms))
    return chunks


def dense_from_units(units: Sequence[int], num_chunks: int, chunk_groups: int) -> set[int]:
    """Return the chunks that stay dense: the marked ones, the first and the last; all for an empty list.

    ModelInputError: a unit lies outside of the video.
    """
    if not units:
        return set(range(1, num_chunks + 1))
    marked = {UNIT_GROUPS * unit // chunk_groups + 1 for unit in units}
    outside = sorted(number for number in marked if not 1 <= number <= num_chunks)
    if outside:
        raise ModelInputError(
            f"units {list(units)} lie outside the video's {num_chunks} selection chunks",
            "Number units of 8 frames from 0 within the prefilled frames.",
        )
    return marked | {1, num_chunks}


def dense_from_scores(scores: Sequence[float], top_chunks: int) -> set[int]:
    """Return the `top_chunks` best-scored chunks besides the first and the last, which are dense anyway."""
    inner = range(2, len(scores))
    best = sorted(inner, key=lambda number: -scores[number - 1])[:top_chunks]
    return {1, len(scores), *best}


def dense_from_window(chunks: Sequence[SelectionChunk], window_ms: tuple[int, int]) -> set[int]:
    """Return the chunks that show something of the window, besides the first and the last."""
    start_ms, end_ms = window_ms
    shown = {chunk.number for chunk in chunks if chunk.start_ms < end_ms and chunk.end_ms > start_ms}
    return {1, len(chunks), *shown}
