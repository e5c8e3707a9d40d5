"""A prefilled video: prompts in any number and order, fast paths equal to slow ones."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args

import numpy as np
import pytest
import torch

from videoxl2 import BiLevelOptions, ModelInputError, PrefillOptions, VideoXL2
from videoxl2.generate.kv.layout import TokenLayout, streaming_rows
from videoxl2.generate.prefill.chunked import PrefillMode
from videoxl2.generate.session import Session

PROMPTS = ("What happens?", "List the people in the video, one per line.", "Why?")


def all_rows(session: Session) -> torch.Tensor:
    """Every cached key and value, layer after layer."""
    cache = session.cache
    layers = [torch.stack(cache.read(i, cache.length)) for i in range(cache.shape.num_layers)]
    return torch.stack(layers).clone()


@pytest.mark.parametrize("mode", ["streaming", "mask", "full"])
def test_prompts_on_one_prefill_equal_separate_runs(small_model: VideoXL2, noise: Any, mode: Any) -> None:
    """Ids and confidence of each prompt are those of a fresh prefill with that prompt alone."""
    options = PrefillOptions(mode=mode, chunk_groups=2, previous_chunks=1)
    shared = small_model.prefill(noise(41), prefill=options)
    together = [shared.generate(p, max_new_tokens=12) for p in PROMPTS]
    for prompt, answer in zip(PROMPTS, together, strict=True):
        alone = small_model.prefill(noise(41), prefill=options).generate(prompt, max_new_tokens=12)
        assert answer.token_ids == alone.token_ids
        assert answer.margins == pytest.approx(alone.margins, abs=1e-4)
    assert shared.generate(PROMPTS[0], max_new_tokens=12).token_ids == together[0].token_ids


def test_cache_is_bit_identical_after_prompts_and_does_not_grow(small_model: VideoXL2, noise: Any) -> None:
    """Answers, bi-level ones too, leave the video's rows untouched and the reserved memory the same."""
    session = small_model.prefill(noise(30))
    before, tokens, kv_bytes = all_rows(session), session.num_tokens, session.kv_bytes
    session.generate(PROMPTS[0], max_new_tokens=30)
    capacity = session.cache.capacity
    for prompt in PROMPTS * 3:
        session.generate(prompt, max_new_tokens=30)
        session.generate(prompt, max_new_tokens=5, bilevel=BiLevelOptions(chunk_groups=1, top_chunks=1))
    assert torch.equal(all_rows(session), before)
    assert (session.num_tokens, session.kv_bytes) == (tokens, kv_bytes)
    assert session.cache.capacity == capacity


def test_streaming_with_a_window_over_everything_equals_full_prefill(
    small_model: VideoXL2, noise: Any
) -> None:
    """While no chunk leaves the window, the three modes are the same function."""
    rows = [
        all_rows(small_model.prefill(noise(37), prefill=PrefillOptions(mode, 2, previous_chunks=9)))
        for mode in ("full", "streaming", "mask")
    ]
    assert torch.allclose(rows[0], rows[1], atol=1e-5)
    assert torch.allclose(rows[0], rows[2], atol=1e-5)


def test_chunk_size_does_not_matter_in_full_prefill(small_model: VideoXL2, noise: Any) -> None:
    """Chunk by chunk causal prefill is one causal pass over the whole video."""
    whole = all_rows(small_model.prefill(noise(37), prefill=PrefillOptions("full", chunk_groups=100)))
    pieces = all_rows(small_model.prefill(noise(37), prefill=PrefillOptions("full", chunk_groups=1)))
    assert torch.allclose(whole, pieces, atol=1e-5)


def test_a_window_changes_the_answer_only_where_it_should(small_model: VideoXL2, noise: Any) -> None:
    """Chunks inside the first window are as in full prefill; later ones are not (the test has teeth)."""
    full = small_model.prefill(noise(48), prefill=PrefillOptions("full", 2))
    windowed = small_model.prefill(noise(48), prefill=PrefillOptions("streaming", 2, previous_chunks=1))
    end_of_window = full.layout.group_start(4)  # chunks 0 and 1
    a, b = all_rows(full), all_rows(windowed)
    assert torch.allclose(a[:, :, :, :end_of_window], b[:, :, :, :end_of_window], atol=1e-5)
    assert not torch.allclose(a[1:, :, :, end_of_window:], b[1:, :, :, end_of_window:], atol=1e-2)


@pytest.mark.parametrize("mode", ["streaming", "mask", "full"])
def test_offloaded_cache_gives_the_same_rows_and_answers(
    small_model: VideoXL2, noise: Any, mode: Any
) -> None:
    """Keys and values on the host change where they live, not what they are."""
    plain = PrefillOptions(mode, 2, previous_chunks=1)
    host = PrefillOptions(mode, 2, previous_chunks=1, offload=True)
    here = small_model.prefill(noise(61), prefill=plain)
    there = small_model.prefill(noise(61), prefill=host)
    assert there.cache.on_host
    assert torch.allclose(all_rows(here), all_rows(there), atol=1e-5)
    for bilevel in (None, BiLevelOptions(chunk_groups=2, top_chunks=1)):
        first, second = (s.generate("Who?", max_new_tokens=9, bilevel=bilevel) for s in (here, there))
        assert first.token_ids == second.token_ids
        if first.bilevel is not None and second.bilevel is not None:
            assert first.bilevel.dense_chunks == second.bilevel.dense_chunks


@pytest.mark.parametrize("span", [1, 3, 7, 64])
def test_how_frames_arrive_does_not_matter(small_model: VideoXL2, noise: Any, span: int) -> None:
    """Spans and vision batches cut the stream differently and leave the same rows."""
    reference = small_model.prefill(noise(50, span=50), prefill=PrefillOptions(vision_batch=64))
    other = small_model.prefill(noise(50, span=span), prefill=PrefillOptions(vision_batch=4))
    assert other.frame_times_ms == reference.frame_times_ms == tuple(range(0, 50_000, 1000))
    assert torch.allclose(all_rows(reference), all_rows(other), atol=1e-4)


def test_first_chunk_is_prefilled_before_the_last_span_is_read(small_model: VideoXL2, noise: Any) -> None:
    """The stream is consumed as it comes: when a late span is asked for, early passes are in the cache."""
    from videoxl2.generate.prefill import chunked as prefill_module

    seen: list[int] = []
    done: list[int] = []
    original = prefill_module.Prefill.run_pass

    def counted(self: Any, num_groups: int) -> None:
        original(self, num_groups)
        done.append(1)

    def stream() -> Iterator[SimpleNamespace]:
        for piece in noise(96):
            seen.append(len(done))
            yield piece

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prefill_module.Prefill, "run_pass", counted)
        small_model.prefill(stream())
    assert seen == sorted(seen)
    assert seen[-1] >= 2  # 96 frames are three passes, 16 of them come with the last span


def test_frames_are_dropped_on_the_way(small_model: VideoXL2, noise: Any) -> None:
    """While a video streams in, only the span being read and the batch being encoded are alive."""
    alive: list[weakref.ref[Any]] = []
    most = 0

    def stream() -> Iterator[SimpleNamespace]:
        nonlocal most
        for number in range(12):
            [piece] = noise(16, seed=number)
            piece = SimpleNamespace(frames=piece.frames.copy(), pts_ms=piece.pts_ms + 16000 * number)
            alive.append(weakref.ref(piece.frames))
            yield piece
            del piece
            most = max(most, sum(ref() is not None for ref in alive))

    session = small_model.prefill(stream(), prefill=PrefillOptions(vision_batch=8))
    assert session.num_frames == 192
    assert most <= 2


def test_work_per_chunk_does_not_grow_with_the_video() -> None:
    """A chunk's keys are prefix, window and itself, plus the few stamp tokens before the window."""
    layout = TokenLayout(prefix_tokens=14, tokens_per_group=144)
    counts, stamps = [], []
    for group in range(400):
        layout.add_group(9)
        if group % 4 == 3:
            rows = streaming_rows(layout, group - 3, layout.end, previous_groups=12)
            counts.append(layout.end if rows is None else len(rows))
            stamps.append(9 * max(group - 15, 0))
    window = 14 + 16 * (144 + 9)
    assert [count - stamp for count, stamp in zip(counts[3:], stamps[3:], strict=True)] == [window] * 97


@pytest.mark.parametrize("num_frames", [1, 3, 4, 5])
def test_few_frames_make_short_videos(small_model: VideoXL2, noise: Any, num_frames: int) -> None:
    """One frame is enough; a group is filled up with the last frame."""
    session = small_model.prefill(noise(num_frames))
    answer = session.generate("What is this?", max_new_tokens=4)
    assert session.num_frames == num_frames
    assert len(session.group_times_ms) == -(-num_frames // 4)
    assert answer.num_output_tokens <= 4
    assert answer.num_prompt_tokens > 4


def test_missing_frames_of_a_group_are_its_last_frame(small_model: VideoXL2, noise: Any) -> None:
    """Three frames give the rows of four, the last one shown twice."""
    [three] = noise(3)
    four = SimpleNamespace(
        frames=three.frames[[0, 1, 2, 2]], pts_ms=np.array([0, 1000, 2000, 3000], dtype=np.int64)
    )
    assert torch.allclose(
        all_rows(small_model.prefill([three])), all_rows(small_model.prefill([four])), atol=1e-5
    )


def test_frames_of_any_size_are_squashed(small_model: VideoXL2, noise: Any) -> None:
    """Frames that are not square are resized, without padding or cropping."""
    wide = SimpleNamespace(
        frames=np.random.default_rng(3).integers(0, 256, (4, 36, 64, 3), dtype=np.uint8),
        pts_ms=np.arange(4, dtype=np.int64),
    )
    wide.frames.setflags(write=False)  # as frames from a shared object store are
    assert small_model.prefill([wide]).num_frames == 4
    assert small_model.image_size == 112


def test_expected_frames_only_sizes_the_cache(small_model: VideoXL2, noise: Any) -> None:
    """A right, wrong or missing guess gives the same rows."""
    rows = [
        all_rows(small_model.prefill(noise(40), prefill=PrefillOptions(expected_frames=guess)))
        for guess in (None, 4, 40, 4000)
    ]
    assert all(torch.allclose(rows[0], other, atol=1e-6) for other in rows[1:])


def test_a_caller_can_choose_the_tokens(small_model: VideoXL2, noise: Any) -> None:
    """Pushing the greedy tokens by hand, in one go or one by one, gives the greedy logits."""
    session = small_model.prefill(noise(12))
    ids = small_model.vocabulary.suffix_ids("Who?")
    answer = session.generate("Who?", max_new_tokens=6)
    with session.start() as by_hand:
        logits = by_hand.push(ids)
        for token in answer.token_ids:
            assert int(logits.argmax()) == token
            logits = by_hand.push([token])
        by_hand.back_to(len(ids))
        at_once = by_hand.push_all(answer.token_ids)
        assert torch.allclose(at_once[-1], logits, atol=1e-4)
        assert by_hand.num_tokens == len(ids) + len(answer.token_ids)
    assert session.cache.length == session.num_tokens


def test_an_open_continuation_is_not_mixed_into_an_answer(small_model: VideoXL2, noise: Any) -> None:
    """While a caller's own continuation is open, the session refuses another one."""
    session = small_model.prefill(noise(8))
    with session.start() as mine:
        mine.push([5, 6])
        with pytest.raises(ModelInputError, match="open"):
            session.generate("What?", max_new_tokens=1)
    assert session.generate("What?", max_new_tokens=1).num_prompt_tokens > 0


def test_generation_stops_at_a_stop_token(small_model: VideoXL2, noise: Any) -> None:
    """A stop token ends the answer and is not part of it."""
    session = small_model.prefill(noise(8))
    free = session.generate("Tell me.", max_new_tokens=8)
    assert free.finish_reason == "length"
    last = free.token_ids[-1]
    stopped = replace(session, stop_ids=frozenset([last])).generate("Tell me.", max_new_tokens=8)
    assert stopped.finish_reason == "stop"
    assert stopped.token_ids == free.token_ids[: free.token_ids.index(last)]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_runs_on_a_cpu(small_folder: Path, noise: Any, dtype: str) -> None:
    """Every mode and bi-level run in 16 bits, close to the 32-bit rows."""
    model = VideoXL2.from_pretrained(small_folder, dtype=dtype)
    exact = VideoXL2.from_pretrained(small_folder)
    assert model.dtype == getattr(torch, dtype)
    for mode in get_args(PrefillMode):
        options = PrefillOptions(mode, 2, 1)
        session = model.prefill(noise(26), prefill=options)
        answer = session.generate(
            "What?", max_new_tokens=5, bilevel=BiLevelOptions(chunk_groups=2, top_chunks=0)
        )
        assert answer.bilevel is not None
        assert answer.bilevel.reduction > 0
        difference = all_rows(session).float() - all_rows(exact.prefill(noise(26), prefill=options))
        assert difference.abs().mean() < 0.05
    assert session.kv_bytes * 2 == exact.prefill(noise(26)).kv_bytes


def test_cost_is_reported_per_stage(small_model: VideoXL2, noise: Any) -> None:
    """Vision, DTS, prefill and decode each have their seconds."""
    session = small_model.prefill(noise(8))
    session.generate("What?", max_new_tokens=2)
    assert set(session.stage_seconds()) == {"vision", "dts", "prefill", "decode"}
    assert all(seconds > 0 for seconds in session.stage_seconds().values())
