"""One attention function for the language model; every faster kernel hides behind it.

Shapes: H query heads, K key/value heads (H is a multiple of K), T queries, S keys, D head size. The T queries
are the last T of the S keys' sequence, so causal means the lower right triangle.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.attention.bias import causal_lower_right


def attention(q_HTD: Tensor, k_KSD: Tensor, v_KSD: Tensor, mask_TS: Tensor | None = None) -> Tensor:
    """`[H, T, D]`; causal, unless a bool mask (True = visible) says exactly what is seen."""
    num_queries, num_keys = q_HTD.shape[1], k_KSD.shape[1]
    if num_queries == 1 and mask_TS is None:
        return _one_query(q_HTD, k_KSD, v_KSD)
    if mask_TS is None and q_HTD.is_cuda and q_HTD.dtype != torch.float32 and _flash_attention_installed():
        return _flash_attention(q_HTD, k_KSD, v_KSD)
    q, k, v = q_HTD[None], k_KSD[None], v_KSD[None]
    if mask_TS is not None and q.is_cuda:
        # With a mask, CUDA's fused kernel wants as many key heads as query heads; without it SDPA would
        # write out all scores.
        k, v = (x.repeat_interleave(q.shape[1] // x.shape[1], dim=1) for x in (k, v))
    if mask_TS is not None:
        return functional.scaled_dot_product_attention(q, k, v, attn_mask=mask_TS, enable_gqa=True)[0]
    if num_queries == num_keys:
        return functional.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)[0]
    # is_causal means the upper left triangle to SDPA; this bias keeps the fused CUDA kernels.
    bias = causal_lower_right(num_queries, num_keys)
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, enable_gqa=True)[0]


def _one_query(q_HTD: Tensor, k_KSD: Tensor, v_KSD: Tensor) -> Tensor:
    """A decode step: heads that share keys become queries of one head, so keys are read once."""
    num_heads, _, head_dim = q_HTD.shape
    folded = q_HTD.view(1, k_KSD.shape[0], -1, head_dim)
    out = functional.scaled_dot_product_attention(folded, k_KSD[None], v_KSD[None])
    return out.view(num_heads, 1, head_dim)


@cache
def _flash_attention_installed() -> bool:
    return find_spec("flash_attn") is not None


def _flash_attention(q_HTD: Tensor, k_KSD: Tensor, v_KSD: Tensor) -> Tensor:
    from flash_attn import flash_attn_func  # type: ignore[import-not-found]  # optional, GPU only

    q, k, v = (x.transpose(0, 1)[None] for x in (q_HTD, k_KSD, v_KSD))
    out: Tensor = flash_attn_func(q, k, v, causal=True)  # lower right since flash-attn 2.1
    return out[0].transpose(0, 1)
