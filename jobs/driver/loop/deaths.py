"""Deaths of workers, before they are laid to a video: a dying Ray ends its workers first."""

import math
import time

from jobs.cluster.joining import RAY_DIES_WITHIN_S, Cluster
from jobs.failures import VideoFailure
from schemas.failures import FailureClass

_OF_A_DEATH = (FailureClass.LOST, FailureClass.POISON)


class Deaths:
    """Waits out the first of several deaths at once, as of a machine with many GPUs."""

    def __init__(self, cluster: Cluster) -> None:
        """Ask this cluster whether it is alive."""
        self._cluster = cluster
        self._looked_until = -math.inf

    def look(self, outcome: object) -> None:
        """Look at Ray where an outcome says that a worker died: Ray itself dies a moment later, if it does.

        Raises `ClusterLostError` where it has.
        """
        if not _is_death(outcome):
            return
        self._cluster.check()
        if time.monotonic() > self._looked_until + RAY_DIES_WITHIN_S:
            self._cluster.check_for(RAY_DIES_WITHIN_S)
        self._looked_until = time.monotonic()


def _is_death(outcome: object) -> bool:
    if isinstance(outcome, VideoFailure):
        return outcome.failure_class in _OF_A_DEATH
    return isinstance(outcome, Exception)
