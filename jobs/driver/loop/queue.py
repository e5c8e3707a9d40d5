"""Order of work: longest first, with a look-ahead that never parks a long video behind another."""

import bisect
import heapq
from collections.abc import Iterable

from jobs.attempts.work import Work


class WorkQueue:
    """Videos waiting for an actor. Size stands in for cost: bytes grow with hours.

    Longest first, so that no actor starts a film when the others are done. What an actor reads ahead comes
    from the end least like what it has: behind a long video waits a short one, behind a short one a long.
    Videos of which only signals are read wait apart.
    """

    def __init__(self, works: Iterable[Work]) -> None:
        in_order = sorted(works, key=_cost)
        self._waiting = [work for work in in_order if work.is_for_model]
        self._for_signals = [work for work in in_order if not work.is_for_model]
        self._delayed: list[tuple[float, str, Work]] = []  # heap: not before this monotonic time

    def __len__(self) -> int:
        return len(self._waiting) + len(self._for_signals) + len(self._delayed)

    @property
    def num_for_model(self) -> int:
        """The count of waiting videos that a model is to be asked about."""
        return len(self._waiting) + sum(work.is_for_model for *_, work in self._delayed)

    def take(self) -> Work | None:
        """The longest waiting video."""
        return self._waiting.pop() if self._waiting else None

    def take_for_signals(self) -> Work | None:
        """The longest waiting video of which only signals are read."""
        return self._for_signals.pop() if self._for_signals else None

    def take_after(self, work: Work) -> Work | None:
        """The video to read ahead while `work` is analysed."""
        if not self._waiting:
            return None
        shortest, longest = _cost(self._waiting[0]), _cost(self._waiting[-1])
        take_short = _cost(work) - shortest >= longest - _cost(work)
        return self._waiting.pop(0 if take_short else -1)

    def put_back(self, work: Work) -> None:
        """Wait again, in its place."""
        bisect.insort(self._waiting if work.is_for_model else self._for_signals, work, key=_cost)

    def put_later(self, work: Work, not_before: float) -> None:
        """Wait out a backoff; `not_before` is on the monotonic clock."""
        heapq.heappush(self._delayed, (not_before, work.analysis_key, work))

    def wake(self, now: float) -> None:
        """Return videos whose backoff is over to those that wait."""
        while self._delayed and self._delayed[0][0] <= now:
            self.put_back(heapq.heappop(self._delayed)[2])


def _cost(work: Work) -> int:
    return work.video.size_bytes
