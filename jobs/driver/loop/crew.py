"""The actors of a run and the videos in their hands, as many as machines and work allow."""

import math
import time
from collections import Counter

from jobs.attempts.tries import ActorLocation, NotLoaded
from jobs.attempts.work import Work
from jobs.driver.loop.actors import ActorHandle, ActorPool
from jobs.driver.loop.machines import Machines
from jobs.driver.loop.queue import WorkQueue
from schemas.failures import FailureClass
from storage.errors import NoSpace

MAX_LOAD_TRIES = 3  # on the only node for models, which has never loaded one
TRIED_AGAIN_S = 600.0  # for which a node is left out whose next try may go well: others hold its memory
_MAY_PASS = {FailureClass.TRANSIENT, FailureClass.RESOURCE, FailureClass.LOST}


class Crew:
    """Actors come with GPUs, and leave nodes that drain; what they hold is the queue's when they go."""

    def __init__(self, pool: ActorPool, machines: Machines, queue: WorkQueue) -> None:
        self._pool, self._machines, self._queue = pool, machines, queue
        self._left_out: frozenset[str] = frozenset()
        self._loaded_on: set[str] = set()
        self._load_tries: Counter[str] = Counter()

    def look(self) -> None:
        """Follow the nodes."""
        now, num_placed = time.monotonic(), self._pool.num_placed
        self._machines.look(now, num_placed, len(self._pool.handles) - num_placed)
        self._keep_off(frozenset(self._machines.nodes.left_out))
        self._pool.resize(self._machines.num_actors)
        for handle in filter(self.is_leaving, list(self._pool.handles)):
            if handle.work is None:
                self.remove(handle)
            else:
                self._put_back(handle)
        for handle in self._pool.needless(self._queue.num_for_model, now):
            self.remove(handle)

    def _keep_off(self, left_out: frozenset[str]) -> None:
        """Ask anew for those that have no machine so far: they may get one that is left out."""
        if left_out != self._left_out:
            self._left_out = left_out
            for handle in [one for one in self._pool.handles if not one.is_placed]:
                self.remove(handle)

    def started(self, handle: ActorHandle, outcome: ActorLocation | NotLoaded) -> None:
        """Note that its weights are loaded, or leave out the node where they never could: for good, or for a
        while where that may pass.

        Raises `PreflightError` where models have no other node.
        """
        if isinstance(outcome, ActorLocation):
            self._loaded_on.add(outcome.node_id)
        elif outcome.node_id not in self._loaded_on and (
            self._leave_out(outcome) or self._may_try_again(outcome)
        ):
            self._pool.remove(handle)
            self._pool.lost_at_start()
            return
        self._pool.started(handle, outcome)

    def _leave_out(self, outcome: NotLoaded) -> bool:
        failure = outcome.failure
        is_full = failure.code == NoSpace.code  # nobody else removes weights
        seconds = TRIED_AGAIN_S if failure.failure_class in _MAY_PASS and not is_full else math.inf
        return self._machines.leave_out(
            outcome.node_id, f"could not load the model: {failure.message}", seconds
        )

    def _may_try_again(self, outcome: NotLoaded) -> bool:
        """Whether the only node for models is asked again, as its store did not answer."""
        self._load_tries[outcome.node_id] += 1
        is_early = self._load_tries[outcome.node_id] < MAX_LOAD_TRIES
        failure = outcome.failure
        return is_early and failure.failure_class is FailureClass.TRANSIENT and failure.code != NoSpace.code

    @property
    def is_wait_over(self) -> bool:
        """Whether machines have been lacking for longer than the run waits."""
        now = time.monotonic()
        return self._machines.is_wait_over(now, self._pool.num_placed, self._pool.pending_s(now))

    def is_leaving(self, handle: ActorHandle) -> bool:
        """Whether its node drains, or is gone."""
        return handle.location is not None and self._machines.nodes.is_leaving(handle.location.node_id)

    def remove(self, handle: ActorHandle) -> None:
        """End an actor; what it only reads ahead is for others."""
        self._pool.remove(handle)
        self._put_back(handle)

    def hand_out(self) -> None:
        """Hand a video to every idle actor, then what to read ahead: nobody reserves what another lacks."""
        idle = [handle for handle in self._pool.handles if handle.location and handle.work is None]
        for handle in idle:
            handle.work, handle.upcoming = handle.upcoming or self._queue.take() or self._steal(), None
        for handle in idle:
            if handle.work:
                handle.upcoming = self._queue.take_after(handle.work)
                handle.begin(self._left_out)

    def _steal(self) -> Work | None:
        """The longest video that another actor only reads ahead."""
        holders = [handle for handle in self._pool.handles if handle.upcoming]
        holder = max(holders, key=lambda s: s.upcoming.video.size_bytes if s.upcoming else 0, default=None)
        if holder is None:
            return None
        work, holder.upcoming = holder.upcoming, None
        return work

    def _put_back(self, handle: ActorHandle) -> None:
        if handle.upcoming:
            self._queue.put_back(handle.upcoming)
            handle.upcoming = None
