"""The circuit breaker: tells a video that is at fault from a fault that meets video after video."""

from collections import Counter
from collections.abc import Collection

from jobs.attempts.fingerprints import fingerprint
from jobs.attempts.tries import AttemptHistory
from jobs.failures import BREAKS_AT, Stage
from schemas.failures import FailureClass, MediaIndexError


class Breaker:
    """Holds back videos whose tries are used up, while it is open whether that is the video's fault.

    A verdict waits until some other video gets through; the breaker opens when too many wait.
    """

    def __init__(self) -> None:
        self._held: list[AttemptHistory] = []

    def hold(self, video: AttemptHistory) -> MediaIndexError | None:
        """The error that stops the run, if this failure is one too many."""
        self._held.append(video)
        failure = video.failure
        prints = Counter(fingerprint(one.failure, one.work.video.uri) for one in self._held)
        num_alike = prints[fingerprint(failure, video.work.video.uri)]
        num_bugs = sum(one.failure.failure_class is FailureClass.BUG for one in self._held)
        if max(num_alike, num_bugs) < BREAKS_AT:
            return None
        why = f"{num_alike} videos in a row failed alike"
        if failure.failure_class is FailureClass.BUG:
            why = f"{num_bugs} videos in a row met a bug"
        elif failure.failure_class is FailureClass.TRANSIENT:
            why = f"storage or disk outage: {num_alike} videos in a row could not be had"
        return MediaIndexError(f"{why}, the last one: {failure.message}", failure.hint)

    def release(self, stages: Collection[Stage] = tuple(Stage)) -> list[AttemptHistory]:
        """A video got through these stages, or nothing follows: those that failed in them are at fault."""
        released = [one for one in self._held if one.failure.stage in stages]
        self._held = [one for one in self._held if one.failure.stage not in stages]
        return released
