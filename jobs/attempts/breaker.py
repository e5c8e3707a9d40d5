"""The circuit breaker: tells a video that is at fault from a fault that meets video after video."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from jobs.attempts.fingerprints import fingerprint
from jobs.attempts.tries import Try
from jobs.attempts.work import Work
from jobs.failures import BREAKS_AT, Stage, Trouble
from schemas.failures import FailureClass, MediaIndexError


@dataclass(frozen=True)
class Suspicion:
    """A video whose tries are used up, while it is open whether that is the video's fault."""

    work: Work
    trouble: Trouble
    tries: tuple[Try, ...]


class Breaker:
    """Holds verdicts back until some other video gets through; opens when too many wait."""

    def __init__(self) -> None:
        self._held: list[Suspicion] = []

    def hold(self, suspicion: Suspicion) -> MediaIndexError | None:
        """The error that stops the run, if this failure is one too many."""
        self._held.append(suspicion)
        prints = Counter(fingerprint(one.trouble, one.work.video.uri) for one in self._held)
        num_alike = prints[fingerprint(suspicion.trouble, suspicion.work.video.uri)]
        num_bugs = sum(one.trouble.failure_class is FailureClass.BUG for one in self._held)
        if max(num_alike, num_bugs) < BREAKS_AT:
            return None
        trouble = suspicion.trouble
        why = f"{num_alike} videos in a row failed alike"
        if trouble.failure_class is FailureClass.BUG:
            why = f"{num_bugs} videos in a row met a bug"
        elif trouble.failure_class is FailureClass.TRANSIENT:
            why = f"storage or disk outage: {num_alike} videos in a row could not be had"
        return MediaIndexError(f"{why}, the last one: {trouble.message}", trouble.hint)

    def release(self, stages: Collection[Stage] = tuple(Stage)) -> list[Suspicion]:
        """A video got through these stages, or nothing follows: those that failed in them are at fault."""
        released = [one for one in self._held if one.trouble.stage in stages]
        self._held = [one for one in self._held if one.trouble.stage not in stages]
        return released
