"""The whole recipe: stages in their order, from nothing to the checkpoint that ships.

A network of the first columns learns to see and to answer; it grows, is given what leads to figures and
moments, and learns these besides. Each stage keeps its state in the folder, so a recipe that was stopped goes
on where it was, bit for bit.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial
from pathlib import Path

import torch
from answers_stage import Code
from checkpoint import build_tokenizer, frame_phrases, fresh_network, small_config, write_checkpoint
from code_stage import judge_code, meant_by_eyes, train_code, train_narrow_code
from figure_columns import FIRST_COLUMN, WIDTH
from figure_wiring import hold_all_wired
from growing import load_narrow, take_over, wire_anew
from lessons import Lessons, WatchedFilm, imagine
from narration import every_phrase
from seeing import train_groups, train_tower, watch_films
from stages import ANSWERS, CODE, CUTS, FIGURES, GOING_ON, GROUPS, LANGUAGE, LOOKUPS, PICTURES, SUMMARIES
from teaching import train_answers, train_language
from tokenizers import Tokenizer
from training import Log, Stage
from vision_stage import AttributeHeads

from jobs.prompts.pack import load_packs
from videoxl2.constrained.masks import TokenTable
from videoxl2.network.language.tokens import END_OF_TURN, Vocabulary
from videoxl2.network.network import Network

NARROW = "narrow"  # of the folder: the checkpoint that grows


@dataclass(frozen=True)
class Recipe:
    """Stages, and how many films they learn from."""

    pictures: Stage = PICTURES
    groups: Stage = GROUPS
    cuts: Stage = CUTS
    lookups: Stage = LOOKUPS
    language: Stage = LANGUAGE
    summaries: Stage = SUMMARIES
    code: Stage = CODE
    answers: Stage = ANSWERS
    figures: Stage = FIGURES
    going_on: Stage = GOING_ON
    num_imagined: int = 2500
    num_watched: int = 2000
    num_gone_on: int = 1000
    num_held_out: int = 25

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Return all stages, in their order."""
        values = (getattr(self, field.name) for field in fields(self))
        return tuple(value for value in values if isinstance(value, Stage))

    def shortened(self, steps: int, films: int, size: int | None = None) -> Recipe:
        """Return a recipe whose stages, films and sizes of a step are no more than that."""
        changed: dict[str, Stage | int] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            changed[field.name] = (
                replace(value, steps=min(steps, value.steps), size=min(size or value.size, value.size))
                if isinstance(value, Stage)
                else min(films, value)
            )
        return replace(self, **changed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class School:
    """What every stage needs: where states are kept, the log, how long stages are, and what is asked."""

    folder: Path
    log: Log
    recipe: Recipe

    @cached_property
    def tokenizer(self) -> Tokenizer:
        return build_tokenizer(every_phrase() | frame_phrases())

    @cached_property
    def lessons(self) -> Lessons:
        table = TokenTable(self.tokenizer, self.tokenizer.get_vocab_size(), _stop(self.tokenizer), "cpu")
        return Lessons(Vocabulary(self.tokenizer), table, load_packs())


def small_network(width: int = WIDTH) -> tuple[Network, Tokenizer]:
    """Return where training begins."""
    tokenizer = build_tokenizer(every_phrase() | frame_phrases())
    config = small_config(tokenizer.get_vocab_size(), _stop(tokenizer), width)
    return fresh_network(config, tokenizer), tokenizer


def _stop(tokenizer: Tokenizer) -> int:
    stop = tokenizer.token_to_id(END_OF_TURN)
    assert stop is not None
    return int(stop)


def train_whole(school: School, begin_with: Path | None = None) -> None:
    """Leave what ships in FOLDER/checkpoint; `begin_with` is a narrow checkpoint that is there already."""
    narrow = begin_with or school.folder / NARROW
    if not narrow.exists():
        train_narrow(school)
    write_checkpoint(grow_and_go_on(school, narrow), school.tokenizer, school.folder / "checkpoint")


def train_narrow(school: School) -> None:
    """Leave a checkpoint of the first columns, which sees and answers, in FOLDER/narrow."""
    recipe, folder, log = school.recipe, school.folder, school.log
    network, films, held_out = train_eyes(school)
    code = train_tongue(school, network)
    train_narrow_code(network, code, recipe.code, films, held_out, folder, log)
    train_answers(
        network, school.lessons, recipe.answers, films, held_out, folder, log, projector_learns=True
    )
    unfinished = folder / "narrow.part"
    write_checkpoint(network, school.tokenizer, unfinished)
    unfinished.rename(folder / NARROW)


def train_eyes(school: School) -> tuple[Network, list[WatchedFilm], list[WatchedFilm]]:
    """Return a narrow network that sees, with the films it has watched and those held out."""
    recipe, folder, log = school.recipe, school.folder, school.log
    network, _ = small_network(FIRST_COLUMN)
    torch.manual_seed(0)
    heads = AttributeHeads(network.config)
    train_tower(network, heads, recipe.pictures, folder, log)
    films = watch_films(network, "train", recipe.num_watched, folder, log)
    held_out = watch_films(network, "validation", recipe.num_held_out, folder, log)
    train_groups(network, heads, (recipe.groups, recipe.cuts), films, held_out, folder, log)
    return network, films, held_out


def train_tongue(school: School, network: Network) -> Code:
    """Teach the language model with perfect eyes; one process at a time, who waited goes on from there."""
    recipe, folder = school.recipe, school.folder
    films = [imagine("train", number) for number in range(recipe.num_imagined)]
    held_out = [imagine("validation", number) for number in range(recipe.num_held_out)]
    stages = recipe.lookups, recipe.language, recipe.summaries
    with _alone(folder / "language.lock"):
        return train_language(network, school.lessons, stages, films, held_out, folder, school.log)


def grow_and_go_on(school: School, narrow_checkpoint: Path) -> Network:
    """Return a network that knows figures and best moments besides what a narrow one does; its tower is that
    one's. What is set and does not learn is set last."""
    recipe, folder, log = school.recipe, school.folder, school.log
    narrow = load_narrow(narrow_checkpoint)
    network, _ = small_network()
    take_over(network, narrow, school.tokenizer)
    films = watch_films(network, "train", recipe.num_gone_on, folder, log)
    held_out = watch_films(network, "validation", recipe.num_held_out, folder, log)
    judge = partial(judge_code, network, meant_by_eyes(narrow))
    train_code(network, recipe.figures, judge, films, held_out, folder, log)
    hold_all_wired(network)
    train_answers(network, school.lessons, recipe.going_on, films, held_out, folder, log)
    wire_anew(network)
    return network


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
