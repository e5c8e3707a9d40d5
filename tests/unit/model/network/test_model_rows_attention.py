"""Attention over two sets of keys, merged by log-sum-exp, is attention over their union."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from videoxl2.network.layers import attention as attention_module
from videoxl2.network.layers.attention import attention, attention_lse, merge, visibility_bias

TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-6, torch.bfloat16: 2e-2, torch.float16: 3e-3}


@pytest.fixture(params=["kernel", "plain", "plain in blocks"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """torch's kernel, and the fallback for where there is none."""
    if request.param != "kernel":
        monkeypatch.setattr(attention_module, "has_kernel", lambda name: False)
    if request.param == "plain in blocks":
        monkeypatch.setattr(attention_module, "PLAIN_SCORES", 500)


def drawn(*shape: int, dtype: torch.dtype, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize(("heads", "kv_heads"), [(6, 2), (4, 4), (7, 1)])
def test_merged_halves_are_the_whole(dtype: torch.dtype, heads: int, kv_heads: int) -> None:
    """The last of 60 queries over 57 + 40 keys, in halves and at once, on every number format."""
    q = drawn(heads, 1, 16, dtype=dtype, seed=1)
    k, v = (drawn(kv_heads, 97, 16, dtype=dtype, seed=seed) for seed in (2, 3))
    halves = [
        attention_lse(q[None], k[None, :, part], v[None, :, part]) for part in (slice(57), slice(57, 97))
    ]
    merged = merge(*halves[0], *halves[1])[0]
    want = attention(q.double(), k.double(), v.double())
    assert merged.dtype == dtype
    assert (merged.double() - want).abs().max() <= TOLERANCE[dtype]


@pytest.mark.usefixtures("path")
def test_the_bias_hides_what_the_mask_does() -> None:
    """Each row and query has its own visible keys; what is hidden may be anything finite."""
    q = drawn(3, 6, 5, 8, dtype=torch.float64, seed=4)
    k, v = (drawn(3, 2, 20, 8, dtype=torch.float64, seed=seed) for seed in (5, 6))
    mask = drawn(3, 5, 20, dtype=torch.float64, seed=7) < 0
    mask[..., 0] = True
    mask[..., -1] = False
    k[:, :, -1] = v[:, :, -1] = 1e30
    out, lse = attention_lse(q, k, v, visibility_bias(mask, 3, torch.float64))
    for row in range(3):
        assert torch.allclose(out[row], attention(q[row], k[row], v[row], mask[row]), atol=1e-12)
        scores = q[row] @ k[row].repeat_interleave(3, 0).transpose(1, 2) / 8**0.5
        assert torch.allclose(lse[row], scores.masked_fill(~mask[row], -torch.inf).logsumexp(-1), atol=1e-12)


def test_merging_survives_extreme_weights() -> None:
    """One side so much heavier that the other rounds to nothing: no NaN, no overflow."""
    a, b = torch.ones(1, 1, 4), torch.full((1, 1, 4), 2.0)
    for high, low in ((1e4, -1e4), (3e38, -3e38)):
        assert torch.equal(merge(a, torch.full((1, 1), high), b, torch.full((1, 1), low)), a)
        assert torch.equal(merge(a, torch.full((1, 1), low), b, torch.full((1, 1), high)), b)
