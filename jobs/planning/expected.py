"""What planned videos are expected to take, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jobs.planning.asked import Sampling, asked_of
from jobs.planning.costs import Numbers
from jobs.planning.history import History, read_history
from jobs.planning.lengths import Lengths, lengths_of
from jobs.planning.preflight import Preflight
from storage.query.catalog import open_catalog
from storage.query.plans import PlannedVideos


@dataclass(frozen=True)
class Expected:
    """Of each video, in the plan's order."""

    lengths: Lengths
    frames: Numbers
    actor_s: Numbers | None  # None: no attempt of this model is recorded yet
    history: History | None


def sampling_of(checked: Preflight) -> Sampling:
    """Which pictures the recipe shows."""
    return Sampling(float(checked.recipe.fps), checked.recipe.max_frames, checked.recipe.is_split)


def expect(videos: PlannedVideos, checked: Preflight, reads_headers: bool) -> Expected:
    """From what the index has recorded, and from headers where it knows nothing."""
    library = checked.library if reads_headers else None
    place = (checked.settings.index, checked.settings.endpoint_url)
    with open_catalog(*place, must_exist=False) as catalog:
        history = read_history(catalog, checked.index, checked.recipe.model_revision)
        lengths = lengths_of(videos, catalog, library)
    frames, actor_s = np.zeros_like(lengths.seconds), np.zeros_like(lengths.seconds)
    for tasks, rows in _by_tasks(videos):
        asked = asked_of(lengths.seconds[rows], sampling_of(checked), checked.recipe.record.budgets, tasks)
        frames[rows] = asked.frames
        if history:
            actor_s[rows] = history.costs.seconds(asked)
    return Expected(lengths, frames, actor_s if history else None, history)


def _by_tasks(videos: PlannedVideos) -> Iterator[tuple[tuple[str, ...], list[int]]]:
    """The rows of videos that are asked the same."""
    rows: dict[tuple[str, ...], list[int]] = {}
    for row, tasks in enumerate(videos.tasks):
        rows.setdefault(tuple(tasks), []).append(row)
    yield from rows.items()
