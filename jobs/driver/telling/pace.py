"""How far a run is, in hours of video, and when it will be through."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from jobs.attempts.work import Work
from jobs.planning.costs.expected import expect
from jobs.planning.plan import Plan
from jobs.planning.preflight import Preflight
from jobs.ui.words import clock

_PRIOR_VIDEOS = 2.0  # so many average videos' worth of what the history says goes into the pace


@dataclass
class Pace:
    """A forecast of what is left, from what is settled. `costs` are seconds of an actor, or what is in
    proportion.

    `prior_s` is what the history says that a unit of cost takes of the run's time, None without one.
    """

    costs: dict[str, float]  # by analysis key, of videos that are not settled
    total_hours: float | None
    prior_s: float | None = None
    done_hours: float = 0.0
    num_done: int = 0
    _done: float = 0.0
    _left: float = field(init=False)
    _prior: float = field(init=False)  # cost for which the history's word counts
    _since: float | None = None

    def __post_init__(self) -> None:
        self._left = sum(self.costs.values())
        self._prior = (
            _PRIOR_VIDEOS * self._left / max(1, len(self.costs)) if self.prior_s is not None else 0.0
        )

    def begin(self) -> None:
        """A video is in an actor's hands; only the first one counts."""
        self._since = self._since or time.monotonic()

    def settled(self, analysis_key: str, video_ms: int) -> None:
        """One video is through, with rows or without."""
        cost = self.costs.pop(analysis_key, 0.0)
        self.num_done += 1
        self.done_hours += video_ms / 3_600_000
        self._done += cost
        self._left = self._left - cost if self.costs else 0.0

    def left_s(self) -> float | None:
        """Seconds until the last video is through; None: nothing to tell it by yet."""
        elapsed_s = time.monotonic() - self._since if self._since is not None else 0.0
        told_s = (self.prior_s or 0.0) * self._prior
        if self._done:
            return self._left * (elapsed_s + told_s) / (self._done + self._prior)
        if not self._prior:
            return None
        left_s = self._left * told_s / self._prior - elapsed_s
        return left_s if left_s > 0 else None  # it takes longer than the history said

    def words(self) -> str:
        """Hours of video and what is left, for a progress bar."""
        of = f" of about {self.total_hours:.2f}" if self.total_hours is not None else ""
        left_s = self.left_s()
        left = f", {clock(round(left_s) * 1000, with_hours=True)} left" if left_s is not None else ""
        return f"{self.done_hours:.2f}{of} h of video{left}"

    def fields(self) -> dict[str, object]:
        """The same for machines."""
        left_s = self.left_s()
        return {
            "videos_done": self.num_done,
            "videos_left": len(self.costs),
            "video_hours": round(self.done_hours, 4),
            "video_hours_planned": self.total_hours and round(self.total_hours, 4),
            "eta_seconds": left_s and round(left_s, 1),
        }


def pace_of(plan: Plan, works: Iterable[Work], checked: Preflight, num_actors: int) -> Pace:
    """Pace by what the history says of each video, else by its pictures, else by its size."""
    expected = expect(plan.videos, checked, reads_headers=False)
    lengths_ms = expected.lengths.ms
    is_known = ~np.isnan(lengths_ms)
    costs = np.asarray(plan.videos.sizes, np.float64) + 1
    total_hours, prior_s = None, None
    if is_known.any():
        total_hours = float(lengths_ms[is_known].mean() * len(is_known) / 3_600_000)
        known = expected.frames if expected.actor_s is None else expected.actor_s
        costs = np.where(is_known, known, known[is_known].mean())
        prior_s = None if expected.actor_s is None else 1 / max(1, num_actors)
    by_id = dict(zip(plan.videos.video_ids, costs.tolist(), strict=True))
    average = float(costs.mean()) if len(costs) else 1.0
    return Pace(
        {work.analysis_key: by_id.get(work.video.video_id, average) for work in works}, total_hours, prior_s
    )
