"""What planned videos are expected to take, one by one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from jobs.planning.costs.asked import FrameSampling, asked_of
from jobs.planning.costs.history import History, read_history
from jobs.planning.costs.lengths import Lengths, lengths_of
from jobs.planning.costs.shapes import Shapes, shapes_of
from jobs.planning.costs.video_costs import Numbers
from jobs.planning.preflight import Preflight
from storage.query.catalog import open_catalog
from storage.query.plans import PlannedVideos


@dataclass(frozen=True)
class Expected:
    """The costs expected of each video, in the plan's order."""

    lengths: Lengths
    frames: Numbers
    tokens: Numbers | None  # that the model writes; these two are None if no attempt of it is recorded yet
    actor_s: Numbers | None
    history: History | None
    shapes: Shapes | None = None  # where the model takes pictures in their own shape


def sampling_of(checked: Preflight) -> FrameSampling:
    """Return which pictures the recipe shows."""
    recipe, weights = checked.recipe, checked.weights
    pictures = weights.pictures.within(recipe.pixels) if weights else None
    return FrameSampling(float(recipe.fps), recipe.max_frames, recipe.is_split, pictures)


def expect(videos: PlannedVideos, checked: Preflight, reads_headers: bool) -> Expected:
    """Return what the videos should take, by what the index has recorded, and by headers where it knows
    nothing."""
    library = checked.library if reads_headers else None
    place = (checked.settings.index, checked.settings.endpoint_url)
    with open_catalog(*place, must_exist=False) as catalog:
        pictures = checked.weights.pictures if checked.weights else None
        history = read_history(catalog, checked.index, checked.recipe, pictures)
        keeps_shape = pictures is not None and pictures.keeps_shape
        lengths = lengths_of(videos, catalog, library, with_shapes=keeps_shape)
        shapes = shapes_of(videos, catalog, lengths.said) if keeps_shape else None
    frames, tokens, actor_s = (np.zeros_like(lengths.ms) for _ in range(3))
    for tasks, rows in _by_tasks(videos):
        shown = shapes.take(rows) if shapes else None
        asked = asked_of(lengths.ms[rows], sampling_of(checked), checked.recipe.record.budgets, tasks, shown)
        frames[rows] = asked.frames
        if history:
            tokens[rows] = history.costs.tokens(asked)
            actor_s[rows] = history.costs.seconds(asked)
    if history is None:
        return Expected(lengths, frames, None, None, None, shapes)
    return Expected(lengths, frames, tokens, actor_s, history, shapes)


def _by_tasks(videos: PlannedVideos) -> Iterator[tuple[tuple[str, ...] | None, list[int]]]:
    """The rows of videos that are asked the same."""
    rows: dict[tuple[str, ...] | None, list[int]] = {}
    for row, (tasks, _) in enumerate(videos.parts):
        rows.setdefault(tasks, []).append(row)
    yield from rows.items()
