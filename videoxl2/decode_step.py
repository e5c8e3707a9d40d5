"""One decode step with static shapes: CUDA graphs between the attention calls.

A decode step of the full model launches some 500 kernels for about 4 ms of reading weights; launched from
Python they take several times that. Everything but attention has a fixed shape for one token, so it is
recorded once, as one graph per stretch from an attention output to the next layer's queries, and replayed.
Attention itself runs between the graphs on the rows there are, which keeps its kernels and the cache free
to be any length, on the device or on the host.

Shapes: D model width, H query heads, K key/value heads, E head size, V vocabulary; one token (T = 1).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from videoxl2.attention import attention
from videoxl2.cache import KVCache
from videoxl2.language import DecoderLayer, LanguageModel, rotary_angles

Replay = Callable[[], None]


class DecodeStep:
    """Built once per model; on a CPU the same stretches run without recording."""

    def __init__(self, language: LanguageModel) -> None:
        config, weight = language.config, language.embed_tokens.weight
        self._language = language
        self._layers = [layer for layer in language.layers if isinstance(layer, DecoderLayer)]
        self._token = torch.zeros(1, dtype=torch.long, device=weight.device)
        self._angles_2TE = weight.new_zeros(2, 1, config.head_dim)
        self._mixed_HTE = weight.new_zeros(config.num_heads, 1, config.head_dim)
        self._x_TD = weight.new_zeros(1, config.hidden_size)
        self._q_HTE = weight.new_zeros(config.num_heads, 1, config.head_dim)
        self._kv_2KTE = weight.new_zeros(2, config.num_kv_heads, 1, config.head_dim)
        self._logits_V = torch.zeros(config.vocab_size, device=weight.device)
        stretches = [self._stretch(index) for index in range(len(self._layers) + 1)]
        self._replays = [_recorded(stretch) for stretch in stretches] if weight.is_cuda else stretches

    def _stretch(self, index: int) -> Replay:
        """From attention of layer `index - 1` (or the token) to the queries of layer `index` (or logits)."""

        def run() -> None:
            if index == 0:
                self._x_TD.copy_(self._language.embed_tokens(self._token))
            else:
                self._x_TD.copy_(self._layers[index - 1](self._x_TD, self._mixed_HTE))
            if index == len(self._layers):
                self._logits_V.copy_(self._language.logits(self._x_TD)[0])
                return
            layer = self._layers[index]
            normed_TD = layer.input_layernorm(self._x_TD)
            q, k, v = layer.self_attn.project(normed_TD, self._angles_2TE[0], self._angles_2TE[1])
            self._q_HTE.copy_(q)
            self._kv_2KTE[0].copy_(k)
            self._kv_2KTE[1].copy_(v)

        return run

    def run(self, token: int, cache: KVCache) -> Tensor:
        """Append one token; float32 logits `[V]` for the next, as `LanguageModel.extend` gives them."""
        config = self._language.config
        end = cache.length + 1
        cache.reserve(end)
        self._token.fill_(token)
        position_T = torch.full((1,), cache.length, device=self._token.device)
        self._angles_2TE.copy_(torch.stack(rotary_angles(position_T, config.head_dim, config.rope_theta)))
        for index, replay in enumerate(self._replays):
            replay()
            if index == len(self._layers):
                break
            cache.write(index, self._kv_2KTE[0], self._kv_2KTE[1])
            self._mixed_HTE.copy_(attention(self._q_HTE, *cache.read(index, end)))
        cache.advance(1)
        return self._logits_V.clone()


def _recorded(stretch: Replay) -> Replay:
    """Record a stretch as a CUDA graph; its tensors are the buffers it was recorded with."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        stretch()  # libraries allocate their workspaces on the first call, which a graph must not see
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        stretch()
    replay: Replay = graph.replay
    return replay
