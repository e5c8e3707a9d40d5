"""Bi-level key/value decoding: relevant chunks stay dense, the others keep their stamps and pooled visuals.

A selection chunk is `chunk_groups` frame groups, numbered from 1; its size is independent of the prefill
chunk's. A unit is 8 frames, two groups, the grain in which the reference lists relevant moments.
Shapes: K key/value heads, S cached rows, P rows of the mixed cache, E head size. Source: reference §6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.generate.layout import TokenLayout
from videoxl2.network.cache import KVCache
from videoxl2.network.config import LanguageConfig
from videoxl2.network.language import rotary_angles, rotate

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
    scores: tuple[float, ...]  # one per chunk; empty when units were given
    full_tokens: int
    mixed_tokens: int

    @property
    def reduction(self) -> float:
        return 1 - self.mixed_tokens / self.full_tokens


@dataclass(frozen=True)
class Selection:
    """Part of the cache that a prompt is answered on; without chunks, all of it."""

    chunks: tuple[SelectionChunk, ...] = ()
    dense: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()
    compression: int = 1

    def report(self, full_tokens: int, mixed_tokens: int) -> BiLevelReport | None:
        if not self.chunks:
            return None
        return BiLevelReport(len(self.chunks), self.dense, self.scores, full_tokens, mixed_tokens)

    @torch.inference_mode()
    def part_of(self, cache: KVCache, config: LanguageConfig, layout: TokenLayout, spare: int = 0) -> KVCache:
        """Return the cache if everything is dense, else a mixed one with `spare` rows more reserved."""
        if len(self.dense) == len(self.chunks):
            return cache
        rows = mixed_rows(layout, self.chunks, self.dense, self.compression)
        return mix_cache(cache, config, layout.end, *rows, spare)


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
    """Return the chunks that stay dense: the marked ones, the first and the last; all for an empty list."""
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


def mixed_rows(
    layout: TokenLayout, chunks: Sequence[SelectionChunk], dense: Collection[int], compression: int
) -> tuple[Tensor, Tensor]:
    """Return the order `[P]` of the mixed cache and the windows `[W, compression]` that are averaged.

    Entries of the order below S are cached rows; S + w is the mean of window w.
    """
    order = [torch.arange(layout.prefix_tokens)]
    windows: list[Tensor] = []
    next_pooled = layout.end
    pools = layout.tokens_per_group // compression  # a remainder is dropped, as in the reference
    for chunk in chunks:
        if chunk.number in dense:
            order.append(
                torch.arange(layout.group_start(chunk.first_group), layout.group_start(chunk.end_group))
            )
            continue
        for group in range(chunk.first_group, chunk.end_group):
            visual = layout.visual_rows(group, group + 1)[0]
            windows.append(visual[: pools * compression].view(pools, compression))
            order += [layout.stamp_rows(group, group + 1), torch.arange(next_pooled, next_pooled + pools)]
            next_pooled += pools
    empty = torch.empty(0, compression, dtype=torch.long)
    return torch.cat(order), torch.cat([empty, *windows])


def mix_cache(
    cache: KVCache, config: LanguageConfig, length: int, order_P: Tensor, windows_WX: Tensor, spare: int
) -> KVCache:
    """Build a new cache of P rows at positions 0 … P-1, with `spare` more reserved.

    Keys are pooled as they were before rotary embedding, then rotated once to their new position; the
    reference stores unrotated keys and rotates all of them every step, with the same result.
    """
    device = cache.device
    mixed = KVCache(cache.shape, device, capacity=len(order_P) + spare)
    order_P, windows_WX = order_P.to(device), windows_WX.to(device)
    old = rotary_angles(torch.arange(length, device=device), config.head_dim, config.rope_theta)
    new = rotary_angles(torch.arange(len(order_P), device=device), config.head_dim, config.rope_theta)
    for layer in range(cache.shape.num_layers):
        k_KSE, v_KSE = cache.read(layer, length)
        plain_KSE = rotate(k_KSE.float(), old[0], -old[1])
        keys_KPE = rotate(_mix(plain_KSE, order_P, windows_WX), *new)
        mixed.write(layer, keys_KPE.to(cache.shape.dtype), _mix(v_KSE, order_P, windows_WX))
    mixed.advance(len(order_P))
    return mixed


def _mix(x_KSE: Tensor, order_P: Tensor, windows_WX: Tensor) -> Tensor:
    pooled_KWE = x_KSE[:, windows_WX].float().mean(2).to(x_KSE.dtype)
    return torch.cat([x_KSE, pooled_KWE], dim=1).index_select(1, order_P)
