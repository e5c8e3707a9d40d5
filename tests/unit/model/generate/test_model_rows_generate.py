"""`generate_many`: the answers of separate `generate` calls, together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from videoxl2 import (
    BiLevelOptions,
    ModelInputError,
    ModelMemoryError,
    NonFiniteError,
    PrefillOptions,
    VideoXL2,
)
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.row_cache import RowCache
from videoxl2.generate.session import Generation, Session

PROMPTS: tuple[str | list[int], ...] = (
    "What happens?",
    "List the people in the video, one per line, with what they wear and what they do.",
    [5, 77, 12],
    "Why?",
    "When does the man with the red hat open the door?",
)
LIMITS = (12, 3, 20, 1, 9)


@pytest.fixture(scope="module")
def session(small_model: VideoXL2, noise: Any) -> Session:
    return small_model.prefill(noise(41), prefill=PrefillOptions(chunk_groups=2, previous_chunks=1))


def check_equal(together: Generation, alone: Generation) -> None:
    assert together.token_ids == alone.token_ids
    assert together.text == alone.text
    assert together.finish_reason == alone.finish_reason
    assert together.num_prompt_tokens == alone.num_prompt_tokens
    assert together.mean_logprob == pytest.approx(alone.mean_logprob, abs=1e-4)
    assert together.margins == pytest.approx(alone.margins, abs=1e-4)


@pytest.mark.parametrize("max_rows", [1, 2, 3, 8])
def test_answers_are_those_of_separate_calls(session: Session, max_rows: int) -> None:
    """Prompts and limits of any length, with as many rows as prompts or with rows that are filled again."""
    answers = session.generate_many(PROMPTS, max_new_tokens=LIMITS, max_rows=max_rows)
    for prompt, limit, answer in zip(PROMPTS, LIMITS, answers, strict=True):
        check_equal(answer, session.generate(prompt, max_new_tokens=limit))


def test_rows_stop_at_their_own_stop_token(session: Session) -> None:
    """A stop token ends one row; the others go on, and the next prompt takes its place."""
    free = session.generate(PROMPTS[0], max_new_tokens=8)
    stopping = replace(session, stop_ids=frozenset([free.token_ids[-1]]))
    answers = stopping.generate_many(PROMPTS, max_new_tokens=8, max_rows=2)
    assert answers[0].finish_reason == "stop"
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        check_equal(answer, stopping.generate(prompt, max_new_tokens=8))


def test_the_same_prompt_many_times_is_the_same_answer(session: Session) -> None:
    """More rows than fit at once, one limit for all."""
    answers = session.generate_many(["Who?"] * 11, max_new_tokens=6, max_rows=4)
    assert {answer.token_ids for answer in answers} == {session.generate("Who?", max_new_tokens=6).token_ids}


@pytest.mark.parametrize("options", [BiLevelOptions(2, top_chunks=1), BiLevelOptions(2, units=[2])])
def test_bilevel_answers_and_reports_are_those_of_separate_calls(
    session: Session, options: BiLevelOptions
) -> None:
    """Each prompt is answered on its own dense chunks, together with those that chose the same."""
    answers = session.generate_many(PROMPTS, max_new_tokens=5, bilevel=options)
    for prompt, answer in zip(PROMPTS, answers, strict=True):
        alone = session.generate(prompt, max_new_tokens=5, bilevel=options)
        check_equal(answer, alone)
        assert answer.bilevel == alone.bilevel


def test_an_external_scorer_decides_for_each_prompt(session: Session) -> None:
    """Prompts that want different chunks are answered on different caches."""

    def by_length(prompt: str, chunks: Any) -> list[float]:
        return [float(chunk.number == 2 + len(prompt) % 3) for chunk in chunks]

    options = BiLevelOptions(chunk_groups=1, top_chunks=1)
    prompts = ("What?", "Where?", "Which?", "Anyone?")
    answers = session.generate_many(prompts, max_new_tokens=4, bilevel=options, relevance=by_length)
    assert len({answer.bilevel.dense_chunks for answer in answers if answer.bilevel}) == 3
    for prompt, answer in zip(prompts, answers, strict=True):
        alone = session.generate(prompt, max_new_tokens=4, bilevel=options, relevance=by_length)
        check_equal(answer, alone)


def test_finished_rows_get_no_more_tokens(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row is pushed its prompt and all but the last token of its answer, then nothing."""
    pushed: list[int] = []
    push = Rows.push

    def counted(self: Rows, token_ids: Any) -> torch.Tensor:
        pushed.append(sum(map(len, token_ids)))
        return push(self, token_ids)

    monkeypatch.setattr(Rows, "push", counted)
    answers = session.generate_many(PROMPTS, max_new_tokens=LIMITS)
    wanted = sum(answer.num_prompt_tokens + limit - 1 for answer, limit in zip(answers, LIMITS, strict=True))
    assert sum(pushed) == wanted
    assert len(pushed) == max(LIMITS)


def test_memory_is_flat(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are sized once, for the longest prompt and answer; nothing is left behind."""
    allocated: list[int] = []
    allocate = RowCache.allocate

    def counted(self: RowCache, room: int, layer: int) -> torch.Tensor:
        allocated.append(room)
        return allocate(self, room, layer)

    monkeypatch.setattr(RowCache, "allocate", counted)
    capacity, kv_bytes = session.cache.capacity, session.kv_bytes
    session.generate_many(PROMPTS * 3, max_new_tokens=70, max_rows=2)
    layers = session.cache.shape.num_layers
    assert len([room for room in allocated if room]) == layers
    assert (session.cache.capacity, session.kv_bytes) == (capacity, kv_bytes)
    assert session.cache.length == session.num_tokens


def test_no_prompts_are_no_answers(session: Session) -> None:
    assert session.generate_many([]) == []


def test_impossible_calls_are_refused(session: Session) -> None:
    """Limits that do not match, no row, an empty prompt among good ones."""
    with pytest.raises(ModelInputError, match="2 prompts, 1 limits"):
        session.generate_many(["a", "b"], max_new_tokens=[3])
    with pytest.raises(ModelInputError, match="max_rows=0"):
        session.generate_many(["a"], max_rows=0)
    with pytest.raises(ModelInputError, match="empty"):
        session.generate_many(["a", []])


def test_a_shortage_of_memory_has_its_type(session: Session) -> None:
    """And the session answers afterwards."""

    def short(self: RowCache, room: int, layer: int) -> torch.Tensor:
        raise torch.OutOfMemoryError("no")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RowCache, "allocate", short)
        with pytest.raises(ModelMemoryError, match="answering"):
            session.generate_many(PROMPTS, max_new_tokens=2)
    assert session.generate_many(["Who?"], max_new_tokens=2)[0].num_output_tokens == 2


def test_nan_weights_are_noticed(session: Session) -> None:
    """One poisoned row of the output layer is enough."""
    weight = session.language.lm_head.weight.data
    before = weight[3].clone()
    weight[3] = torch.nan
    try:
        with pytest.raises(NonFiniteError):
            session.generate_many(PROMPTS, max_new_tokens=2)
    finally:
        weight[3] = before
    assert session.cache.length == session.num_tokens
