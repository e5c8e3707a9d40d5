"""What the recipe costs: each stage tried for a few steps at its real sizes, and the rest reckoned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from recipe import Recipe, School, train_whole
from storyboard import draw_film
from training import SAVE_EVERY, Log

_STEPS, _FILMS = 4, 25
_EYES = ("pictures", "groups", "cuts")
_TONGUE = ("lookups", "language", "summaries")


@dataclass(frozen=True)
class Cost:
    """Of a stage, in CPU seconds; those of films it learns from are `before`."""

    name: str
    steps: int
    step_s: float
    before_s: float

    @property
    def minutes(self) -> float:
        return (self.steps * self.step_s + self.before_s) / 60


def plan(recipe: Recipe) -> str:
    """Return a table of stages, and how long the recipe takes on two cores and on one; takes minutes."""
    short = recipe.shortened(_STEPS, _FILMS)
    with TemporaryDirectory() as folder:
        log = Log(Path(folder))
        train_whole(School(Path(folder), log, short))
    costs = list(_costs(recipe, short, log))
    lines = ["| stage | steps | CPU s a step | minutes |", "|---|---|---|---|"]
    lines += [f"| {c.name} | {c.steps or ''} | {c.step_s:.2f} | {c.minutes:.0f} |" for c in costs]
    minutes = {cost.name: cost.minutes for cost in costs}
    halves = sum(minutes[name] for name in (*_EYES, "films")), sum(minutes[name] for name in _TONGUE)
    after = sum(minutes.values()) - sum(halves)
    return "\n".join(
        [*lines, "", f"{max(halves) + after:.0f} minutes on two cores, {sum(minutes.values()):.0f} on one."]
    )


def _costs(recipe: Recipe, short: Recipe, log: Log) -> Iterator[Cost]:
    """A stage's step takes what steps take in the middle, and its share of a telling."""
    tried, whole = _watched_s(short), _watched_s(recipe)
    yield Cost("films", 0, 0, sum(log.spent["watch"]) * whole / tried)
    for stage in recipe.stages:
        steps, tellings = log.spent[stage.name][1:], log.spent[f"{stage.name}, telling"]
        films = recipe.num_gone_on if stage is recipe.going_on else recipe.num_watched
        before = sum(log.spent[f"{stage.name}, eyes"]) * films / (short.num_watched + short.num_held_out)
        yield Cost(stage.name, stage.steps, median(steps) + median(tellings) / SAVE_EVERY, before)


def _watched_s(recipe: Recipe) -> float:
    train = sum(draw_film("train", number).duration_s for number in range(recipe.num_watched))
    return train + sum(draw_film("validation", number).duration_s for number in range(recipe.num_held_out))
