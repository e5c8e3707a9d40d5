"""What a recipe asks of a video of some length: pictures, questions, and the room for its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.planning.costs.shapes import Shapes
from jobs.planning.costs.video_costs import Asked, Numbers
from schemas.recipe import Budget
from videoxl2.network.configs.picture_size import FRAMES_PER_PAIR, PictureRule

_SHARED = 4  # sections share about this part of what fits into one


@dataclass(frozen=True)
class FrameSampling:
    """The pictures of a video that a model is shown."""

    fps: float
    max_frames: int
    is_split: bool
    pictures: PictureRule | None = None  # None: all of one size

    def weights(self, duration_ms: Numbers, shapes: Shapes | None) -> Numbers:
        """Return what a picture of each video weighs: the tokens that it becomes, or 1 where all are of one
        size."""
        rule = self.pictures
        if rule is None or not rule.keeps_shape:
            return np.ones_like(duration_ms)
        sides = (shapes or Shapes.unknown(len(duration_ms))).sides()
        wanted = np.maximum(1.0, np.ceil(duration_ms * self.fps / 1000))
        at_once = np.minimum(np.nan_to_num(wanted, nan=self.max_frames), self.max_frames)
        sizes = (rule.size(*one, int(n)) for one, n in zip(sides, at_once.tolist(), strict=True))
        return np.array([rule.tokens(size) / FRAMES_PER_PAIR for size in sizes], np.float64)

    def frames(self, duration_ms: Numbers) -> tuple[Numbers, Numbers]:
        """Pictures of each video, and the sections it is taken in."""
        wanted = np.maximum(1.0, np.ceil(duration_ms * self.fps / 1000))
        if not self.is_split:
            return np.minimum(wanted, self.max_frames), np.ones_like(wanted)
        shared = self.max_frames // _SHARED
        sections = np.maximum(1.0, np.ceil((wanted - shared) / max(1, self.max_frames - shared)))
        return wanted + (sections - 1) * shared, sections


def asked_of(
    duration_ms: Numbers,
    sampling: FrameSampling,
    budgets: Mapping[str, Budget],
    tasks: Sequence[str] | None = None,
    shapes: Shapes | None = None,
) -> Asked:
    """Work of videos of these lengths and shapes, by all of a recipe's questions or by these; without any no
    picture is shown."""
    frames, sections = sampling.frames(duration_ms)
    questions, room = np.zeros_like(frames), np.zeros_like(frames)
    if not (budgets if tasks is None else tasks):
        return Asked(np.zeros_like(frames), np.zeros_like(frames), questions, room)
    for name, budget in budgets.items():
        if tasks is not None and name not in tasks:
            continue
        if budget.window_ms is None:
            questions += sections
            continue
        windows = np.maximum(sections, np.round(duration_ms / budget.window_ms))
        questions += windows
        room += np.minimum(duration_ms / budget.window_ms, windows) * budget.max_new_tokens
    return Asked(frames, frames * sampling.weights(duration_ms, shapes), questions, room)
