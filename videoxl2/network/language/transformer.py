"""The Qwen2 and Qwen3 decoders over a preallocated cache. No batch axis: tokens of several rows are packed.

Shapes: T tokens of this pass, S cached rows it attends to, D model width, H query heads, K key/value heads,
E head size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.language.cache import CacheShape, KVCache
from videoxl2.network.layers.attention import attention
from videoxl2.network.layers.decoder_layer import DecoderLayer, RMSNorm
from videoxl2.network.layers.embedding import undrawn_embedding
from videoxl2.network.layers.rotary import rotary_angles
from videoxl2.network.memory import release_unused
from videoxl2.network.transfer import per_device, to_device

Observer = Callable[[int, Tensor], None]  # layer, rotated queries [H, T, E]
# Layer, rotated queries [H, T, E], rotated keys and plain values [K, T, E] -> what they see, mixed [H, T, E].
# Storing keys and values is its business, so it also knows where they are; None ends the pass at this layer.
Attend = Callable[[int, Tensor, Tensor, Tensor], Tensor | None]


@dataclass(frozen=True)
class KeyView:
    """The keys that some tokens of a pass attend to up to their own last row: listed rows, a mask over all,
    or all."""

    num_tokens: int
    rows: Tensor | None = None  # [S]
    mask: Tensor | None = None  # bool [T, S], True = visible

    def on(self, device: torch.device) -> KeyView:
        """Return the same for a layer that lies there."""
        rows, mask = (None if x is None else x.to(device) for x in (self.rows, self.mask))
        return replace(self, rows=rows, mask=mask)


class LanguageModel(nn.Module):
    """Layers may lie on several devices; tokens go in and logits come out where the embedding is."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = undrawn_embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(DecoderLayer(config) for _ in range(config.num_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)

    def join_weights(self) -> None:
        """Join what is multiplied together, layer by layer, so that the spare memory is one layer's."""
        for layer in self._layers:
            layer.join_weights()
            release_unused(self.embed_tokens.weight.device)

    def quantise_layer(self, index: int, weight_bits: int) -> None:
        """Quantise the weights of one layer to 8 or 4 bits, where they lie."""
        layer = self.layers[index]
        assert isinstance(layer, DecoderLayer)
        layer.quantise_weights(weight_bits)
        release_unused(layer.device)

    @property
    def _layers(self) -> Iterator[DecoderLayer]:
        for layer in self.layers:
            assert isinstance(layer, DecoderLayer)
            yield layer

    @property
    def devices(self) -> tuple[torch.device, ...]:
        """Return where the parts lie, each device once, in the order that tokens pass them."""
        first, last = self.embed_tokens.weight.device, self.norm.weight.device
        return tuple(dict.fromkeys((first, *(layer.device for layer in self._layers), last)))

    @property
    def cache_shape(self) -> CacheShape:
        """Return the sizes of the cache that the layers write."""
        c = self.config
        devices = tuple(layer.device for layer in self._layers)
        return CacheShape(c.num_layers, c.num_kv_heads, c.head_dim, self.embed_tokens.weight.dtype, devices)

    def embed(self, token_ids: list[int]) -> Tensor:
        """Return the embeddings of tokens, `[T, D]`, on the device of the first part."""
        ids = torch.tensor(token_ids, dtype=torch.long)
        out: Tensor = self.embed_tokens(to_device(ids, self.embed_tokens.weight.device))
        return out

    def extend(
        self,
        x_TD: Tensor,
        cache: KVCache,
        views: Sequence[KeyView] = (),
        *,
        positions: Tensor | None = None,
        added_LTD: Tensor | None = None,
        keys_only: bool = False,
        observe: Observer | None = None,
    ) -> Tensor:
        """Run T tokens behind the cached ones, append their keys and values, return hidden states `[T, D]`.

        Without `positions` (`[T]`, or time, row and column `[3, T]`) they continue at `cache.next_position`.
        `views` are those of the tokens, one part after the other; none: each sees all before it. Hidden
        states are before the final norm. With `keys_only` the last layer stops after its keys and values, all
        that a prefilled token leaves behind. For `added_LTD` see `run`.
        """
        num_tokens, end = x_TD.shape[0], cache.length + x_TD.shape[0]
        cache.reserve(end)
        views_on = per_device(lambda device: [view.on(device) for view in views])

        def attend(index: int, q_HTE: Tensor, k_KTE: Tensor, v_KTE: Tensor) -> Tensor | None:
            cache.write(index, k_KTE, v_KTE)
            if observe is not None:
                observe(index, q_HTE)
            if keys_only and index == len(self.layers) - 1:
                return None
            if not views:
                return attention(q_HTE, *cache.read(index, end))
            return _mixed(q_HTE, cache, index, views_on(q_HTE.device))

        if positions is None:
            first = cache.next_position
            positions = torch.arange(first, first + num_tokens, device=x_TD.device)
        x_TD = self.run(x_TD, positions, attend, added_LTD)
        cache.advance(num_tokens)
        return x_TD

    def run(self, x_TD: Tensor, positions: Tensor, attend: Attend, added_LTD: Tensor | None = None) -> Tensor:
        """Run all layers over tokens at these positions; `attend` decides what each token sees.

        Where a layer lies on another device than the one before it, the tokens move there. What is
        `added_LTD` comes to the hidden states behind the first L layers, layer by layer.
        """
        angles = rotary_angles(positions, self.config.head_dim, self.config.rope_theta, self.config.rope_axes)
        cos_TE, sin_TE = (angle.to(x_TD.dtype) for angle in angles)
        num_added = 0 if added_LTD is None else len(added_LTD)
        for index, layer in enumerate(self._layers):
            if layer.device != x_TD.device:
                x_TD, cos_TE, sin_TE = (x.to(layer.device) for x in (x_TD, cos_TE, sin_TE))
            q, k, v = layer.project(x_TD, cos_TE, sin_TE)
            mixed_HTE = attend(index, q, k, v)
            if mixed_HTE is None:
                break
            x_TD = layer.forward(x_TD, mixed_HTE)
            if added_LTD is not None and index < num_added:
                x_TD = x_TD + added_LTD[index].to(x_TD.device)
        return x_TD

    def logits(self, x_TD: Tensor) -> Tensor:
        """Return float32 logits `[T, V]` of hidden states from `extend`, where the embedding lies."""
        out: Tensor = self.lm_head(self.norm(x_TD.to(self.norm.weight.device)))
        return out.float().to(self.embed_tokens.weight.device)


def _mixed(q_HTE: Tensor, cache: KVCache, layer: int, views: Sequence[KeyView]) -> Tensor:
    """Attend part by part: a part's rows were written with all others, but it reads up to its own last."""
    parts: list[Tensor] = []
    end = cache.length
    for view, q in zip(views, q_HTE.split([view.num_tokens for view in views], 1), strict=True):
        end += view.num_tokens
        parts.append(attention(q, *cache.read(layer, end, view.rows), view.mask))
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)
