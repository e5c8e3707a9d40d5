"""Where each token of a prefilled video sits, and which earlier tokens it may see.

Shapes: T query tokens, S key tokens. Rows are positions: the sequence is numbered 0, 1, 2, … without gaps.
Chunks are `chunk_groups` consecutive frame groups; the last one may be short.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

_EVERYWHERE = 2**29  # chunk number that is never outside a window; differences fit 32 bits


@dataclass
class TokenLayout:
    """Rows of the video's tokens, which grow by groups: prefix | stamp visual | stamp visual | … | after"""

    prefix_tokens: int
    tokens_per_group: int
    starts: list[int] = field(default_factory=list)  # row of each group's first stamp token
    stamp_tokens: list[int] = field(default_factory=list)
    tokens_after: int = 0  # what stands after the video for every prompt
    _stamp_rows: list[int] = field(default_factory=list)  # of all groups, in order
    _stamp_ends: list[int] = field(default_factory=lambda: [0])  # into _stamp_rows, one more than groups

    @property
    def num_groups(self) -> int:
        """The count of frame groups so far."""
        return len(self.starts)

    @property
    def end(self) -> int:
        """Return the first row of a prompt."""
        return self.group_start(self.num_groups) + self.tokens_after

    def add_group(self, stamp_tokens: int) -> None:
        """Append a frame group whose stamp has so many tokens."""
        start = self.group_start(self.num_groups)
        self.starts.append(start)
        self.stamp_tokens.append(stamp_tokens)
        self._stamp_rows.extend(range(start, start + stamp_tokens))
        self._stamp_ends.append(len(self._stamp_rows))

    def group_start(self, group: int) -> int:
        """Return the first row of a group; `num_groups` gives the end of the video."""
        if group < self.num_groups:
            return self.starts[group]
        if not self.starts:
            return self.prefix_tokens
        return self.starts[-1] + self.stamp_tokens[-1] + self.tokens_per_group

    def pooled_start(self, group: int, compression: int) -> int:
        """Return a group's first row where every group keeps its stamp and its visual tokens, pooled."""
        pools = self.tokens_per_group // compression  # a remainder is dropped, as in the reference
        return self.prefix_tokens + self._stamp_ends[group] + group * pools

    def stamp_rows(self, first_group: int, end_group: int) -> Tensor:
        """Return the rows of the stamp tokens of groups `[first_group, end_group)`."""
        rows = self._stamp_rows[self._stamp_ends[first_group] : self._stamp_ends[end_group]]
        return torch.tensor(rows, dtype=torch.long)

    def num_stamp_tokens(self, end_group: int) -> int:
        """Return the number of stamp tokens of the groups before `end_group`."""
        return self._stamp_ends[end_group]

    def visual_rows(self, first_group: int, end_group: int) -> Tensor:
        """Return rows `[groups, tokens_per_group]` of the visual tokens of `[first_group, end_group)`."""
        groups = range(first_group, end_group)
        firsts = torch.tensor([self.starts[g] + self.stamp_tokens[g] for g in groups], dtype=torch.long)
        return firsts[:, None] + torch.arange(self.tokens_per_group)


def streaming_rows(
    layout: TokenLayout,
    first_group: int,
    end: int,
    previous_groups: int,
    stamp_rows_S: Tensor | None = None,
) -> Tensor | None:
    """Return the key rows of the chunk from `first_group` to before row `end` (reference §5.2).

    Prefix, the stamps of groups that left the window, the `previous_groups` before the chunk, the chunk.
    None means every row: nothing has left the window yet. `stamp_rows_S` are those of all stamps, where they
    are at hand on a device; the rows are made there then.
    """
    window_group = first_group - previous_groups
    if window_group <= 0:
        return None
    if stamp_rows_S is None:
        stamp_rows_S = layout.stamp_rows(0, window_group)
    prefix = torch.arange(layout.prefix_tokens, device=stamp_rows_S.device)
    window = torch.arange(layout.group_start(window_group), end, device=stamp_rows_S.device)
    return torch.cat([prefix, stamp_rows_S[: layout.num_stamp_tokens(window_group)], window])


@dataclass(frozen=True)
class Visibility:
    """Chunk rule as a predicate over (query row, key row), reference §5.1.

    `stamp_queries_see_all` is the one difference between the reference's mask code (True) and its chunk by
    chunk code (False).
    """

    chunk: Tensor  # [S], of each row
    is_stamp: Tensor  # bool [S]
    previous_chunks: int
    stamp_queries_see_all: bool

    @classmethod
    def of(
        cls,
        layout: TokenLayout,
        chunk_groups: int,
        previous_chunks: int,
        *,
        stamp_queries_see_all: bool,
        suffix_tokens: int = 0,
    ) -> Visibility:
        """Return which keys each query sees, where a chunk has `chunk_groups` and looks back
        `previous_chunks`."""
        total = layout.end + suffix_tokens
        # Age is query chunk minus key chunk. The prefix has the largest number: as a key it is never too old.
        # The suffix has the smallest: to it, as a query, nothing is.
        chunk_S = torch.full((total,), _EVERYWHERE, dtype=torch.int32)
        chunk_S[layout.end :] = -_EVERYWHERE
        for group, start in enumerate(layout.starts):
            chunk_S[start : layout.group_start(group + 1)] = group // chunk_groups
        is_stamp_S = torch.zeros(total, dtype=torch.bool)
        is_stamp_S[layout.stamp_rows(0, layout.num_groups)] = True
        return cls(chunk_S, is_stamp_S, previous_chunks, stamp_queries_see_all)

    def mask(self, first_row: int, end_row: int) -> Tensor:
        """Return bool `[T, S]`: which of rows `[0, end_row)` each of rows `[first_row, end_row)` may see."""
        queries = slice(first_row, end_row)
        keys = slice(0, end_row)
        age_TS = self.chunk[queries, None] - self.chunk[None, keys]
        seen = (age_TS <= self.previous_chunks) | self.is_stamp[None, keys]
        if self.stamp_queries_see_all:
            seen |= self.is_stamp[queries, None]
        row = torch.arange(end_row)
        return seen & (row[None, :] <= row[queries, None])
