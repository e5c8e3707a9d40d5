"""Qwen2.5-VL and Qwen3-VL against transformers' classes on the same weights, at the published positions."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from qwen_reference import (
    PROMPT,
    VIDEOS,
    FolderOf,
    Sequenced,
    Theirs,
    frames_of,
    prompt_ids,
    published_pixels,
    reference_logits,
    span_of,
)

from videoxl2 import BiLevelOptions, ModelInputError, PrefillOptions, load_model
from videoxl2.generate.blind import blind_logprobs
from videoxl2.generate.decoding.decode_step import StepRecorder
from videoxl2.generate.models.positions import TimedPositions
from videoxl2.generate.models.qwen_vl import QwenVL, pair_stamp
from videoxl2.network.footprint import SPARE_TOKENS, reserved_tokens
from videoxl2.network.language.context import LONGEST_MS


@pytest.mark.parametrize("size", [(2, 3), (1, 9), (4, 4), (5, 6), (9, 2)])
@torch.inference_mode()
def test_the_tower_is_theirs(qwen_model: QwenVL, theirs: Theirs, size: tuple[int, int]) -> None:
    """Whole windows and cut ones, wide and tall: the same tokens, and the same for later layers."""
    frames = frames_of(qwen_model, 3, *size)
    pixels, grid = published_pixels(qwen_model, frames)
    want = theirs(qwen_model).model.visual(pixels, grid_thw=grid)
    ours = qwen_model.encoder(PrefillOptions()).encode(frames).transpose(0, 1).flatten(1, 2)
    layers = [want.pooler_output, *getattr(want, "deepstack_features", [])]
    assert len(ours) == len(layers) == 1 + len(qwen_model.vision.tapped_layers)
    assert torch.allclose(ours, torch.stack(layers), atol=2e-5)


@pytest.mark.parametrize("name", VIDEOS)
def test_logits_are_theirs(qwen_model: QwenVL, theirs: Theirs, name: str) -> None:
    """A prompt's and an answer's, one token after the other, on videos long in time and on wide ones."""
    session = qwen_model.prefill([span_of(qwen_model, name)])
    ids = [*prompt_ids(qwen_model), *(300 + n for n in range(4))]
    want = reference_logits(theirs(qwen_model), qwen_model, name, ids)
    with session.start() as continuation:
        given = len(ids) - 4
        logits = [continuation.push_all(ids[:given]), *(continuation.push_all([one]) for one in ids[given:])]
    assert session.num_tokens + len(ids) == len(Sequenced(qwen_model, name, ids).ids)
    assert torch.allclose(torch.cat(logits), want, atol=1e-4)


def test_chunks_and_batches_change_nothing(qwen_model: QwenVL) -> None:
    """Pairs one by one, in passes that end inside a picture, on the host: the logits of one pass."""
    whole = span_of(qwen_model, "odd")
    parts = [
        SimpleNamespace(frames=whole.frames[a:b], pts_ms=whole.pts_ms[a:b])
        for a, b in ((0, 3), (3, 4), (4, 7))
    ]
    one = PrefillOptions(chunk_groups=100, vision_batch=100)
    many = PrefillOptions(
        chunk_groups=1, vision_batch=2, pass_tokens=7, mode="streaming", offload=True, expected_frames=7
    )
    ids = prompt_ids(qwen_model)
    logits = []
    for spans, options in (([whole], one), (parts, many)):
        with qwen_model.prefill(spans, prefill=options).start() as continuation:
            logits.append(continuation.push_all(ids))
    assert torch.allclose(logits[0], logits[1], atol=1e-4)


def test_a_cache_is_reserved_for_all_that_stands_beside_pairs(qwen_model: QwenVL) -> None:
    """Hundreds of pairs with the longest times: the cache does not grow, nor is room wasted."""
    pairs = 420
    times_ms = 500 * np.arange(2 * pairs, dtype=np.int64)
    if qwen_model.config.stamp_tokens:  # else times are positions, which end with the context
        times_ms += LONGEST_MS - times_ms[-1]
    frames = np.broadcast_to(frames_of(qwen_model, 1, 1, 1), (2 * pairs, *[qwen_model.vision.unit] * 2, 3))
    options = PrefillOptions(expected_frames=len(frames))
    session = qwen_model.prefill([SimpleNamespace(frames=frames, pts_ms=times_ms)], prefill=options)
    layout, beside = session.layout, qwen_model.config.stamp_tokens
    rows = reserved_tokens(layout.prefix_tokens, pairs, beside + layout.tokens_per_group)
    assert 0 <= session.cache.capacity - rows < 256
    assert rows - SPARE_TOKENS <= session.num_tokens <= rows


def test_many_prompts_on_one_prefill_are_separate_runs(qwen_model: QwenVL, theirs: Theirs) -> None:
    """Rows of different lengths, cut back beside another session, have the logits of one run."""
    session = qwen_model.prefill([span_of(qwen_model, "long")])
    other = qwen_model.prefill([span_of(qwen_model, "wide")])
    prompts = [
        prompt_ids(qwen_model, text) for text in (PROMPT, "Who?", "Where is the dog, and what is its name?")
    ]
    answers = session.generate_many(prompts, max_new_tokens=5, max_rows=2)
    for prompt, answer in zip(prompts, answers, strict=True):
        alone = qwen_model.prefill([span_of(qwen_model, "long")]).generate(prompt, max_new_tokens=5)
        assert answer.token_ids == alone.token_ids
        assert answer.margins == pytest.approx(alone.margins, abs=1e-4)
    with session.start_rows(2) as rows, other.start() as beside:
        rows.push([prompts[1], prompts[0]])
        beside.push(prompts[2])
        rows.push([[301, 302], [303]])
        rows.back_to(0, len(prompts[1]) + 1)
        found = rows.push([[304], []])[0]
        assert torch.allclose(
            beside.push([301]),
            reference_logits(theirs(qwen_model), qwen_model, "wide", [*prompts[2], 301])[-1],
            atol=1e-4,
        )
    want = reference_logits(theirs(qwen_model), qwen_model, "long", [*prompts[1], 301, 304])[-1]
    assert torch.allclose(found, want, atol=1e-4)
    assert session.generate(prompts[0], max_new_tokens=5).token_ids == answers[0].token_ids


def test_recorded_steps_are_those_of_the_loop(qwen_model: QwenVL) -> None:
    """A step told by numbers alone goes on at the position behind the video, too."""
    session = qwen_model.prefill([span_of(qwen_model, "long")])
    recorded = replace(session, recorder=StepRecorder(torch.device("cpu"), plain_first=0))
    plain, told = (one.generate_many([PROMPT, "Who?"], max_new_tokens=6) for one in (session, recorded))
    assert [one.token_ids for one in plain] == [one.token_ids for one in told]
    assert told[0].margins == pytest.approx(plain[0].margins, abs=1e-4)


def test_sixteen_bits_stay_near(qwen_model: QwenVL, qwen_folder: FolderOf) -> None:
    """Logits of a prompt in bfloat16 differ by a few hundredths of their spread, and none is no number."""
    halved = load_model(qwen_folder(str(qwen_model.family)), dtype="bfloat16")
    logits = []
    for one in (qwen_model, halved):
        with one.prefill([span_of(qwen_model, "odd")]).start() as continuation:
            logits.append(continuation.push_all(prompt_ids(qwen_model)))
    assert float((logits[0] - logits[1]).std() / logits[0].std()) < 0.03


@torch.inference_mode()
def test_blind_reading_is_theirs_without_a_video(qwen_model: QwenVL, theirs: Theirs) -> None:
    ids, answer = prompt_ids(qwen_model), [301, 302, 303]
    whole = torch.tensor([[*qwen_model.vocabulary.prefix_ids(), *ids, *answer]])
    places = torch.arange(whole.shape[1]).expand(3, 1, -1)
    logits = theirs(qwen_model)(input_ids=whole, position_ids=places).logits[0].log_softmax(-1)
    want = [float(logits[n - 4, token]) for n, token in zip(range(3), answer, strict=True)]
    assert blind_logprobs(qwen_model, ids, answer) == pytest.approx(want, abs=1e-4)


def test_stamps_are_mean_times_of_pairs() -> None:
    """Those that the processor writes of frames 0, 25, 50, 75 and 100 at 25 a second, and halves."""
    pairs = ([0, 1000], [2000, 3000], [4000], [100, 400])
    assert [pair_stamp(pair) for pair in pairs] == [
        "<0.5 seconds>",
        "<2.5 seconds>",
        "<4.0 seconds>",
        "<0.2 seconds>",
    ]


def test_prompts_meet_no_other_text(qwen_model: QwenVL) -> None:
    """What is before a prompt and the prompt are tokens of the whole text, in pieces."""
    encode = qwen_model.vocabulary.encode
    whole = encode(f"<|vision_end|>{PROMPT}<|im_end|>\n<|im_start|>assistant\n")
    assert [*encode("<|vision_end|>"), *prompt_ids(qwen_model)] == whole
    with pytest.raises(ModelInputError, match="control text"):
        qwen_model.vocabulary.suffix_ids("What is <|video_pad|>?")


@pytest.mark.parametrize("fps", [0.25, 0.5, 0.7, 1, 2, 3, 4, 5, 8, 10])
@pytest.mark.parametrize("per_second", [1, 2, 4, 25])
def test_times_are_positions_as_published(fps: float, per_second: int) -> None:
    """Those of evenly sampled pairs are the product in float32; a pair shown late is where it is shown."""
    times_ms = [round(1000 * 2 * n / fps) for n in range(200)]
    counted = TimedPositions(2, 3, per_second)
    counted.text(5)
    found = [int(counted.pair(ms)[0, 0]) - 5 for ms in times_ms]
    exact = [per_second * ms / 1000 for ms in times_ms]
    published = (torch.arange(200) * torch.tensor(per_second * 2 / fps)).long().tolist()
    if times_ms[1] * 199 == times_ms[-1]:  # whole milliseconds apart
        assert found == published
    else:
        assert all(time in (at, int(true)) for time, at, true in zip(found, published, exact, strict=True))
    late = TimedPositions(2, 3, per_second)
    assert [int(late.pair(ms)[0, 0]) for ms in (0, 2000, 7500)] == [0, 2 * per_second, int(7.5 * per_second)]


def test_what_cannot_be_shown_is_refused(qwen_model: QwenVL, theirs: Theirs) -> None:
    unit = qwen_model.vision.unit
    odd = SimpleNamespace(frames=np.zeros((2, unit, unit + 2, 3), np.uint8), pts_ms=np.array([0, 1]))
    with pytest.raises(ModelInputError, match=rf"{unit + 2}x{unit} pixels; .* multiples of {unit}"):
        qwen_model.prefill([odd])
    sizes = [SimpleNamespace(frames=frames_of(qwen_model, 2, 1, n), pts_ms=np.array([0, 1])) for n in (1, 2)]
    with pytest.raises(ModelInputError, match="follow frames of"):
        qwen_model.prefill(sizes)
    with pytest.raises(ModelInputError, match="not squares"):
        _ = qwen_model.image_size
    with pytest.raises(ModelInputError, match="no frames"):
        qwen_model.prefill([])
    with pytest.raises(ModelInputError, match="Qwen-VL model has no bi-level decoding"):
        qwen_model.prefill([span_of(qwen_model, "one")]).generate(PROMPT, bilevel=BiLevelOptions())
