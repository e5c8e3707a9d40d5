"""Prefill: visual tokens into the cache, a chunk as soon as its frame groups are there.

All modes are one pass per chunk behind the cached tokens; they differ in the keys a chunk may see.

    full        everything before it; equal to one causal pass over the whole video
    streaming   prefix, stamps of chunks that left the window, the previous chunks, itself (reference §5.2)
    mask        the same, and stamp tokens see everything before them (reference §5.1)

Shapes: T tokens of a chunk, G groups, N visual tokens a group, L layers, D language width.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, get_args

import torch
from torch import Tensor
from torch.nn import functional

from videoxl2.errors import ModelInputError, ModelMemoryError
from videoxl2.generate.kv.layout import TokenLayout, Visibility, streaming_rows
from videoxl2.network.clock import StageClock
from videoxl2.network.configs.config import GROUP_FRAMES
from videoxl2.network.footprint import reserved_tokens
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.transformer import KeyView, LanguageModel
from videoxl2.network.memory import is_out_of_memory, release_unused
from videoxl2.network.transfer import to_device

PrefillMode = Literal["streaming", "mask", "full"]
_log = logging.getLogger(__name__)
_PASS_CHUNKS = 2  # that go through a layer together: a GPU is half idle with one


@dataclass(frozen=True)
class PrefillOptions:
    """Settings of prefill; the defaults are the reference's for long videos (16 frames a chunk)."""

    mode: PrefillMode = "streaming"
    chunk_groups: int = 4
    previous_chunks: int = 3
    pass_tokens: int = 2048  # that go through a layer together at most, where each sees all before it
    vision_batch: int | None = None  # frames per pass of the vision tower; None: by device
    offload: bool = False  # keys and values live in host memory
    duration_ms: int | None = None  # of the whole video, for models that are told; None: up to its last frame
    expected_frames: int | None = None  # sizes the cache once, instead of growing it
    step_s: Fraction | None = (
        None  # between frames, for models that count them; None: they are told real time
    )

    def __post_init__(self) -> None:
        if self.mode not in get_args(PrefillMode):
            raise ModelInputError(f"unknown prefill mode {self.mode!r}", "Use streaming, mask or full.")
        if self.chunk_groups < 1 or self.previous_chunks < 0:
            raise ModelInputError(
                f"chunk_groups={self.chunk_groups}, previous_chunks={self.previous_chunks}",
                "A chunk has at least one group; the number of previous chunks is not negative.",
            )
        if self.pass_tokens < 1:
            raise ModelInputError(f"pass_tokens={self.pass_tokens}", "Give a positive number of tokens.")
        if self.step_s is not None and self.step_s <= 0:
            raise ModelInputError(f"step_s={self.step_s}", "Give the seconds from a frame to the next.")
        if self.vision_batch is not None and self.vision_batch < 1:
            raise ModelInputError(f"vision_batch={self.vision_batch}", "Give a positive number of frames.")


def chunk_view(
    layout: TokenLayout, options: PrefillOptions, first_group: int, end_group: int, stamp_rows_S: Tensor
) -> KeyView:
    """Return what the chunk of groups `[first_group, end_group)` may see; `stamp_rows_S` of all stamps."""
    start, end = layout.group_start(first_group), layout.group_start(end_group)
    if options.mode == "full":
        return KeyView(end - start)
    if options.mode == "streaming":
        previous_groups = options.previous_chunks * options.chunk_groups
        return KeyView(end - start, streaming_rows(layout, first_group, end, previous_groups, stamp_rows_S))
    visibility = Visibility.of(
        layout, options.chunk_groups, options.previous_chunks, stamp_queries_see_all=True
    )
    return KeyView(end - start, mask=to_device(visibility.mask(start, end), stamp_rows_S.device))


@dataclass(frozen=True)
class _Group:
    """Embedded tokens, what later layers add, and their positions if these are not the rows' numbers."""

    tokens: Tensor  # [T, D]
    added: Tensor | None = None  # [L, T, D]
    positions: Tensor | None = None  # [3, T]

    def split(self, size: int) -> list[_Group]:
        """Return the same in parts of `size` tokens and a rest."""
        spans = [slice(first, first + size) for first in range(0, len(self.tokens), size)]
        return [
            _Group(
                self.tokens[span],
                None if self.added is None else self.added[:, span],
                None if self.positions is None else self.positions[:, span],
            )
            for span in spans
        ]


def _behind(num_stamps: int, added_LND: Tensor) -> Tensor:
    """Return `[L, T, D]` with nothing for the stamps."""
    return functional.pad(added_LND, (0, 0, num_stamps, 0))


def _joined(groups: Sequence[_Group]) -> _Group:
    added = [group.added for group in groups if group.added is not None]
    positions = [group.positions for group in groups if group.positions is not None]
    return _Group(
        torch.cat([group.tokens for group in groups]),
        torch.cat(added, 1) if added else None,
        torch.cat(positions, 1) if positions else None,
    )


class Prefill:
    """Prefill of one video into a cache: the prefix at once, then group by group, then `finish`."""

    def __init__(
        self,
        language: LanguageModel,
        prefix_ids: Sequence[int],
        tokens_per_group: int,
        options: PrefillOptions,
        device: torch.device,
        clock: StageClock | None = None,
        frames_per_group: int = GROUP_FRAMES,
        on_hidden: Callable[[Tensor], None] | None = None,
        stamp_tokens: int = 0,
    ) -> None:
        self.language = language
        self.options = options
        self.device = device
        self.clock = clock or StageClock(device)
        self.on_hidden = on_hidden  # gets each pass's hidden states [T, D]; without it they are not computed
        self.layout = TokenLayout(len(prefix_ids), tokens_per_group)
        groups = -(-(options.expected_frames or 0) // frames_per_group)
        rows = reserved_tokens(len(prefix_ids), groups, stamp_tokens + tokens_per_group)
        self.cache = self._reserved_cache(rows, options.offload)
        self._stamps = _StampRows(device)
        self._pending: list[_Group] = []  # that no pass has taken yet
        if prefix_ids:
            self._extend(_Group(language.embed(list(prefix_ids))), [])

    def _reserved_cache(self, rows: int, on_host: bool) -> KVCache:
        try:
            return KVCache(self.language.cache_shape, self.device, capacity=rows, on_host=on_host)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if on_host:
                raise ModelMemoryError(
                    f"out of host memory for the keys and values of {rows} tokens", "Prefill fewer frames."
                ) from error
        release_unused(self.device)
        return self._reserved_cache(rows, on_host=True)

    def add_groups(
        self,
        stamp_ids: Sequence[Sequence[int]],
        visual_GND: Tensor,
        added_GLND: Tensor | None = None,
        positions_3T: Tensor | None = None,
    ) -> None:
        """Append groups, whose stamps cross to the device together; runs chunks that are full.

        `added_GLND` comes to the visual tokens behind the first L layers. `positions_3T` are those of all
        these tokens, where they are not the numbers of their rows.
        """
        first = self.layout.num_groups
        for ids in stamp_ids:
            self.layout.add_group(len(ids))
        flat = torch.tensor([token for ids in stamp_ids for token in ids], dtype=torch.long)
        rows = self.layout.stamp_rows(first, self.layout.num_groups)
        ids_T, rows_T = to_device(torch.stack([flat, rows]), self.device)
        self._stamps.add(rows_T)
        stamps = self.language.embed_tokens(ids_T).split([len(ids) for ids in stamp_ids])
        groups = [
            _Group(torch.cat([stamp, visual]))
            if added_GLND is None
            else _Group(torch.cat([stamp, visual]), _behind(len(stamp), added_GLND[number]))
            for number, (stamp, visual) in enumerate(zip(stamps, visual_GND, strict=True))
        ]
        if positions_3T is not None:
            parts = to_device(positions_3T, self.device).split([len(group.tokens) for group in groups], dim=1)
            groups = [replace(group, positions=part) for group, part in zip(groups, parts, strict=True)]
        self._pending += groups
        most = self.options.chunk_groups * (1 if self.cache.on_host else _PASS_CHUNKS)
        while len(self._pending) >= most:
            self.run_pass(most)

    def finish(self, after_TD: Tensor | None = None, next_position: int | None = None) -> None:
        """Run what waits, and what stands `[T, D]` after the video for every prompt.

        That goes on at `next_position`, if it is given, and prompts behind it.
        """
        if self._pending:
            self.run_pass(len(self._pending))
        if next_position is not None:
            self.cache.shift = next_position - self.cache.length
        if after_TD is not None and len(after_TD):
            self.layout.tokens_after = len(after_TD)
            self._extend(_Group(after_TD), [])

    def run_pass(self, num_groups: int) -> None:
        """Run the first groups that wait, chunk by chunk, in one pass through the layers."""
        first = self.layout.num_groups - len(self._pending)
        end = first + num_groups
        starts = range(first, end, self.options.chunk_groups)
        views = [
            chunk_view(
                self.layout,
                self.options,
                start,
                min(start + self.options.chunk_groups, end),
                self._stamps.rows_S,
            )
            for start in starts
        ]
        if all(view.rows is None and view.mask is None for view in views):
            views = []  # one causal part
        whole = _joined(self._pending[:num_groups])
        for part in [whole] if views else whole.split(self.options.pass_tokens):
            self._extend(part, views)
        del self._pending[:num_groups]

    def _extend(self, group: _Group, views: Sequence[KeyView]) -> None:
        """Run one pass; if memory runs out, once more with the cache on the host."""
        with self.clock.stage("prefill"):
            if not self._extend_once(group, views):
                # A failed pass left the cache as it was, and its tensors are gone only by now.
                _log.warning("out of memory: the cache moves to the host")
                self.cache.move_to_host()
                release_unused(self.device)
                self._extend_once(group, views)

    def _extend_once(self, group: _Group, views: Sequence[KeyView]) -> bool:
        """Run one pass; return False if memory ran out and the cache can still move to the host."""
        try:
            hidden_TD = self.language.extend(
                group.tokens,
                self.cache,
                views,
                positions=group.positions,
                added_LTD=group.added,
                keys_only=self.on_hidden is None,
            )
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if not self.cache.on_host:
                return False
            raise ModelMemoryError(
                f"out of memory prefilling frame group {self.layout.num_groups} with the cache on the host",
                "Prefill fewer frames.",
            ) from error
        if self.on_hidden is not None:
            self.on_hidden(hidden_TD)
        return True


class _StampRows:
    """Rows of all stamp tokens so far, on the device, so that no chunk has to bring them there once more."""

    def __init__(self, device: torch.device) -> None:
        self._buffer_S = torch.empty(0, dtype=torch.long, device=device)
        self._length = 0

    @property
    def rows_S(self) -> Tensor:
        return self._buffer_S[: self._length]

    def add(self, rows_T: Tensor) -> None:
        """Append rows; the buffer doubles."""
        end = self._length + len(rows_T)
        if end > len(self._buffer_S):
            grown = self._buffer_S.new_empty(2 * end)
            grown[: self._length] = self.rows_S
            self._buffer_S = grown
        self._buffer_S[self._length : end] = rows_T
        self._length = end
