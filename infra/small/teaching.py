"""The loop of the stages that learn to answer, what a step consists of, and how much is known."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from answers_stage import Code, Eye, eye_of, run_batch
from lessons import Lessons, TaughtFilm, WatchedFilm
from training import Log, Mean, Stage, Training

from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.network.network import Network


def train_language(
    network: Network,
    lessons: Lessons,
    stages: tuple[Stage, Stage, Stage],
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
) -> Code:
    """Until the language model answers with perfect eyes, for which films need no picture.

    First it learns to find its way about a film by time: when the scene in view began, when the scene that
    begins at a time ends, and the title of what plays from one time to another. Then the default prompts; and
    last, who is in a scene.
    """
    torch.manual_seed(0)
    code = Code(network.config)
    titles, summaries = lessons.of_lookups("titles"), lessons.of_lookups("summaries")
    learner: dict[str, torch.nn.Module] = {"language": network.language}
    for stage, modules, taught in zip(
        stages,
        (learner | {"code": code}, learner | {"code": code}, learner),
        ((titles, lessons.of_boundaries()), (lessons, titles), (summaries, lessons)),
        strict=True,
    ):
        teach(network, code, taught, Training(stage, modules, folder), films, held_out, log)
    return code


def train_answers(
    network: Network,
    lessons: Lessons,
    stage: Stage,
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
    projector_learns: bool = False,
) -> None:
    """Until answers are right for the eyes there are, which learn no more, or only their projector."""
    with log.timed(f"{stage.name}, eyes"):
        eye = eye_of(network, [*films, *held_out], has_learned=not projector_learns)
    taught = lessons, lessons.of_lookups("summaries")
    network.dts.requires_grad_(False)
    network.projector.requires_grad_(projector_learns)
    modules: dict[str, torch.nn.Module] = {"language": network.language}
    modules |= {"projector": network.projector} if projector_learns else {}
    teach(network, eye, taught, Training(stage, modules, folder), films, held_out, log)


def teach(
    network: Network,
    eye: Eye,
    taught: tuple[Lessons, Lessons],
    training: Training,
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    log: Log,
) -> None:
    """The loop of the stages that learn to answer: two thirds of a step from the first lessons."""
    questions = [taught[0].of(film, random.Random(n)) for n, film in enumerate(held_out)]
    mean = Mean()
    while not training.is_done:
        with log.timed(training.stage.name):
            torch.manual_seed(training.step)
            batch = draw_batch(training.stage, films, taught, training.step)
            outcome = run_batch(network, eye, batch, PrefillOptions())
            weights = torch.tensor([training.stage.weights.get(slot, 1.0) for slot in outcome.slots])
            training.descend((outcome.losses * weights).sum() / weights.sum())
        mean.add(outcome.losses.mean().item())
        if training.is_time_to_tell:
            with log.timed_telling(training.stage.name):
                right = by_slot(network, eye, questions)
            log.line(training.stage.name, training.step, loss=mean.take(), **right)


def draw_batch(
    stage: Stage, films: Sequence[WatchedFilm], taught: tuple[Lessons, Lessons], step: int
) -> list[TaughtFilm]:
    """Films that make up a step, the same for the same step."""
    draw = random.Random(step)
    longest_s = stage.longest_at(step)
    weights = [len(film.film.scenes) ** stage.long_power for film in films]
    batch: list[TaughtFilm] = []
    tokens = 0
    while tokens < 1.5 * stage.size:
        watched = draw.choices(films, weights)[0]
        if watched.film.duration_s > longest_s:
            continue
        batch.append(taught[tokens >= stage.size].of(watched, draw))
        tokens += batch[-1].num_tokens
    return batch


@torch.no_grad()
def by_slot(network: Network, eye: Eye, questions: Iterable[TaughtFilm]) -> dict[str, float]:
    """Accuracy of the model's own choices, unmasked, by slot."""
    found: dict[str, list[float]] = defaultdict(list)
    for one in questions:
        outcome = run_batch(network, eye, [one], PrefillOptions())
        for slot, right in zip(outcome.slots, outcome.right.tolist(), strict=True):
            found[slot].append(float(right))
    return {slot: sum(right) / len(right) for slot, right in sorted(found.items())}
