"""A layer of the Qwen2 and Qwen3 decoders, without what tokens attend to.

A step of few tokens on a CPU is hundreds of small calls, so what it looks up is at hand: attributes that are
modules or parameters are found slowly, and modules are called slowly.

Shapes: T tokens of this pass, D model width, H query heads, K key/value heads, E head size.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.layers.joined import JoinedLinear, OneLinear, Product
from videoxl2.network.layers.quantised import quantised_linear
from videoxl2.network.layers.rotary import rotate

_FEW_NUMBERS = 2**14  # up to here what an operation costs is its launch


class RMSNorm(nn.Module):
    """Scales each vector to a root mean square of one, then by learned weights."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps
        self._size = size

    def forward(self, x: Tensor) -> Tensor:
        """Normalise the last dimension."""
        weight = self._parameters["weight"]
        if x.is_cpu and x.numel() <= _FEW_NUMBERS:
            return _few_normed(x, self._size, self.eps).mul(weight)  # type: ignore[arg-type]
        return functional.rms_norm(x, (self._size,), weight, self.eps)


def _few_normed(x: Tensor, size: int, eps: float) -> Tensor:
    """Return `x` over its root mean square, in two operations where `rms_norm` is seven on a CPU.

    Numbers and their negatives together have the mean 0, so a layer norm takes the root mean square of them.
    """
    both = x.unsqueeze(-2) * _signs(x.dtype, x.device)
    return functional.layer_norm(both, (2, size), eps=eps).select(-2, 0)


@cache
def _signs(dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # learning may come after
        return torch.tensor([[1.0], [-1.0]], dtype=dtype, device=device)


class SelfAttention(nn.Module):
    """Grouped-query attention with rotary positions, over the rows of a cache."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        width, heads, kv_heads = config.hidden_size, config.num_heads, config.num_kv_heads
        self.head_dim = config.head_dim
        self.q_proj = nn.Linear(width, heads * config.head_dim, bias=config.qkv_bias)
        self.k_proj = nn.Linear(width, kv_heads * config.head_dim, bias=config.qkv_bias)
        self.v_proj = nn.Linear(width, kv_heads * config.head_dim, bias=config.qkv_bias)
        self.o_proj = nn.Linear(heads * config.head_dim, width, bias=False)
        if config.head_norms:
            self.q_norm = RMSNorm(config.head_dim, config.rms_norm_eps)
            self.k_norm = RMSNorm(config.head_dim, config.rms_norm_eps)
        self.qkv: Product = JoinedLinear(self.q_proj, self.k_proj, self.v_proj)
        self.out: Product = OneLinear(self.o_proj)
        self._sizes = [heads + kv_heads, kv_heads]
        self._rotated_sizes = [heads, kv_heads]
        self._has_norms = config.head_norms

    def project(self, x_TD: Tensor, cos_TE: Tensor, sin_TE: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries `[H, T, E]`, rotated keys and plain values `[K, T, E]`."""
        qkv = self.qkv(x_TD).view(len(x_TD), -1, self.head_dim).transpose(0, 1)
        qk, v_KTE = qkv.split_with_sizes(self._sizes)
        if self._has_norms:
            q_HTE, k_KTE = qk.split(self._rotated_sizes)
            qk = torch.cat([self.q_norm(q_HTE), self.k_norm(k_KTE)])
        q_HTE, k_KTE = rotate(qk, cos_TE, sin_TE).split_with_sizes(self._rotated_sizes)
        return q_HTE, k_KTE, v_KTE

    def output(self, mixed_HTE: Tensor) -> Tensor:
        """Return the heads' mixed values, joined and projected: [H, T, E] to [T, D]."""
        return self.out(mixed_HTE.transpose(0, 1).flatten(1))

    def quantise_weights(self, weight_bits: int) -> None:
        """Quantise the weights; what is left is computed with from then on."""
        self.qkv = quantised_linear((self.q_proj, self.k_proj, self.v_proj), weight_bits)
        self.out = quantised_linear((self.o_proj,), weight_bits)


class GatedMlp(nn.Module):
    """Feed-forward half of a layer, whose SiLU gate scales what goes through."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.gate_up: Product = JoinedLinear(self.gate_proj, self.up_proj)
        self.down: Product = OneLinear(self.down_proj)

    def forward(self, x_TD: Tensor) -> Tensor:
        """Return down(silu(gate(x)) * up(x)). [T, D]"""
        gate, up = self.gate_up(x_TD).chunk(2, dim=-1)
        return self.down(functional.silu(gate) * up)

    def quantise_weights(self, weight_bits: int) -> None:
        """Quantise the weights; what is left is computed with from then on."""
        self.gate_up = quantised_linear((self.gate_proj, self.up_proj), weight_bits)
        self.down = quantised_linear((self.down_proj,), weight_bits)


class DecoderLayer(nn.Module):
    """Attention and feed-forward network, each behind a norm and added to what came in."""

    def __init__(self, config: LanguageConfig) -> None:
        super().__init__()
        self.self_attn = SelfAttention(config)
        self.mlp = GatedMlp(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self._parts = (self.self_attn, self.mlp, self.input_layernorm, self.post_attention_layernorm)

    @property
    def device(self) -> torch.device:
        """The device that holds the layer's weights."""
        weight = self._parts[2]._parameters["weight"]
        assert weight is not None
        return weight.device

    def join_weights(self) -> None:
        """Join what is multiplied together; quantised weights are."""
        for product in (self._parts[0].qkv, self._parts[1].gate_up):
            if isinstance(product, JoinedLinear):
                product.join()

    def quantise_weights(self, weight_bits: int) -> None:
        """Quantise all that is multiplied with, where it lies; norms and biases stay as they are."""
        self._parts[0].quantise_weights(weight_bits)
        self._parts[1].quantise_weights(weight_bits)

    def project(self, x_TD: Tensor, cos_TE: Tensor, sin_TE: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries `[H, T, E]`, rotated keys and plain values `[K, T, E]`."""
        attention, _, norm, _ = self._parts
        return attention.project(norm.forward(x_TD), cos_TE, sin_TE)

    def forward(self, x_TD: Tensor, mixed_HTE: Tensor) -> Tensor:
        """Apply the half after attention: residual, then the gated MLP with its residual."""
        attention, mlp, _, norm = self._parts
        x_TD = x_TD + attention.output(mixed_HTE)
        return x_TD + mlp.forward(norm.forward(x_TD))
