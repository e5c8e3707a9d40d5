"""Rows out of hostile generations: every kind of model, every pack and an own schema, looked at from outside.

    python tests/support/hostile_rows.py [--generations 2000] [--seed 0] [--family Qwen3-VL]

With a family what stands before the hostile head is its network, small and random.

Each video goes through the whole of `analyze`, with sections and windows, then cuts, rows, Parquet and back;
a generation is what a model writes about one window. Kinds whose numbers are none have to lose their answers,
and nothing else. Prints Markdown.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from hostile_network import HostileNetwork
from row_checks import problems_of

from jobs.answers.analysis import Analysis, analyze
from jobs.answers.asking import Asker
from jobs.answers.moves import movable_ms, moves_of
from jobs.answers.rows import RowBuilder
from jobs.attempts.work import Work
from jobs.prompts.pack import OwnAnswer, Prompt, load_packs
from jobs.prompts.recipe import Recipe
from schemas.answers import Layout, Moments, One, Several, Tiles
from schemas.identity import VideoObject
from schemas.plan import Reason
from storage.index.commits.bundles import encode_bundle, read_bundle
from videoxl2.constrained.hostile import ALL_KINDS, NON_FINITE
from videoxl2.constrained.hostile_phrases import PHRASES
from videoxl2.constrained.hostile_video import HostileVideo
from videoxl2.errors import ModelInputError, NonFiniteError
from videoxl2.frames import FrameSpan, MediaInfo, SamplingGrid
from videoxl2.frames.reading.cuts import Cut
from videoxl2.network.configs.families import Family
from videoxl2.random_checkpoint import build_tokenizer

INFO = MediaInfo("mp4", "h264", (), 64, 48, 0, 25, 1, False, 1, 0, 1, "exact", None, 1, ())
OWN = json.dumps(
    {
        "type": "object",
        "properties": {
            "plate": {"type": "string", "maxLength": 12, "x-key": True, "x-max-tokens": 6},
            "colour": {"enum": ["red", "dark red", "blue"]},
            "doors": {"type": "integer", "minimum": 2, "maximum": 5},
            "is_moving": {"type": "boolean"},
            "kinds": {"type": "array", "maxItems": 2, "items": {"enum": ["car", "van", "bus"]}},
            "notes": {
                "type": "array",
                "maxItems": 3,
                "items": {"type": "string", "maxLength": 9},
                "x-max-tokens": 12,
            },
            "parts": {
                "type": "array",
                "maxItems": 2,
                "x-max-tokens": 40,
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "maxLength": 7},
                        "share": {"type": "number", "minimum": -1, "maximum": 1, "multipleOf": 0.25},
                        "code": {"type": "integer", "minimum": -5, "maximum": 100000},
                        "side": {"anyOf": [{"enum": ["left", "right"]}, {"type": "null"}]},
                    },
                    "required": ["name", "share", "code", "side"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["plate", "colour", "doors", "is_moving", "kinds", "notes", "parts"],
        "additionalProperties": False,
    }
)
LAYOUTS: tuple[Layout, ...] = (One(), Several(3), Tiles(6, 8.0, 1.0), Moments(4, 30.0))
_TOO_LONG_MS = 64_000_000
PACKS = ("default", "livestream", "surveillance", "own")


@dataclass(frozen=True)
class Film:
    """What a generation is about."""

    duration_ms: int
    times_ms: tuple[int, ...]
    section_frames: int | None


def draw_film(rng: random.Random) -> Film:
    """One picture or many, at even or uneven times, to the last millisecond or long before."""
    duration_ms = rng.choice(
        [1, 40, 49, 51, 333, 1000, 5049, 9_951, 20_020, 60_040, 61_000 + rng.randrange(999)]
    )
    duration_ms = rng.choice([duration_ms] * 6 + [600_013, 93_600_333])
    number = rng.choice([1, 2, 5, 12, 30])
    step_ms = max(1, duration_ms // number)
    even = range(rng.choice([0, 0, 21]) if duration_ms > 21 else 0, duration_ms, step_ms)
    uneven = sorted(rng.sample(range(duration_ms), min(number, duration_ms)))
    times_ms = tuple(rng.choice([even, uneven]))[:40]
    return Film(duration_ms, times_ms, rng.choice([None, None, 4, 8]))


def draw_prompts(pack: str, rng: random.Random) -> tuple[Prompt, ...]:
    """A pack's, with windows and budgets small enough to be met."""
    if pack == "own":
        own = OwnAnswer(OWN, rng.choice(LAYOUTS))
        return (
            Prompt("cars", 1, rng.choice([420, 700]), "Cars?\n{format}", rng.choice([None, 10_000]), own),
        )
    prompts = load_packs([pack])
    if rng.random() < 0.8:  # few at a time, as scenes and characters, or highlights alone
        first = rng.randrange(len(prompts))
        prompts = prompts[first : first + 2]
    return tuple(
        replace(prompt, window_ms=rng.choice([None, 12_000, 30_000]), max_new_tokens=rng.choice([450, 600]))
        for prompt in prompts
    )


def spans(film: Film, per_span: int = 2, side: int = 1) -> Iterator[FrameSpan]:
    """The film's pictures, black."""
    for first in range(0, len(film.times_ms), per_span):
        pts_ms = np.array(film.times_ms[first : first + per_span], np.int64)
        size = len(pts_ms)
        index = np.arange(first, first + size, dtype=np.int32)
        yield FrameSpan(
            first, np.zeros((size, side, side, 3), np.uint8), pts_ms, index, np.zeros(size, np.uint8), (), 0.0
        )


def analysis_of(asker: Asker, film: Film, prompts: Sequence[Prompt], side: int = 1) -> Analysis:
    """The film through all that is done with a model."""
    info = replace(INFO, duration_ms=film.duration_ms)
    grid = SamplingGrid(Fraction(1), len(film.times_ms))
    return analyze(asker, info, grid, spans(film, side=side), prompts, film.section_frames)


def draw_cuts(analysis: Analysis, rng: random.Random) -> Mapping[int, Cut]:
    """A cut near some of the boundaries, of some strength."""
    duration_ms = analysis.info.duration_ms
    near = {ms: ms + rng.randrange(-2000, 2001) for ms in movable_ms(analysis) if rng.random() < 0.7}
    return {ms: Cut(at, rng.uniform(3, 9)) for ms, at in near.items() if 0 < at < duration_ms}


class Hostile:
    """Everything a generation needs, built once."""

    def __init__(self, network: HostileNetwork | None = None) -> None:
        tokenizer = build_tokenizer()
        self.video = network or HostileVideo(tokenizer, tokenizer.get_vocab_size() + 12)
        self.asker = Asker(self.video)  # type: ignore[arg-type]
        self._side = 1 if network is None else network.side
        self.kinds = ALL_KINDS if network is None else tuple(k for k in ALL_KINDS if k not in PHRASES)

    def generate(self, kind: str, pack: str, seed: int) -> list[str]:
        """What is wrong with the rows of one video that is drawn."""
        rng = random.Random(f"{kind} {pack} {seed}")
        return self.told(kind, draw_film(rng), draw_prompts(pack, rng), seed)

    def told(self, kind: str, film: Film, prompts: tuple[Prompt, ...], seed: int) -> list[str]:
        """What is wrong with the rows of this film."""
        self.video.kind, self.video.seed = kind, seed
        rng = random.Random(f"{kind} {seed}")
        try:
            analysis = analysis_of(self.asker, film, prompts, self._side)
        except NonFiniteError:
            return [] if kind in NON_FINITE else ["an error of numbers"]
        except ModelInputError:
            if film.duration_ms < _TOO_LONG_MS:  # Qwen2.5-VL's times are positions, which have an end
                raise
            return []
        cuts = draw_cuts(analysis, rng)
        tables = rows_of_analysis(analysis, prompts, moves_of(analysis, cuts))
        return [*self._lost(kind, analysis), *self._checked(kind, tables, analysis, prompts)]

    def _lost(self, kind: str, analysis: Analysis) -> Iterator[str]:
        for answer in analysis.answers:
            if answer.problem:
                yield f"{answer.prompt.name}: {answer.problem}"
            if answer.num_lost and kind not in NON_FINITE:
                yield f"{answer.prompt.name}: lost"

    def _checked(
        self, kind: str, tables: Mapping[str, Any], analysis: Analysis, prompts: Sequence[Prompt]
    ) -> list[str]:
        schemas = {prompt.name: prompt.own.schema for prompt in prompts if prompt.own}
        found = problems_of(tables, analysis.info.duration_ms, analysis.sampled_ms, schemas)
        if kind in NON_FINITE:  # what is lost leaves a gap
            found = (one for one in found if "do not tile" not in one)
        return list(found)


def rows_of_analysis(
    analysis: Analysis, prompts: tuple[Prompt, ...], moves_ms: Mapping[int, int]
) -> dict[str, list[dict[str, Any]]]:
    """The rows as they are read from Parquet."""
    recipe = Recipe("m", "r", "auto", Fraction(1), 2048, prompts)
    work = Work(VideoObject("/a.mp4", 1, 1), "key", Reason.NEW, max_frames=2048)
    builder = RowBuilder(work, recipe, "run", datetime.now(UTC))
    bundle = builder.bundle(analysis, builder.answer_rows(analysis, moves_ms))
    [row] = read_bundle(encode_bundle(bundle), "here").to_pylist()
    kept = (
        "videos",
        "scenes",
        "characters",
        "appearances",
        "highlights",
        *(p.name for p in prompts if p.own),
    )
    return {table: row.get(table) or [] for table in kept}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--family", choices=list(Family))
    args = parser.parse_args()
    torch.set_num_threads(1)
    with TemporaryDirectory() as folder:
        hostile = Hostile(HostileNetwork(Path(folder), args.family) if args.family else None)
        _generate(hostile, args)


def _generate(hostile: Hostile, args: argparse.Namespace) -> None:
    kinds = hostile.kinds
    begun, videos, wrong = Counter[str](), Counter[str](), Counter[str]()
    began = time.process_time()
    while begun.total() < args.generations:
        number = videos.total()
        kind, pack = kinds[number % len(kinds)], PACKS[number // len(kinds) % len(PACKS)]
        before = hostile.video.num_begun
        try:
            problems = hostile.generate(kind, pack, args.seed + number)
        except Exception as error:
            problems = [f"{type(error).__name__}: {error}"]
        begun[kind] += hostile.video.num_begun - before
        videos[kind] += 1
        if problems:
            wrong[kind] += 1
            print(f"wrong: {kind}, {pack}, seed {args.seed + number}: {problems[:3]}", flush=True)
    print("\n| kind | generations | videos | wrong |\n|---|---|---|---|")
    for kind in kinds:
        print(f"| {kind} | {begun[kind]} | {videos[kind]} | {wrong[kind]} |")
    print(f"| **all {len(kinds)}** | {begun.total()} | {videos.total()} | {wrong.total()} |")
    print(f"\n{time.process_time() - began:.0f} s of CPU time.")


if __name__ == "__main__":
    main()
