"""Numbers and bytes of a layer of the language model, in full and with quantised weights. Loads no torch."""

from __future__ import annotations

from videoxl2.network.configs.config import LanguageConfig
from videoxl2.network.configs.weight_bits import BLOCK, FULL_BITS, SCALE_BYTES, linear_sizes


def layer_parameters(d: LanguageConfig) -> int:
    """Count the numbers of a layer of the checkpoint."""
    return _linear_parameters(d) + _other_parameters(d)


def layer_bytes(d: LanguageConfig, itemsize: int, weight_bits: int) -> int:
    """Return what a layer takes, scales included; what is not quantised has `itemsize` bytes a number."""
    if weight_bits == FULL_BITS:
        return layer_parameters(d) * itemsize
    if weight_bits == 8:
        scales = sum(outputs for outputs, _ in linear_sizes(d))
    else:
        scales = _linear_parameters(d) // BLOCK
    return _linear_parameters(d) * weight_bits // 8 + scales * SCALE_BYTES + _other_parameters(d) * itemsize


def unpacked_bytes(d: LanguageConfig, itemsize: int, weight_bits: int) -> int:
    """Return what the largest product has of its weights in full while it is computed; in full it has none.

    Gate and up are one product.
    """
    if weight_bits == FULL_BITS:
        return 0
    attention = (d.num_heads + 2 * d.num_kv_heads) * d.head_dim
    return max(2 * d.intermediate_size, attention) * d.hidden_size * itemsize


def _linear_parameters(d: LanguageConfig) -> int:
    return sum(outputs * inputs for outputs, inputs in linear_sizes(d))


def _other_parameters(d: LanguageConfig) -> int:
    biases = (d.num_heads + 2 * d.num_kv_heads) * d.head_dim * d.qkv_bias
    return biases + 2 * d.head_dim * d.head_norms + 2 * d.hidden_size
