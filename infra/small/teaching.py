"""The loop of the stages that learn to answer, what a step consists of, and how much is known."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import torch
from answers_stage import Eye, eye_of, run_batch
from lessons import Lessons, TaughtFilm, WatchedFilm
from training import Log, Mean, Stage, Training

from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.network.network import Network


def train_answers(
    network: Network,
    lessons: Lessons,
    stage: Stage,
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
) -> None:
    """Until answers are right for the eyes there are, which learn no more: their columns keep their sense."""
    eye = eye_of(network, [*films, *held_out])
    taught = lessons, lessons.of_lookups("summaries")
    network.dts.requires_grad_(False)
    network.projector.requires_grad_(False)
    training = Training(stage, {"language": network.language}, folder)
    teach(network, eye, taught, training, films, held_out, log)


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
        torch.manual_seed(training.step)
        batch = draw_batch(training.stage, films, taught, training.step)
        outcome = run_batch(network, eye, batch, PrefillOptions())
        weights = torch.tensor([training.stage.weights.get(slot, 1.0) for slot in outcome.slots])
        training.descend((outcome.losses * weights).sum() / weights.sum())
        mean.add(outcome.losses.mean().item())
        if training.is_time_to_tell:
            log.line(training.stage.name, training.step, loss=mean.take(), **by_slot(network, eye, questions))


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
