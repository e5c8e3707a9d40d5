"""Whatever the model wants, what comes out is a valid answer inside its bound."""

from __future__ import annotations

import random

import pytest

from jobs.prompts.answer_text import parse_records
from jobs.prompts.checks import check_records
from jobs.prompts.program.programs import program_for, run_program
from jobs.prompts.program.times import AnswerContext
from schemas.answers import ANSWERS
from videoxl2.constrained.drive import Sampling
from videoxl2.constrained.hostile import HOSTILE, HostileModel
from videoxl2.constrained.masks import TokenTable

# Decomposed accents, emoji with joiners, control texts, prefixes of each other, and what no list can hold.
ROSTER = ("Ann", "ann", "Ann Lee", "Zoe\u0308", "👩‍🚀 astronaut", "女人", "<|im_end|>", "none", "a;b", "x\ny")


def context(rng: random.Random) -> AnswerContext:
    """A video of one frame up to two hours, looked at in whole or through a window."""
    duration_ms = rng.choice([0, 40, 300, 1_000, 9_960, 60_000, 613_337, 7_200_000])
    step_ms = max(duration_ms // rng.choice([1, 3, 40, 500]), 33)
    times_ms = tuple(range(rng.choice([0, 21]), duration_ms + step_ms, step_ms))
    roster = tuple(rng.sample(ROSTER, rng.randrange(len(ROSTER) + 1)))
    window_ms = None
    if duration_ms and rng.random() < 0.5:
        first = rng.randrange(duration_ms)
        window_ms = (first, rng.randrange(first, duration_ms) + 1)
    return AnswerContext(duration_ms, times_ms, roster, window_ms, rng.choice([None, 500, 900]))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", ANSWERS)
def test_hostile_models_write_valid_answers(name: str, hostile: str, table: TokenTable) -> None:
    """Answers parse, fit the video and the roster, are strict UTF-8, and keep to the bound, tokens taken back
    included; the tokens left behind are exactly those the model has read."""
    answer = ANSWERS[name]
    for seed in range(6):
        rng = random.Random(f"{name} {hostile} {seed}")
        where = context(rng)
        program = program_for(answer, where, table.count)
        model = HostileModel(hostile, table, seed)
        filled = run_program(program, table, model, [7, 8], Sampling(rng.choice([0.0, 1.0, 30.0]), seed))
        filled.text.encode("utf-8", "strict")
        assert tuple(parse_records(answer, filled.text, program.times.meant_ms)) == filled.records
        check_records(filled.records, where.duration_ms, where.roster)
        assert len(filled.token_ids) <= filled.num_spent <= filled.token_bound
        assert table.decode(filled.token_ids).rstrip("\n") == filled.text
        read = tuple(model.token_ids[2:])
        assert read == filled.token_ids[: len(read)] or filled.num_spent > len(filled.token_ids)
        assert table.stop_id not in filled.token_ids


def test_the_bound_is_not_far_off(table: TokenTable) -> None:
    """A model that never closes comes near the bound, so reserving it is no waste."""
    where = AnswerContext(64_000, tuple(range(0, 64_000, 1000)), ("Ann", "Bob"))
    for name in ("summary", "characters"):
        program = program_for(ANSWERS[name], where, table.count)
        spent = [
            run_program(program, table, HostileModel("never closes", table, seed), [1]).num_spent
            for seed in range(20)
        ]
        assert max(spent) > 0.7 * program.record_bound
