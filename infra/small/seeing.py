"""The stages that learn to see: the tower from single pictures, DTS and projector from groups of four."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
from groups import draw_cuts, draw_groups, group_of, seen_of, with_a_cut
from lessons import WatchedFilm, watch
from storyboard import Part
from training import Log, Mean, Stage, Training, averaged
from vision_stage import AttributeHeads, Judged, Seen, Shown, draw_pictures, whiten_patches

from videoxl2.network.network import Network

T = TypeVar("T")

SHARD = 250  # films


def train_tower(network: Network, heads: AttributeHeads, stage: Stage, folder: Path, log: Log) -> None:
    """Until attributes are read off single pictures."""
    config = network.config.vision
    training = Training(stage, {"vision": network.vision, "heads": heads}, folder)
    if training.step == 0:
        whiten_patches(network, draw_pictures("train", -1, 400, config).pictures)
    held_out = [draw_pictures("validation", n, 2 * stage.size, config) for n in range(4)]
    judge: Callable[[Shown], Judged] = partial(heads.judge_pictures, network)
    show(training, judge, lambda step: draw_pictures("train", step, stage.size, config), held_out, log)


def train_groups(
    network: Network,
    heads: AttributeHeads,
    stages: tuple[Stage, Stage],
    films: Sequence[WatchedFilm],
    held_out: Sequence[WatchedFilm],
    folder: Path,
    log: Log,
) -> None:
    """Until attributes are read off the visual tokens of four pictures.

    In four groups of five all pictures show one place, which is learned first; which of them are before a cut
    and which behind it is a stage of its own.
    """
    modules = {"dts": network.dts, "projector": network.projector, "heads": heads}
    judge: Callable[[Seen], Judged] = partial(heads.judge_groups, network)
    whole, cut = stages
    seen = [seen_of(film) for film in held_out]
    draw: Callable[[int], Seen] = partial(draw_groups, films, whole.size)
    show(Training(whole, modules, folder), judge, draw, seen, log)
    seen = [group_of(film, number) for film in held_out for number in with_a_cut(film)]
    draw = partial(draw_cuts, films, cut.size)
    show(Training(cut, modules, folder), judge, draw, seen, log)


def show(
    training: Training,
    judge: Callable[[T], Judged],
    draw: Callable[[int], T],
    held_out: Sequence[T],
    log: Log,
) -> None:
    """The loop of the stages that learn to see."""
    means: dict[str, Mean] = defaultdict(Mean)
    while not training.is_done:
        with log.timed(training.stage.name):
            losses = judge(draw(training.step)).losses
            training.descend(torch.stack(list(losses.values())).sum())
        for place, loss in losses.items():
            means[place].add(loss.item())
        if training.is_time_to_tell:
            with torch.no_grad(), log.timed_telling(training.stage.name):
                right = averaged([judge(shown).right for shown in held_out])
            by_place = {place: mean.take() for place, mean in means.items()}
            log.line(training.stage.name, training.step, **by_place, **right)


def watch_films(network: Network, part: Part, count: int, folder: Path, log: Log) -> list[WatchedFilm]:
    """Encode films once, shard by shard."""
    films: list[WatchedFilm] = []
    for shard in range(-(-count // SHARD)):
        file = folder / f"{part}-{shard:03}.pt"
        numbers = range(shard * SHARD, min(count, (shard + 1) * SHARD))
        if not file.exists():
            with log.timed("watch"):
                watched = [watch(network, part, number) for number in numbers]
            unfinished = file.with_suffix(".part")
            torch.save(watched, unfinished)
            unfinished.replace(file)
            log.line("watch", numbers.stop, part=part)
        films += torch.load(file, weights_only=False)
    return films
