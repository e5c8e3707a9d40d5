"""The driver loop: hand videos to actors, post-process and settle what comes back, within the run's limits.

All state of a run lives here, in one thread (`supervise`). Actors hold nothing that cannot be computed again,
and only the settler makes anything durable.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import ray

from jobs.attempts.actor_failures import (
    MACHINE_LOST,
    failure_of_death,
    failure_of_kill,
    is_lost_machine,
    lacks_code,
    last_line,
)
from jobs.attempts.tries import AttemptHistory, AttemptResult, Postprocessed, Try
from jobs.attempts.work import Work
from jobs.cluster.joining import Cluster
from jobs.cluster.vital_signs import ClusterLostError
from jobs.driver.loop.actors import ActorHandle, ActorPool
from jobs.driver.loop.crew import Crew
from jobs.driver.loop.deaths import Deaths
from jobs.driver.loop.gate import Gate
from jobs.driver.loop.machines import Machines, Teller
from jobs.driver.loop.policy import FailurePolicy, Settler
from jobs.driver.loop.queue import WorkQueue
from jobs.driver.loop.supervise import OneHand
from jobs.failures import Stage, VideoFailure
from jobs.settings.limits import Ending, Limits
from jobs.workers.placement import Placement
from jobs.workers.postprocessing.tasks import Postprocessing
from jobs.workers.reading.read_ahead import value_of
from schemas.failures import FailureClass

POLL_S = 0.5
GRACE_S = 600.0  # for videos in flight, once no more are begun


class Watch(Teller, Protocol):
    """Looks on. Called from the driver's thread only."""

    def load(self, queue_depth: int, actors: Mapping[str, int]) -> None:
        """Videos that wait, and actors by state; about twice a second."""

    def closing(self, ending: Ending, num_in_flight: int, grace_s: float) -> None:
        """A limit is reached: no video begins any more."""


class Runner:
    """Executes planned videos on actors made by `start_actor`, as many as the placement and the nodes say."""

    def __init__(
        self,
        works: Iterable[Work],
        start_actor: Callable[[], Any],
        placement: Placement,
        postprocessing: Postprocessing,
        settler: Settler,
        limits: Limits,
        watch: Watch,
        cluster: Cluster,
        gate: Gate | None = None,
    ) -> None:
        self._queue = WorkQueue(works)
        self._gate = Gate() if gate is None else gate
        self._pool = ActorPool(start_actor, placement.num_actors or 0)
        self._machines = Machines(cluster.nodes, placement, limits.wait_s, watch)
        self._crew = Crew(self._pool, self._machines, self._queue)
        self._postprocessing = postprocessing
        self._settler = settler
        self._hand = OneHand()
        self._limits = limits
        self._watch = watch
        self._cluster = cluster
        self._deaths = Deaths(cluster)
        self._policy = FailurePolicy(self._queue, settler, self._hand)
        self._closing: Ending | None = None
        self._give_up_at = 0.0
        self._watch_not_before = 0.0

    def run(self, stop: threading.Event) -> Ending:
        """Hand out videos until all are settled, a limit is reached or `stop` is set; then give up those in
        flight, past a limit after some grace.

        Raises `PreflightError` where the model cannot be loaded at all, `MediaIndexError` where actors
        keep dying or the circuit breaker opens, `ClusterLostError` where Ray has died.
        """
        is_through, is_lost = False, False
        try:
            while not stop.is_set() and self._has_work():
                self._step()
            is_through = not stop.is_set() and not self._closing
        except ClusterLostError:
            is_lost = True
            raise
        finally:
            self._cut_off()
            if not is_lost:
                self._pool.kill()
                self._gate.cancel()
                self._postprocessing.cancel()
            self._policy.close(blames_videos=is_through)
        if stop.is_set():
            return Ending.STOPPED
        if self._limits.is_over_budget(self._policy.num_failures):
            return Ending.FAILURES
        return self._closing or Ending.DONE

    def abandon(self) -> None:
        """Give up what is under way, from another thread: this one does not come back from Ray."""
        self._hand.take_over()
        self._cut_off()
        self._policy.close(blames_videos=False)

    def _step(self) -> None:
        self._cluster.check()
        self._crew.look()
        self._postprocessing.resize(self._machines.nodes.num_cpus)
        self._postprocessing.keep_off(self._machines.nodes.left_out)
        self._queue.wake(time.monotonic())
        self._check_limits()
        if not self._closing:
            if self._gate.is_open:
                self._pool.fill(self._queue.num_for_model)
            if not self._postprocessing.is_full:
                self._dispatch()
            self._read_signals()
        self._wait()
        for handle, why in self._pool.stuck():
            self._ended(handle, why)
        self._postprocessing.redo_frozen()
        if time.monotonic() >= self._watch_not_before:
            self._watch_not_before = time.monotonic() + POLL_S
            self._watch.load(len(self._queue), self._pool.states())
        self._hand.do(self._settler.tick)

    def _has_work(self) -> bool:
        is_under_way = self._num_under_way > 0
        if self._closing:
            return is_under_way and time.monotonic() < self._give_up_at
        return is_under_way or len(self._queue) > 0 or any(handle.upcoming for handle in self._pool.handles)

    @property
    def _num_under_way(self) -> int:
        return len(self._pool.busy) + len(self._gate) + len(self._postprocessing)

    def _check_limits(self) -> None:
        policy = self._policy
        reached = self._limits.reached(datetime.now(UTC), policy.num_settled, policy.num_failures)
        if self._crew.is_wait_over:
            reached = reached or Ending.NO_MACHINES
        if reached and not self._closing:
            self._closing = reached
            if reached is Ending.NO_MACHINES and not self._machines.nodes.num_cpus:
                self._finish_here()
            self._give_up_at = time.monotonic() + GRACE_S
            self._watch.closing(reached, self._num_under_way, GRACE_S)

    def _finish_here(self) -> None:
        """No CPU will come for the answers that are there: their rows are made without a look at the file."""
        for video, outcome in self._postprocessing.finish_here():
            self._postprocessed(video, outcome)

    def _cut_off(self) -> None:
        for handle in self._pool.busy:
            if work := handle.work:
                self._policy.cut_off(self._policy.with_try(work, handle.tried(work)))
        for video in self._postprocessing.unfinished():
            self._policy.cut_off(video)
        for work, tried in self._gate.unfinished():
            self._policy.cut_off(self._policy.with_try(work, tried))

    def _dispatch(self) -> None:
        """Videos for idle actors, or for a look where it is not known whether the model takes any."""
        if not self._gate.is_open:
            self._gate.fill(self._queue)
        self._crew.hand_out()

    def _read_signals(self) -> None:
        """Hand out videos that no model sees, as many as there is room for."""
        while not self._postprocessing.is_full and (work := self._queue.take_for_signals()):
            tried = Try(work.attempt, datetime.now(UTC), 0.0, None)
            self._postprocessing.submit(self._policy.with_try(work, tried), None, None)

    def _wait(self) -> None:
        busy = {one.in_flight: one for one in self._pool.handles if one.work or not one.location}
        at_gate = set(self._gate.refs)
        under_way = [*busy, *at_gate, *self._postprocessing.refs]
        if not under_way:
            time.sleep(POLL_S)  # everything waits out a backoff
            return
        done, _ = ray.wait(under_way, timeout=POLL_S)
        for ref in done:
            if ref in busy:
                self._receive(busy[ref], ref)
                continue
            if ref in at_gate:
                self._looked_at(ref)
                continue
            outcome = value_of(ref, Stage.ROWS)
            self._deaths.look(outcome)
            if taken := self._postprocessing.take(ref, outcome):
                self._postprocessed(*taken)

    def _looked_at(self, ref: "ray.ObjectRef[Any]") -> None:
        outcome = value_of(ref, Stage.FETCH)
        self._deaths.look(outcome)
        work, tried = self._gate.take(ref, outcome)
        if tried.failure is None:
            self._queue.put_back(work)
        else:
            self._refused(self._policy.with_try(work, tried))

    def _refused(self, video: AttemptHistory) -> None:
        """The model says nothing of it: out of its domain, it has signals all the same."""
        if video.failure.failure_class is FailureClass.DOMAIN:
            location = video.last.location
            self._postprocessing.submit(video, None, location.node_id if location else None)
        else:
            self._policy.failed(video)

    def _receive(self, handle: ActorHandle, ref: "ray.ObjectRef[Any]") -> None:
        try:
            outcome = ray.get(ref)
        except ray.exceptions.RayTaskError as error:
            if not lacks_code(error):
                raise  # our bug: actors return their errors
            self._lost(handle, error)
            return
        except ray.exceptions.RayError as error:
            self._deaths.look(error)
            self._lost(handle, error)
            return
        if handle.location is None:
            self._crew.started(handle, outcome)
        else:
            self._deaths.look(outcome.outcome)
            self._analysed(handle, outcome)

    def _analysed(self, handle: ActorHandle, result: AttemptResult) -> None:
        work, handle.work, handle.idle_since = handle.work, None, time.monotonic()
        assert work is not None
        assert handle.location is not None
        if isinstance(result.outcome, VideoFailure):
            if result.outcome.failure_class is FailureClass.BUG:
                self._crew.remove(handle)  # its GPU may be in a state that the next video would suffer from
            tried = handle.tried(work, result.usage, result.outcome)
            self._refused(self._policy.with_try(work, tried))
            return
        video = self._policy.with_try(work, handle.tried(work, result.usage))
        self._postprocessing.submit(video, result.outcome, handle.location.node_id)
        # The model works: videos that failed before are at fault themselves.
        self._policy.passed(Stage.FETCH, Stage.READ, Stage.MODEL)

    def _postprocessed(self, video: AttemptHistory, outcome: Postprocessed | VideoFailure) -> None:
        if isinstance(outcome, VideoFailure):
            self._policy.failed(video.failed(outcome))
        else:
            self._policy.indexed(video.using(outcome.usage), outcome)

    def _lost(self, handle: ActorHandle, error: Exception) -> None:
        """The actor is gone: its video is tried again or settled; a new actor takes its handle."""
        self._crew.remove(handle)
        if work := handle.work:
            failure = failure_of_death(error, self._policy.history(work).num_kills, work.max_frames)
            failure = MACHINE_LOST if self._crew.is_leaving(handle) else failure
            self._policy.failed(self._policy.with_try(work, handle.tried(work, failure=failure)))
        elif is_lost_machine(error):
            self._pool.lost_at_start()
        else:
            self._pool.start_failed(last_line(error))

    def _ended(self, handle: ActorHandle, why: str) -> None:
        """The actor does not get on: as if it had died."""
        self._crew.remove(handle)
        if work := handle.work:
            failure = failure_of_kill(why, self._policy.history(work).num_kills)
            failure = MACHINE_LOST if self._crew.is_leaving(handle) else failure
            self._policy.failed(self._policy.with_try(work, handle.tried(work, failure=failure)))
        elif handle.location is None:
            self._pool.start_failed(why)
