"""What a recipe asks of a video of some length: pictures, questions, and the room for its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from jobs.planning.costs import Asked, Numbers
from schemas.recipe import Budget

_SHARED = 4  # sections share about this part of what fits into one


@dataclass(frozen=True)
class FrameSampling:
    """Which pictures are shown."""

    fps: float
    max_frames: int
    is_split: bool

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
) -> Asked:
    """Work of videos of these lengths, by all of a recipe's questions or by these; without any no picture is
    shown."""
    frames, sections = sampling.frames(duration_ms)
    questions, room = np.zeros_like(frames), np.zeros_like(frames)
    if not (budgets if tasks is None else tasks):
        return Asked(np.zeros_like(frames), questions, room)
    for name, budget in budgets.items():
        if tasks is not None and name not in tasks:
            continue
        if budget.window_ms is None:
            questions += sections
            continue
        windows = np.maximum(sections, np.round(duration_ms / budget.window_ms))
        questions += windows
        room += np.minimum(duration_ms / budget.window_ms, windows) * budget.max_new_tokens
    return Asked(frames, questions, room)
