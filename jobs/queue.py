"""Order of work: longest first, look-ahead from the short end, and nobody idle while others hoard."""

import heapq
from collections import deque
from collections.abc import Iterable

from jobs.plan import Work


class WorkQueue:
    """Videos waiting for an actor. Size stands in for cost: bytes grow with hours.

    Longest first keeps the last actor from starting a film at the end. Look-ahead comes from the other
    end, so that no long video waits behind another long one.
    """

    def __init__(self, works: Iterable[Work]) -> None:
        self._waiting = deque(sorted(works, key=_cost, reverse=True))
        self._delayed: list[tuple[float, str, Work]] = []  # heap: not before this monotonic time

    def __len__(self) -> int:
        return len(self._waiting) + len(self._delayed)

    def take(self) -> Work | None:
        """The longest waiting video."""
        return self._waiting.popleft() if self._waiting else None

    def take_upcoming(self) -> Work | None:
        """The shortest waiting video, to be read ahead."""
        return self._waiting.pop() if self._waiting else None

    def put_back(self, work: Work) -> None:
        """To the front: it has waited its turn already."""
        self._waiting.appendleft(work)

    def put_later(self, work: Work, not_before: float) -> None:
        """Wait out a backoff; `not_before` is on the monotonic clock."""
        heapq.heappush(self._delayed, (not_before, work.analysis_key, work))

    def wake(self, now: float) -> None:
        """Move videos whose backoff is over to the front."""
        while self._delayed and self._delayed[0][0] <= now:
            self.put_back(heapq.heappop(self._delayed)[2])


def _cost(work: Work) -> int:
    return work.video.size_bytes
