"""One attention function for the language model; every faster kernel hides behind it.

Shapes: B rows, H query heads, K key/value heads (H is a multiple of K), T queries, S keys, D head size; X the
H/K x T queries of one key head. In `attention` the T queries are the last T of the S keys' sequence, so
causal means the lower right triangle.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

import torch
from torch import Tensor
from torch.nn import functional

_CPU_KERNEL = "_scaled_dot_product_flash_attention_for_cpu"
PLAIN_SCORES = 2**27  # scores written out at once by the plain path: 512 MiB


def attention(q_HTD: Tensor, k_KSD: Tensor, v_KSD: Tensor, mask_TS: Tensor | None = None) -> Tensor:
    """Return attention `[H, T, D]`; causal, unless a bool mask (True = visible) says exactly what is seen."""
    num_queries, num_keys = q_HTD.shape[1], k_KSD.shape[1]
    if num_queries == 1 and mask_TS is None:
        return _one_query(q_HTD, k_KSD, v_KSD)
    if mask_TS is None and q_HTD.is_cpu and has_kernel(_CPU_KERNEL):
        return _behind(q_HTD, k_KSD, v_KSD)
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
    # is_causal means the upper left triangle to SDPA.
    lower_right = _lower_right(num_queries, num_keys, q.is_cuda)
    return functional.scaled_dot_product_attention(q, k, v, attn_mask=lower_right, enable_gqa=True)[0]


def wide_attention(q_STC: Tensor, k_STC: Tensor, v_STC: Tensor) -> Tensor:
    """Return attention `[S, T, C]` of one head of any size, every query over all T keys of its sequence.

    On a GPU no fused kernel takes a head beyond 256, and SDPA then multiplies in float32: there 16-bit
    numbers are multiplied as such, with scores in float32.
    """
    if q_STC.is_cpu or q_STC.dtype.itemsize > 2:
        return functional.scaled_dot_product_attention(q_STC[:, None], k_STC[:, None], v_STC[:, None])[:, 0]
    scores_STT = torch.bmm(q_STC, k_STC.transpose(1, 2), out_dtype=torch.float32)
    weights_STT = (scores_STT * q_STC.shape[-1] ** -0.5).softmax(-1)
    out: Tensor = weights_STT.to(v_STC.dtype) @ v_STC
    return out


def _lower_right(num_queries: int, num_keys: int, is_cuda: bool) -> Tensor:
    """Return the causal mask `[T, S]` whose last query sees every key; on CUDA as a bias that keeps the
    fused kernels."""
    if not is_cuda:
        return torch.ones(num_queries, num_keys, dtype=torch.bool).tril(num_keys - num_queries)
    from torch.nn.attention.bias import causal_lower_right  # imports torch's compiler, for seconds

    bias: Tensor = causal_lower_right(num_queries, num_keys)
    return bias


def _one_query(q_HTD: Tensor, k_KSD: Tensor, v_KSD: Tensor) -> Tensor:
    """Attend from one query: heads that share keys become queries of one head, so keys are read once."""
    num_heads, _, head_dim = q_HTD.shape
    folded = q_HTD.reshape(1, k_KSD.shape[0], -1, head_dim)
    out: Tensor
    if folded.is_cpu and has_kernel(_CPU_KERNEL):
        out = getattr(torch.ops.aten, _CPU_KERNEL)(folded, k_KSD[None], v_KSD[None])[0]
    else:
        out = functional.scaled_dot_product_attention(folded, k_KSD[None], v_KSD[None])
    return out.view(num_heads, 1, head_dim)


def _behind(q_HTD: Tensor, k_KSD: Tensor, v_KSD: Tensor) -> Tensor:
    """Attend from T queries to all earlier keys without a mask, to their own T causally, and merge the two.

    SDPA's kernel on a CPU would read a mask for every score, and keys once for every query head.
    """
    num_queries = q_HTD.shape[1]
    earlier = k_KSD.shape[1] - num_queries
    k_own, v_own = (
        x[:, earlier:].repeat_interleave(q_HTD.shape[0] // x.shape[0], dim=0)[None] for x in (k_KSD, v_KSD)
    )
    kernel = getattr(torch.ops.aten, _CPU_KERNEL)
    own_1HTD: Tensor
    own_1HTD, own_lse = kernel(q_HTD[None], k_own, v_own, is_causal=True)
    if not earlier:
        return own_1HTD[0]
    seen_1HTD, seen_lse = attention_lse(q_HTD[None], k_KSD[None, :, :earlier], v_KSD[None, :, :earlier])
    return merge(seen_1HTD, seen_lse, own_1HTD, own_lse)[0]


@cache
def _flash_attention_installed() -> bool:
    return find_spec("flash_attn") is not None


def _flash_attention(q_HTD: Tensor, k_KSD: Tensor, v_KSD: Tensor) -> Tensor:
    from flash_attn import flash_attn_func  # optional, GPU only

    q, k, v = (x.transpose(0, 1)[None] for x in (q_HTD, k_KSD, v_KSD))
    out: Tensor = flash_attn_func(q, k, v, causal=True)  # lower right since flash-attn 2.1
    return out[0].transpose(0, 1)


def attention_lse(
    q_BHTD: Tensor, k_BKSD: Tensor, v_BKSD: Tensor, bias_B1XS: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return attention `[B, H, T, D]` and its log-sum-exp `[B, H, T]`, which `merge` needs.

    Every query sees every key, or what `visibility_bias` says.
    """
    rows, heads, num_queries, head_dim = q_BHTD.shape
    # Heads that share keys become queries of one head, as in `_one_query`.
    q_BKXD = q_BHTD.reshape(rows, k_BKSD.shape[1], -1, head_dim)
    out, lse = _attention_lse(q_BKXD, k_BKSD, v_BKSD, bias_B1XS)
    return out.reshape(q_BHTD.shape), lse.reshape(rows, heads, num_queries)


def visibility_bias(mask_BTS: Tensor, heads_per_key_head: int, dtype: torch.dtype) -> Tensor:
    """Turn a bool mask (True = visible, at least one key a query) into what `attention_lse` takes."""
    bias_BTS = torch.zeros(mask_BTS.shape, dtype=dtype, device=mask_BTS.device)
    return bias_BTS.masked_fill_(~mask_BTS, -torch.inf).repeat(1, heads_per_key_head, 1)[:, None]


def merge(out_a: Tensor, lse_a: Tensor, out_b: Tensor, lse_b: Tensor) -> Tensor:
    """Combine attention over two sets of keys, given with their log-sum-exp, into attention over both."""
    weight_a = torch.sigmoid(lse_a - lse_b)[..., None]
    return torch.lerp(out_b.to(weight_a.dtype), out_a.to(weight_a.dtype), weight_a).to(out_a.dtype)


def _attention_lse(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    """Call SDPA's kernels by name where they run, since SDPA itself returns no log-sum-exp."""
    if q.is_cpu and has_kernel(_CPU_KERNEL):
        out, lse = getattr(torch.ops.aten, _CPU_KERNEL)(q, k, v, attn_mask=bias)
        return out, lse
    if q.is_cuda and bias is None and _flash_kernel_takes(q):
        out, lse = torch.ops.aten._scaled_dot_product_flash_attention(q, k, v)[:2]
        return out, lse[..., : q.shape[2]]  # some releases pad it
    queries_at_once = max(1, PLAIN_SCORES // (k.shape[0] * k.shape[1] * k.shape[2]))
    parts = [
        _plain_attention_lse(
            q[:, :, first : first + queries_at_once],
            k,
            v,
            None if bias is None else bias[:, :, first : first + queries_at_once],
        )
        for first in range(0, q.shape[2], queries_at_once)
    ]
    if len(parts) == 1:
        return parts[0]
    return torch.cat([out for out, _ in parts], 2), torch.cat([lse for _, lse in parts], 2)


def _plain_attention_lse(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> tuple[Tensor, Tensor]:
    # As in the fused kernels, scores never exist in 16 bits: there a score of 30 is good to 0.1 only.
    wide = torch.promote_types(q.dtype, torch.float32)
    scores = (q.to(wide) * q.shape[-1] ** -0.5) @ k.to(wide).transpose(-1, -2)
    if bias is not None:
        scores += bias
    weights = scores.softmax(-1)
    # The largest weight is exp(largest score - lse): two small kernels where logsumexp launches many.
    lse = scores.amax(-1) - weights.amax(-1).log()
    return weights.to(v.dtype) @ v, lse


@cache
def has_kernel(name: str) -> bool:
    """Whether this build of PyTorch has the operation."""
    return hasattr(torch.ops.aten, name)


def _flash_kernel_takes(q: Tensor) -> bool:
    """Whether the flash kernel runs: SDPA's conditions, and a head size that needs no padding."""
    fits = q.dtype in (torch.float16, torch.bfloat16) and q.shape[-1] % 8 == 0 and q.shape[-1] <= 256
    return fits and torch.cuda.get_device_capability(q.device) >= (8, 0)
