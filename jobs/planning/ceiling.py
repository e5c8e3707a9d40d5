"""What one video may cost, and which videos would cost more."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jobs.planning.costs.asked import FrameSampling, asked_of
from jobs.planning.costs.expected import Expected, expect, sampling_of
from jobs.planning.costs.shapes import Shapes
from jobs.planning.costs.video_costs import Costs, Numbers
from jobs.planning.preflight import Preflight
from jobs.settings.limits import CostLimit
from jobs.ui.words import hours
from schemas.failures import UsageError
from schemas.recipe import Budget
from storage.query.plans import PlannedVideos

_FLAG = "--max-cost-per-video"


@dataclass(frozen=True)
class Ceiling:
    """The limit, and all it takes to hold a video against it. Workers carry it, who know true lengths."""

    limit: CostLimit
    sampling: FrameSampling
    budgets: Mapping[str, Budget]
    costs: Costs | None
    most_s: float | None  # of an actor; None: pictures are counted

    def objection(
        self, duration_ms: float, tasks: tuple[str, ...] | None, shapes: Shapes | None = None
    ) -> str | None:
        """Return why a video of that length and shape costs too much; None: it does not."""
        asked = asked_of(np.array([duration_ms]), self.sampling, self.budgets, tasks, shapes)
        actor_s = self.costs.seconds(asked) if self.costs else None
        if not self.excludes(asked.frames, actor_s)[0]:
            return None
        told = f"{hours(duration_ms / 3_600_000)} of video, {asked.frames[0]:,.0f} pictures"
        if actor_s is not None:
            told += f", about {hours(actor_s[0] / 3600)} of an actor"
        return f"{told}: more than {_FLAG} {self.limit.text}"

    def excludes(self, frames: Numbers, actor_s: Numbers | None) -> NDArray[np.bool_]:
        """Whether each video costs too much."""
        if self.limit.frames is not None:
            return frames > self.limit.frames
        assert actor_s is not None
        assert self.most_s is not None
        return actor_s > self.most_s


def ceiling_of(checked: Preflight, costs: Costs | None) -> Ceiling | None:
    """Return the most that a video may cost; None: there is no limit. UsageError: it cannot be told what
    videos cost."""
    settings = checked.settings
    limit = settings.max_cost_per_video
    if limit is None:
        return None
    return Ceiling(
        limit,
        sampling_of(checked),
        checked.recipe.record.budgets,
        costs,
        None if limit.frames is not None else _seconds(checked, limit, costs),
    )


def _seconds(checked: Preflight, limit: CostLimit, costs: Costs | None) -> float:
    settings = checked.settings
    if checked.weights is None:
        raise UsageError(
            f"{_FLAG} {limit.text}: it limits what a model takes, and none is asked",
            "Leave it out, or name --model. Videos that are too long for signals: --max-duration.",
        )
    if costs is None:
        raise UsageError(
            f"{_FLAG} {limit.text}: no attempt of this model is recorded yet, so costs are not known",
            "Run a few videos first (--limit 20), or give a number of pictures, e.g. 600frames.",
        )
    if limit.usd is None:
        return limit.seconds or 0.0
    if not settings.usd_per_actor_hour:
        raise UsageError(f"{_FLAG} {limit.text}: the price is not known", "Add --usd-per-gpu-hour.")
    return limit.usd / settings.usd_per_actor_hour * 3600


@dataclass(frozen=True)
class Refused:
    """A video that costs too much, and why."""

    uri: str
    why: str


def split_costly(
    videos: PlannedVideos, checked: Preflight
) -> tuple[PlannedVideos, tuple[Refused, ...], Ceiling | None]:
    """Return the videos that may be spent on, those that are refused, and the ceiling for what was not
    certain here."""
    if checked.settings.max_cost_per_video is None:
        return videos, (), None
    expected = expect(videos, checked, reads_headers=True)
    ceiling = ceiling_of(checked, expected.history.costs if expected.history else None)
    assert ceiling
    is_over = _is_certain(expected, ceiling) & ceiling.excludes(expected.frames, expected.actor_s)
    over = np.flatnonzero(is_over).tolist()
    refused = [
        Refused(one.video.uri, ceiling.objection(expected.lengths.ms[row], one.tasks, shapes) or "")
        for one, row in zip(videos.take(over), over, strict=True)
        for shapes in [expected.shapes.take([row]) if expected.shapes else None]
    ]
    return videos.take(np.flatnonzero(~is_over).tolist()), tuple(refused), ceiling


def _is_certain(expected: Expected, ceiling: Ceiling) -> NDArray[np.bool_]:
    """Whether what a video costs is told, not guessed: by its length, and where time counts by its shape."""
    if expected.shapes is None or ceiling.limit.frames is not None:
        return expected.lengths.is_certain
    return expected.lengths.is_certain & expected.shapes.is_known
