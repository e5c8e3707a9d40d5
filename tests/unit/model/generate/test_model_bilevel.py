"""Bi-level decoding: what stays dense, what it saves, and how relevant chunks are found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from videoxl2 import BiLevelOptions, ModelInputError, VideoXL2
from videoxl2.generate.kv.bilevel import mix_cache, mixed_rows
from videoxl2.generate.kv.layout import TokenLayout
from videoxl2.generate.kv.relevance import attention_on_rows, attention_scores, scoring_layers
from videoxl2.generate.kv.selection import (
    Segment,
    Selection,
    SelectionChunk,
    dense_from_scores,
    dense_from_units,
    dense_from_window,
    selection_chunks,
)
from videoxl2.generate.session import Session
from videoxl2.network.layers.rotary import rotary_angles, rotate

QUESTION = "When does the man with the red hat open the door?"


def test_everything_dense_equals_full_decoding(small_model: VideoXL2, noise: Any) -> None:
    """An empty unit list keeps every chunk dense; the answer is the ordinary one."""
    session = small_model.prefill(noise(33))
    plain = session.generate(QUESTION, max_new_tokens=8)
    dense = session.generate(QUESTION, max_new_tokens=8, bilevel=BiLevelOptions(chunk_groups=2, units=[]))
    assert dense.token_ids == plain.token_ids
    assert dense.bilevel is not None
    assert dense.bilevel.reduction == 0


def test_a_mixed_cache_of_dense_chunks_is_the_cache(small_model: VideoXL2, noise: Any) -> None:
    """Un-rotating and rotating back to the same positions changes nothing."""
    session = small_model.prefill(noise(33))
    chunks = selection_chunks(session.group_times_ms, 2)
    rows = mixed_rows(session.layout, chunks, {c.number for c in chunks}, compression=4)
    with torch.inference_mode():
        mixed = mix_cache(session.cache, small_model.config.language, session.num_tokens, *rows)
    for layer in range(mixed.shape.num_layers):
        for a, b in zip(
            mixed.read(layer, mixed.length), session.cache.read(layer, mixed.length), strict=True
        ):
            assert torch.allclose(a, b, atol=1e-5)


def test_sparse_chunks_keep_stamps_and_pool_visuals_before_rotary() -> None:
    """Built by hand: stamps as they are, means of unrotated keys, positions without gaps."""
    layout = TokenLayout(prefix_tokens=2, tokens_per_group=4)
    for _ in range(3):
        layout.add_group(1)
    chunks = selection_chunks([0, 4000, 8000], chunk_groups=1)
    order, windows = mixed_rows(layout, chunks, {1, 3}, compression=2)
    # prefix 0 1 | stamp 2, visual 3-6 | stamp 7, two pools | stamp 12, visual 13-16
    assert order.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 17, 18, 12, 13, 14, 15, 16]
    assert windows.tolist() == [[8, 9], [10, 11]]


def test_a_remainder_of_a_pool_is_dropped() -> None:
    """Four visual tokens pooled by three leave one."""
    layout = TokenLayout(prefix_tokens=0, tokens_per_group=4)
    for _ in range(3):
        layout.add_group(1)
    order, windows = mixed_rows(layout, selection_chunks([0, 4000, 8000], 1), {1, 3}, compression=3)
    assert windows.tolist() == [[6, 7, 8]]
    assert len(order) == 5 + 2 + 5


def test_pooled_keys_are_means_at_their_new_position(small_model: VideoXL2, noise: Any) -> None:
    """A sparse chunk's key is the mean of its unrotated keys, rotated once to where it now stands."""
    session = small_model.prefill(noise(16))
    config = small_model.config.language
    chunks = selection_chunks(session.group_times_ms, 1)
    rows = mixed_rows(session.layout, chunks, {1, 4}, compression=4)
    with torch.inference_mode():
        mixed = mix_cache(session.cache, config, session.num_tokens, *rows)
    visual = session.layout.visual_rows(1, 2)[0]
    at = session.layout.group_start(2) - len(visual)  # the pooled token stands where its visuals began
    for layer in range(config.num_layers):
        keys, values = session.cache.read(layer, session.num_tokens)
        cos, sin = rotary_angles(visual, config.head_dim, config.rope_theta)
        mean = rotate(keys[:, visual], cos, -sin).mean(1, keepdim=True)
        want = rotate(mean, *rotary_angles(torch.tensor([at]), config.head_dim, config.rope_theta))
        mixed_keys, mixed_values = mixed.read(layer, mixed.length)
        assert torch.allclose(mixed_keys[:, at : at + 1], want, atol=1e-5)
        assert torch.allclose(mixed_values[:, at], values[:, visual].mean(1), atol=1e-5)


def test_units_mark_chunks_first_and_last_stay_dense() -> None:
    """A unit is two groups; units outside the video are refused."""
    assert dense_from_units([2, 5], num_chunks=6, chunk_groups=2) == {1, 3, 6}
    assert dense_from_units([], num_chunks=3, chunk_groups=2) == {1, 2, 3}
    assert dense_from_units([1], num_chunks=4, chunk_groups=1) == {1, 3, 4}
    assert dense_from_units([3], num_chunks=4, chunk_groups=3) == {1, 3, 4}
    with pytest.raises(ModelInputError):
        dense_from_units([9], num_chunks=2, chunk_groups=2)


def test_scores_choose_the_best_inner_chunks() -> None:
    """The first and last chunk are dense without counting against the number chosen."""
    assert dense_from_scores([9, 1, 5, 7, 9], top_chunks=1) == {1, 4, 5}
    assert dense_from_scores([1, 1, 1], top_chunks=5) == {1, 2, 3}
    assert dense_from_scores([1], top_chunks=5) == {1}


def test_a_window_keeps_what_it_shows() -> None:
    """Chunks that show an instant of the window, first and last; one that ends where it starts shows none."""
    chunks = selection_chunks([4000 * n for n in range(12)], chunk_groups=2)  # of 8 s each
    assert dense_from_window(chunks, (16_000, 24_000)) == {1, 3, 6}
    assert dense_from_window(chunks, (15_999, 24_001)) == {1, 2, 3, 4, 6}
    assert dense_from_window(chunks, (0, 48_000)) == {1, 2, 3, 4, 5, 6}
    assert dense_from_window(selection_chunks([0], 2), (0, 4000)) == {1}


def test_segments_are_runs_of_dense_and_pooled_chunks() -> None:
    """Where each run is stored, and where the prompt sees it; together they are the mixed cache's rows."""
    layout = TokenLayout(prefix_tokens=2, tokens_per_group=4)
    for stamp in (1, 1, 2, 1, 1):
        layout.add_group(stamp)
    chunks = tuple(selection_chunks([4000 * n for n in range(5)], chunk_groups=1))
    chosen = Selection(chunks, (1, 3, 5), compression=2)
    segments = chosen.segments(layout)
    assert segments == (
        Segment(1, 0, 7, at=0),
        Segment(2, 5, 8, at=7),
        Segment(1, 12, 18, at=10),
        Segment(2, 12, 15, at=16),
        Segment(1, 23, 28, at=19),
    )
    assert chosen.num_tokens(layout) == len(mixed_rows(layout, chunks, chosen.dense, 2)[0]) == 24
    assert Selection().segments(layout) == (Segment(1, 0, layout.end, at=0),)
    layout.tokens_after = 3  # stand after the video for every prompt
    assert chosen.segments(layout)[-1] == Segment(1, 23, 31, at=19)
    assert mixed_rows(layout, chunks, chosen.dense, 2)[0].tolist()[-4:] == [27, 28, 29, 30]


def test_no_scorer_is_asked_where_everything_stays(small_model: VideoXL2, noise: Any) -> None:
    """As many chunks as may be dense: nothing is pooled, and no pass is spent on scores."""
    session = small_model.prefill(noise(24))  # 3 chunks

    def refuse(prompt: str, chunks: Sequence[SelectionChunk]) -> list[float]:
        raise AssertionError("asked")

    for spare in (0, 1, 5):
        chosen = session.select(QUESTION, BiLevelOptions(2, top_chunks=spare + 1), relevance=refuse)
        assert (chosen.is_whole, chosen.dense, chosen.scores) == (True, (1, 2, 3), ())
    assert len(session.select(QUESTION, BiLevelOptions(2, top_chunks=0)).scores) == 3


@pytest.mark.parametrize("compression", [2, 4])
def test_reduction_is_what_was_pooled(small_model: VideoXL2, noise: Any, compression: int) -> None:
    """Ten chunks of which three stay dense: the other seven keep stamps and 1/x of their visual tokens."""
    session = small_model.prefill(noise(80))
    options = BiLevelOptions(chunk_groups=2, top_chunks=1, compression=compression)
    report = session.generate(QUESTION, max_new_tokens=2, bilevel=options).bilevel
    assert report is not None
    assert report.num_chunks == 10
    assert len(report.dense_chunks) == 3
    assert len(report.scores) == 10
    dropped = 14 * 4 * (1 - 1 / compression)  # 14 groups of 4 visual tokens
    assert report.mixed_tokens == report.full_tokens - dropped
    assert report.reduction == pytest.approx(dropped / report.full_tokens)


def plant(session: Session, chunk: SelectionChunk, gain: float) -> None:
    """Make the chunk's visual keys point where the question's queries point, before rotary embedding."""
    language, layout, cache = session.language, session.layout, session.cache
    config = language.config
    queries: dict[int, torch.Tensor] = {}
    suffix = session.vocabulary.suffix_ids(QUESTION)
    base = cache.length

    def observe(layer: int, q: torch.Tensor) -> None:
        cos, sin = rotary_angles(torch.arange(base, base + q.shape[1]), config.head_dim, config.rope_theta)
        queries[layer] = rotate(q, cos, -sin)

    language.extend(language.embed(suffix), cache, observe=observe)
    cache.truncate(base)
    rows = layout.visual_rows(chunk.first_group, chunk.end_group).flatten()
    cos, sin = rotary_angles(rows, config.head_dim, config.rope_theta)
    for layer in scoring_layers(config.num_layers):
        per_kv_head = queries[layer].unflatten(0, (config.num_kv_heads, -1)).mean((1, 2))
        direction = torch.nn.functional.normalize(per_kv_head, dim=-1)[:, None]
        keys = rotate((gain * direction).expand(-1, len(rows), -1), cos, sin)
        cache._layers_2SKE[layer][0, rows] = keys.transpose(0, 1)


@pytest.mark.parametrize("target", [2, 5, 9])
def test_the_scorer_finds_the_planted_chunk(small_model: VideoXL2, noise: Any, target: int) -> None:
    """Wherever in the video keys answer to the question, that chunk is scored first and stays dense."""
    session = small_model.prefill(noise(80))
    options = BiLevelOptions(chunk_groups=2, top_chunks=1)
    chunk = selection_chunks(session.group_times_ms, 2)[target - 1]
    with torch.inference_mode():
        plant(session, chunk, gain=5.0)  # the length of an ordinary key
    report = session.generate(QUESTION, max_new_tokens=1, bilevel=options).bilevel
    assert report is not None
    assert max(report.scores) == report.scores[target - 1]
    assert target in report.dense_chunks


def test_attention_on_rows_is_softmax_attention() -> None:
    """Averaged over heads and tokens it sums to one and equals the plain formula."""
    q, k = torch.randn(6, 5, 8), torch.randn(2, 11, 8)
    weights = (q @ k.repeat_interleave(3, 0).transpose(1, 2) / 8**0.5).softmax(-1)
    assert torch.allclose(attention_on_rows(q, k), weights.mean((0, 1)), atol=1e-6)


def test_scoring_leaves_the_cache_alone(small_model: VideoXL2, noise: Any) -> None:
    """The prompt's rows of the scoring pass are gone afterwards, and scores repeat."""
    session = small_model.prefill(noise(40))
    chunks = selection_chunks(session.group_times_ms, 2)
    ids = small_model.vocabulary.suffix_ids(QUESTION)
    args = (session.language, session.cache, session.layout, ids, slice(1, 5), chunks)
    before = session.num_tokens
    assert attention_scores(*args) == pytest.approx(attention_scores(*args))
    assert session.num_tokens == before


def test_an_external_scorer_decides(small_model: VideoXL2, noise: Any) -> None:
    """It sees the prompt and each chunk's times; its best chunk stays dense; nonsense is refused."""
    session = small_model.prefill(noise(80))
    seen: list[tuple[str, list[int]]] = []

    def prefer_the_fourth(prompt: str, chunks: Sequence[SelectionChunk]) -> list[float]:
        seen.append((prompt, [c.start_ms for c in chunks]))
        return [float(c.number == 4) for c in chunks]

    options = BiLevelOptions(chunk_groups=2, top_chunks=1)
    ask = {"max_new_tokens": 1, "bilevel": options}
    report = session.generate(QUESTION, relevance=prefer_the_fourth, **ask).bilevel  # type: ignore[arg-type]
    assert report is not None
    assert report.dense_chunks == (1, 4, 10)
    assert seen == [(QUESTION, [8000 * i for i in range(10)])]
    for wrong in ([1.0], [float("nan")] * 10):
        with pytest.raises(ModelInputError, match="scorer"):
            session.generate(QUESTION, relevance=lambda *_, w=wrong: w, **ask)  # type: ignore[arg-type]
