"""Before a model is loaded that was not made for any video: is there one in this run that it was made for?"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import ray

from jobs.attempts.tries import ActorLocation, Try
from jobs.attempts.work import Work
from jobs.driver.loop.queue import WorkQueue
from jobs.failures import VideoFailure
from jobs.workers.reading.spans import Admission

Look = Callable[[Work], "ray.ObjectRef[Admission]"]


@dataclass(frozen=True)
class _UnderWay:
    """A video being looked at, since a moment on both clocks."""

    work: Work
    started_at: datetime
    begun: float

    def tried(self, location: ActorLocation | None = None, failure: VideoFailure | None = None) -> Try:
        """The try that ends here."""
        seconds = time.monotonic() - self.begun
        return Try(self.work.attempt, self.started_at, seconds, location, failure=failure)


class Gate:
    """A gate that has videos looked at, a few at once, until the first that the model takes. It stays open
    from then on: whoever opens the other videos looks at them.

    Without `look` it is open from the beginning.
    """

    def __init__(self, look: Look | None = None, width: int = 0) -> None:
        self.is_open = look is None
        self._look = look
        self._width = width
        self._waiting: dict[ray.ObjectRef[Admission], _UnderWay] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def refs(self) -> "list[ray.ObjectRef[Admission]]":
        """The references to wait for."""
        return list(self._waiting)

    def fill(self, queue: WorkQueue) -> None:
        """Submit looks at the next videos."""
        while self._look and len(self) < self._width and (work := queue.take()):
            self._waiting[self._look(work)] = _UnderWay(work, datetime.now(UTC), time.monotonic())

    def take(self, ref: "ray.ObjectRef[Admission]", outcome: Admission | VideoFailure) -> tuple[Work, Try]:
        """A video and the try that looked at it. Without a failure the model takes it: the gate is open."""
        under_way = self._waiting.pop(ref)
        if isinstance(outcome, VideoFailure):
            return under_way.work, under_way.tried(failure=outcome)
        self.is_open = self.is_open or outcome.failure is None
        return under_way.work, under_way.tried(outcome.location, outcome.failure)

    def unfinished(self) -> Iterator[tuple[Work, Try]]:
        """The videos being looked at, with the tries that end now."""
        for one in list(self._waiting.values()):
            yield one.work, one.tried()

    def cancel(self) -> None:
        """Stop what is under way."""
        for ref in self._waiting:
            ray.cancel(ref, force=True)
        self._waiting.clear()
