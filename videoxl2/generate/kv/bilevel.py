"""Bi-level key/value decoding: chunks of a selection stay dense, the others keep stamps and pooled visuals.

Shapes: K key/value heads, S cached rows, P rows of the mixed cache, E head size. Source: reference §6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from videoxl2.generate.kv.layout import TokenLayout
from videoxl2.generate.kv.selection import SelectionChunk
from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.language.cache import KVCache
from videoxl2.network.layers.rotary import rotary_angles, rotate
from videoxl2.network.transfer import per_device


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
    order.append(torch.arange(layout.end - layout.tokens_after, layout.end))
    empty = torch.empty(0, compression, dtype=torch.long)
    return torch.cat(order), torch.cat([empty, *windows])


def mix_cache(
    cache: KVCache, config: LanguageConfig, length: int, order_P: Tensor, windows_WX: Tensor
) -> KVCache:
    """Build a new cache of P rows at positions 0 … P-1.

    Keys are pooled as they were before rotary embedding, then rotated once to their new position; the
    reference stores unrotated keys and rotates all of them every step, with the same result.
    """
    mixed = KVCache(cache.shape, cache.device, capacity=len(order_P))
    plan_on = per_device(lambda device: _MixPlan.on(device, config, length, order_P, windows_WX))
    for layer in range(cache.shape.num_layers):
        mixed.write(layer, *plan_on(cache.device_of(layer)).apply(*cache.read(layer, length)))
    mixed.advance(len(order_P))
    return mixed


@dataclass(frozen=True)
class _MixPlan:
    """Order of the rows and their rotary embedding before and after, where a layer lies."""

    order: Tensor  # [P]
    windows: Tensor  # [W, compression]
    old: tuple[Tensor, Tensor]  # cosine and signed sine, [S, E]
    new: tuple[Tensor, Tensor]  # the same, [P, E]

    @classmethod
    def on(
        cls, device: torch.device, config: LanguageConfig, length: int, order_P: Tensor, windows_WX: Tensor
    ) -> _MixPlan:
        old, new = (
            rotary_angles(torch.arange(rows, device=device), config.head_dim, config.rope_theta)
            for rows in (length, len(order_P))
        )
        return cls(order_P.to(device), windows_WX.to(device), old, new)

    def apply(self, k_KSE: Tensor, v_KSE: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values `[K, P, E]` of one layer."""
        cos_SE, sin_SE = self.old
        plain_KSE = rotate(k_KSE.float(), cos_SE, -sin_SE)
        keys_KPE = rotate(_mix(plain_KSE, self.order, self.windows), *self.new)
        return keys_KPE.to(v_KSE.dtype), _mix(v_KSE, self.order, self.windows)


def _mix(x_KSE: Tensor, order_P: Tensor, windows_WX: Tensor) -> Tensor:
    pooled_KWE = x_KSE[:, windows_WX].float().mean(2).to(x_KSE.dtype)
    return torch.cat([x_KSE, pooled_KWE], dim=1).index_select(1, order_P)
