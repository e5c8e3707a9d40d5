"""One decode step with static shapes: CUDA graphs between the attention calls.

A decode step of the full model launches some 500 kernels for about 4 ms of reading weights; launched from
Python they take several times that. Everything but attention has a fixed shape for one token of each row, so
it is recorded once, as one graph per stretch from an attention output to the next layer's queries, and
replayed. Attention itself runs between the graphs on the keys there are, which keeps its kernels and the
caches free to be any length, on the device or on the host.

Shapes: T tokens, one of each row (1 behind a `Continuation`), D model width, H query heads, K key/value
heads, E head size, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from videoxl2.network.attention import attention
from videoxl2.network.cache import KVCache
from videoxl2.network.language import Attend, DecoderLayer, LanguageModel, rotary_angles

Replay = Callable[[], None]


class DecodeStep:
    """Built once per model, for one token; wider steps are recorded when first needed.

    Widths are powers of two: places without a token cost nothing where reading the weights is the cost.
    """

    def __init__(self, language: LanguageModel) -> None:
        self._language = language
        self._widths = {1: _Stretches(language, 1)}

    def run(self, token: int, cache: KVCache) -> Tensor:
        """Append one token; return float32 logits `[V]` of the next, as `LanguageModel.extend` gives them."""
        end = cache.length + 1
        cache.reserve(end)
        token_T, position_T = (torch.full((1,), n, device=cache.device) for n in (token, cache.length))

        def attend(layer: int, q_HTE: Tensor, k_KTE: Tensor, v_KTE: Tensor) -> Tensor:
            cache.write(layer, k_KTE, v_KTE)
            return attention(q_HTE, *cache.read(layer, end))

        logits_TV = self.run_rows(token_T, position_T, attend)
        cache.advance(1)
        return logits_TV[0]

    def run_rows(self, ids_T: Tensor, positions_T: Tensor, attend: Attend) -> Tensor:
        """Run one token of each of T rows; return float32 logits `[T, V]`."""
        width = 1 << (len(ids_T) - 1).bit_length()
        if width not in self._widths:
            self._widths[width] = _Stretches(self._language, width)
        return self._widths[width].run(ids_T, positions_T, attend)


class _Stretches:
    """The recorded stretches for one width and the buffers between them; on a CPU nothing is recorded."""

    def __init__(self, language: LanguageModel, width: int) -> None:
        config, weight = language.config, language.embed_tokens.weight
        self._language = language
        self._layers = [layer for layer in language.layers if isinstance(layer, DecoderLayer)]
        self._ids_T = torch.zeros(width, dtype=torch.long, device=weight.device)
        self._angles_2TE = weight.new_zeros(2, width, config.head_dim)
        self._mixed_HTE = weight.new_zeros(config.num_heads, width, config.head_dim)
        self._x_TD = weight.new_zeros(width, config.hidden_size)
        self._q_HTE = weight.new_zeros(config.num_heads, width, config.head_dim)
        self._kv_2KTE = weight.new_zeros(2, config.num_kv_heads, width, config.head_dim)
        self._logits_TV = torch.zeros(width, config.vocab_size, device=weight.device)
        stretches = [self._stretch(index) for index in range(len(self._layers) + 1)]
        self._replays = [_recorded(stretch) for stretch in stretches] if weight.is_cuda else stretches

    def _stretch(self, index: int) -> Replay:
        """Run from attention of layer `index - 1` (or the tokens) to queries of layer `index` (or logits)."""

        def run() -> None:
            if index == 0:
                self._x_TD.copy_(self._language.embed_tokens(self._ids_T))
            else:
                self._x_TD.copy_(self._layers[index - 1](self._x_TD, self._mixed_HTE))
            if index == len(self._layers):
                self._logits_TV.copy_(self._language.logits(self._x_TD))
                return
            layer = self._layers[index]
            normed_TD = layer.input_layernorm(self._x_TD)
            q, k, v = layer.self_attn.project(normed_TD, self._angles_2TE[0], self._angles_2TE[1])
            self._q_HTE.copy_(q)
            self._kv_2KTE[0].copy_(k)
            self._kv_2KTE[1].copy_(v)

        return run

    def run(self, ids_T: Tensor, positions_T: Tensor, attend: Attend) -> Tensor:
        used, config = len(ids_T), self._language.config
        self._ids_T[:used] = ids_T
        cos_TE, sin_TE = rotary_angles(positions_T, config.head_dim, config.rope_theta)
        self._angles_2TE[0, :used] = cos_TE
        self._angles_2TE[1, :used] = sin_TE
        for index, replay in enumerate(self._replays):
            replay()
            if index < len(self._layers):
                k_KTE, v_KTE = self._kv_2KTE[:, :, :used]
                mixed_HTE = attend(index, self._q_HTE[:, :used], k_KTE, v_KTE)
                assert mixed_HTE is not None, "a decode step goes through all layers"
                self._mixed_HTE[:, :used] = mixed_HTE
        return self._logits_TV[:used].clone()


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
