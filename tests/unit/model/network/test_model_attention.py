"""The attention function, the cache and the layout against their plain definitions."""

from __future__ import annotations

import pytest
import torch

from videoxl2.generate.kv.layout import TokenLayout, Visibility
from videoxl2.network.language.cache import CacheShape, KVCache
from videoxl2.network.language.tokens import Vocabulary, stamp_text
from videoxl2.network.layers.attention import attention


def plain_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    heads = q.shape[0] // k.shape[0]
    k, v = k.repeat_interleave(heads, 0), v.repeat_interleave(heads, 0)
    scores = q.double() @ k.double().transpose(1, 2) / q.shape[-1] ** 0.5
    return scores.masked_fill(~seen, -torch.inf).softmax(-1) @ v.double()


@pytest.mark.parametrize(("queries", "keys"), [(1, 1), (1, 37), (5, 37), (37, 37)])
def test_attention_is_causal_at_the_lower_right(queries: int, keys: int) -> None:
    """A decode step, a chunk behind a cache and a first chunk: the last query sees every key."""
    q, k, v = torch.randn(6, queries, 16), torch.randn(2, keys, 16), torch.randn(2, keys, 16)
    seen = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
    assert torch.allclose(attention(q, k, v).double(), plain_attention(q, k, v, seen), atol=1e-5)


@pytest.mark.parametrize("queries", [1, 7])
def test_attention_obeys_a_mask(queries: int) -> None:
    """A given mask replaces the causal rule, for one query too."""
    q, k, v = torch.randn(4, queries, 8), torch.randn(2, 20, 8), torch.randn(2, 20, 8)
    seen = torch.rand(queries, 20) < 0.5
    seen[:, 0] = True
    assert torch.allclose(attention(q, k, v, seen).double(), plain_attention(q, k, v, seen), atol=1e-5)


def filled(on_host: bool = False, rows: int = 10) -> KVCache:
    cache = KVCache(CacheShape(2, 3, 4, torch.float32), torch.device("cpu"), on_host=on_host)
    cache.reserve(rows)
    for layer in range(2):
        cache.write(layer, torch.randn(3, rows, 4), torch.randn(3, rows, 4))
    cache.advance(rows)
    return cache


@pytest.mark.parametrize("on_host", [False, True])
def test_growing_and_cutting_keep_the_rows(on_host: bool) -> None:
    """Reserving more, writing behind and truncating leave earlier rows bit for bit."""
    cache = filled(on_host)
    before = [x.clone() for x in cache.read(1, 10)]
    cache.reserve(5000)
    for layer in range(2):
        cache.write(layer, torch.ones(3, 4, 4), torch.ones(3, 4, 4))
    cache.advance(4)
    assert cache.num_bytes == 14 * cache.shape.bytes_per_token
    cache.truncate(10)
    assert all(torch.equal(a, b) for a, b in zip(before, cache.read(1, 10), strict=True))


@pytest.mark.parametrize("rows", [None, torch.tensor([0, 2, 3, 9])])
def test_keys_of_a_head_lie_side_by_side_on_a_cpu(rows: torch.Tensor | None) -> None:
    """Attention reads one head after the other: all that a cache line holds is that head's."""
    for heads in filled().read(1, 10, rows):
        assert all(head.is_contiguous() for head in heads)


def test_rows_written_but_not_advanced_do_not_count() -> None:
    """A pass that failed half-way is overwritten by the next one."""
    cache = filled()
    cache.reserve(12)
    cache.write(0, torch.full((3, 2, 4), 7.0), torch.full((3, 2, 4), 7.0))
    assert cache.length == 10
    cache.write(0, torch.full((3, 2, 4), 8.0), torch.full((3, 2, 4), 8.0))
    assert torch.equal(cache.read(0, 12)[0][:, 10:], torch.full((3, 2, 4), 8.0))


def test_a_host_cache_reads_any_rows_in_any_order_of_calls() -> None:
    """Rows kept on the device from the last read never shadow the stored ones."""
    cache, generator = filled(on_host=True, rows=60), torch.Generator().manual_seed(1)
    reference = [x.clone() for x in cache.read(0, 60)]
    for step in range(20):
        rows = torch.randperm(cache.length, generator=generator)[:25].sort().values
        keys, values = cache.read(0, cache.length, rows)
        assert torch.equal(keys, reference[0][:, rows])
        assert torch.equal(values, reference[1][:, rows])
        new = torch.randn(2, 3, 2, 4, generator=generator)
        cache.reserve(cache.length + 2)
        for layer in range(2):
            cache.write(layer, new[0], new[1])
        cache.advance(2)
        reference = [torch.cat([a, b], dim=1) for a, b in zip(reference, new, strict=True)]
        if step == 10:
            cache.truncate(50)
            reference = [x[:, :50] for x in reference]


def test_visibility_by_hand() -> None:
    """Prefix of 1, three groups of stamp + 1 visual, one group a chunk, one previous chunk, suffix of 1."""
    layout = TokenLayout(prefix_tokens=1, tokens_per_group=1)
    for _ in range(3):
        layout.add_group(1)

    def drawn(stamps: bool) -> list[str]:
        visibility = Visibility.of(layout, 1, 1, stamp_queries_see_all=stamps, suffix_tokens=1)
        return ["".join(".x"[seen] for seen in row) for row in visibility.mask(0, 8).int().tolist()]

    common = ["x.......", "xx......", "xxx.....", "xxxx....", "xxxxx..."]
    assert drawn(True) == [*common, "xxxxxx..", "xx.xxxx.", "xxxxxxxx"]
    assert drawn(False) == [*common, "xx.xxx..", "xx.xxxx.", "xxxxxxxx"]


@pytest.mark.parametrize(
    ("pts_ms", "text"),
    [(0, "Time 0.0s:"), (4000, "Time 4.0s:"), (12345, "Time 12.3s:"), (3599960, "Time 3600.0s:")],
)
def test_stamps_read_like_the_references(pts_ms: int, text: str) -> None:
    """Seconds with one decimal, no colon after Time; without a tokenizer, Qwen's ids for it."""
    assert stamp_text(pts_ms) == text
    ids = Vocabulary(None).stamp_ids(pts_ms)
    assert ids[:2] == [1462, 220]
    assert ids[-2:] == [82, 25]
    assert len(ids) == 6 + len(text.split(".")[0]) - len("Time ")
