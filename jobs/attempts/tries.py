"""The tries at one video in a run: said by actors, kept by the driver, written beside the video's rows."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jobs.attempts.work import Work
from jobs.failures import WORKER_KILLED, VideoFailure
from schemas.failures import FailureClass
from schemas.usage import NO_USAGE, Usage


@dataclass(frozen=True)
class ActorLocation:
    """The place where an actor is at work. `device` is "cpu" or the GPU's name."""

    node_id: str
    host: str
    device: str


@dataclass(frozen=True)
class NotLoaded:
    """A node on which an actor could not load its weights, and why."""

    node_id: str
    failure: VideoFailure


@dataclass(frozen=True)
class AttemptResult:
    """The result of one try: a pickled `Analysis`, or why there is none.

    Pickled by the actor, so that the driver keeps and passes on the answers without ever opening them.
    """

    usage: Usage
    outcome: bytes | VideoFailure


@dataclass(frozen=True)
class Postprocessed:
    """A video's rows, encoded for the commit. `usage` is what was spent since the model was done with it."""

    bundle: bytes
    stream: bytes  # the same rows, for publishing
    is_partial: bool
    usage: Usage = NO_USAGE
    is_aside: bool = False  # for its model: the rows are those of signals


@dataclass(frozen=True)
class Try:
    """One try at one video, over or being post-processed."""

    attempt: int
    started_at: datetime
    seconds: float  # in the actor's hands
    location: ActorLocation | None
    usage: Usage = NO_USAGE
    failure: VideoFailure | None = None


@dataclass(frozen=True)
class AttemptHistory:
    """One video in a run: what is to be done, and all tries at it so far, in order."""

    work: Work
    tries: tuple[Try, ...] = ()

    @property
    def last(self) -> Try:
        """The latest try."""
        return self.tries[-1]

    @property
    def failure(self) -> VideoFailure:
        """Return why the latest try failed; AssertionError: it did not."""
        assert self.last.failure
        return self.last.failure

    @property
    def num_kills(self) -> int:
        """Count the actors that died with this video in their hands."""
        return sum(one.code == WORKER_KILLED for one in self._failures)

    def num_failures(self, failure_class: FailureClass) -> int:
        """Count the tries that failed for this class of reasons."""
        return sum(one.failure_class == failure_class for one in self._failures)

    @property
    def _failures(self) -> list[VideoFailure]:
        return [one.failure for one in self.tries if one.failure]

    def with_try(self, work: Work, tried: Try) -> "AttemptHistory":
        """Add a try at `work`."""
        return AttemptHistory(work, (*self.tries, tried))

    def using(self, usage: Usage) -> "AttemptHistory":
        """Add what the latest try took besides."""
        return self._with_last(usage=self.last.usage + usage)

    def lasting(self, seconds: float) -> "AttemptHistory":
        """Say how long the latest try took in all."""
        return self._with_last(seconds=seconds)

    def at(self, location: ActorLocation) -> "AttemptHistory":
        """Say where the latest try was made."""
        return self._with_last(location=location)

    def failed(self, failure: VideoFailure) -> "AttemptHistory":
        """Say that the latest try failed after all."""
        return self._with_last(failure=failure)

    def _with_last(self, **changes: Any) -> "AttemptHistory":
        return replace(self, tries=(*self.tries[:-1], replace(self.last, **changes)))
