"""Bi-level key/value decoding: chunks of a selection stay dense, the others keep stamps and pooled visuals.

Shapes: K key/value heads, S cached rows, P rows of the mixed cache, E head size. Source: reference §6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from videoxl2.generate.layout import TokenLayout
from videoxl2.generate.selection import SelectionChunk
from videoxl2.network.cache import KVCache
from videoxl2.network.config import LanguageConfig
from videoxl2.network.rotary import rotary_angles, rotate


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
    device = cache.device
    mixed = KVCache(cache.shape, device, capacity=len(order_P))
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
