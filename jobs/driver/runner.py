"""The driver loop: hand videos to actors, finish and settle what comes back, within the run's limits.

All state of a run lives here, in one thread (`supervise`). Actors hold nothing that cannot be computed again,
and only the settler makes anything durable.
"""

import math
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

import ray

from jobs.attempts.deaths import is_lost_machine, last_line, trouble_of_death, trouble_of_kill
from jobs.attempts.tries import Receipt
from jobs.attempts.work import Work
from jobs.cluster.joining import RAY_DIES_WITHIN_S, Cluster
from jobs.cluster.vital_signs import ClusterLostError
from jobs.driver.actors import Crew, Slot
from jobs.driver.policy import Settler, Tries, Verdicts
from jobs.driver.queue import WorkQueue
from jobs.driver.supervise import OneHand
from jobs.failures import Stage, Trouble
from jobs.settings.limits import Ending, Limits
from jobs.workers.postprocess import Finishing, Indexed
from jobs.workers.reading import value_of
from schemas.failures import FailureClass

POLL_S = 0.5
GRACE_S = 600.0  # for videos in flight, once no more are begun


class Watch(Protocol):
    """Looks on. Called from the driver's thread only."""

    def load(self, queue_depth: int, actors: Mapping[str, int]) -> None:
        """Videos that wait, and actors by state; about twice a second."""

    def closing(self, ending: Ending, num_in_flight: int, grace_s: float) -> None:
        """A limit is reached: no video begins any more."""


class Runner:
    """Executes planned videos on up to `num_actors` actors made by `start_actor`."""

    def __init__(
        self,
        works: Iterable[Work],
        start_actor: Callable[[], Any],
        num_actors: int,
        finishing: Finishing,
        settler: Settler,
        limits: Limits,
        watch: Watch,
        cluster: Cluster,
    ) -> None:
        self._queue = WorkQueue(works)
        self._crew = Crew(start_actor, num_actors)
        self._finishing = finishing
        self._settler = OneHand(settler)
        self._limits = limits
        self._watch = watch
        self._cluster = cluster
        self._verdicts = Verdicts(self._queue, self._settler)
        self._closing: Ending | None = None
        self._give_up_at = 0.0
        self._watch_not_before = 0.0
        self._looked_until = -math.inf

    def run(self, stop: threading.Event) -> Ending:
        """Until every video is settled, a limit is reached or `stop` is set; then videos in flight, those
        past a limit after some grace, are given up.

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
                self._crew.kill()
                self._finishing.cancel()
            self._verdicts.close(blames_videos=is_through)
        if stop.is_set():
            return Ending.STOPPED
        if self._limits.is_over_budget(self._verdicts.num_failures):
            return Ending.FAILURES
        return self._closing or Ending.DONE

    def abandon(self) -> None:
        """From another thread, where this one does not come back from Ray: give up what is under way."""
        self._settler.take_over()
        self._cut_off()
        self._verdicts.close(blames_videos=False)

    def _step(self) -> None:
        self._cluster.check()
        self._queue.wake(time.monotonic())
        self._check_limits()
        if not self._closing:
            self._crew.fill(len(self._queue))
            if not self._finishing.is_full:
                self._dispatch()
        self._wait()
        for slot, why in self._crew.stuck():
            self._ended(slot, why)
        self._finishing.redo_frozen()
        self._crew.check_alive()
        if time.monotonic() >= self._watch_not_before:
            self._watch_not_before = time.monotonic() + POLL_S
            self._watch.load(len(self._queue), self._crew.states())
        self._settler.tick()

    def _has_work(self) -> bool:
        is_under_way = bool(self._crew.busy) or len(self._finishing) > 0
        if self._closing:
            return is_under_way and time.monotonic() < self._give_up_at
        return is_under_way or len(self._queue) > 0 or any(slot.upcoming for slot in self._crew.slots)

    def _check_limits(self) -> None:
        verdicts = self._verdicts
        reached = self._limits.reached(datetime.now(UTC), verdicts.num_settled, verdicts.num_failures)
        if reached and not self._closing:
            self._closing = reached
            self._give_up_at = time.monotonic() + GRACE_S
            self._watch.closing(reached, len(self._crew.busy) + len(self._finishing), GRACE_S)

    def _cut_off(self) -> None:
        for slot in self._crew.busy:
            if work := slot.work:
                self._verdicts.cut_off(work, self._verdicts.tries(work, slot.tried(work)))
        for work, tries in self._finishing.unfinished():
            self._verdicts.cut_off(work, tries)

    def _dispatch(self) -> None:
        """First a video for every idle actor, then what to read ahead: nobody reserves what another lacks."""
        idle = [slot for slot in self._crew.slots if slot.seat and slot.work is None]
        for slot in idle:
            slot.work, slot.upcoming = slot.upcoming or self._queue.take() or self._steal(), None
        for slot in idle:
            if slot.work:
                slot.upcoming = self._queue.take_after(slot.work)
                slot.begin()

    def _steal(self) -> Work | None:
        """The longest video that another actor only reads ahead."""
        holders = [slot for slot in self._crew.slots if slot.upcoming]
        holder = max(holders, key=lambda s: s.upcoming.video.size_bytes if s.upcoming else 0, default=None)
        if holder is None:
            return None
        work, holder.upcoming = holder.upcoming, None
        return work

    def _wait(self) -> None:
        busy = {slot.in_flight: slot for slot in self._crew.slots if slot.work or not slot.seat}
        under_way = [*busy, *self._finishing.refs]
        if not under_way:
            time.sleep(POLL_S)  # everything waits out a backoff
            return
        done, _ = ray.wait(under_way, timeout=POLL_S)
        for ref in done:
            if ref in busy:
                self._receive(busy[ref], ref)
                continue
            outcome = value_of(ref, Stage.ROWS)
            self._look_at_ray(outcome)
            if finished := self._finishing.take(ref, outcome):
                self._finished(*finished)

    def _receive(self, slot: Slot, ref: "ray.ObjectRef[Any]") -> None:
        try:
            outcome = ray.get(ref)
        except ray.exceptions.RayTaskError:
            raise  # our bug: actors return their errors
        except ray.exceptions.RayError as error:
            self._look_at_ray(error)
            self._lost(slot, error)
            return
        if slot.seat is None:
            self._crew.started(slot, outcome)
        else:
            self._look_at_ray(outcome.outcome)
            self._analysed(slot, outcome)

    def _analysed(self, slot: Slot, receipt: Receipt) -> None:
        work, slot.work = slot.work, None
        assert work is not None
        assert slot.seat is not None
        if isinstance(receipt.outcome, Trouble):
            if receipt.outcome.failure_class is FailureClass.BUG:
                self._remove(slot)  # its GPU may be in a state that the next video would suffer from
            tried = slot.tried(work, receipt.spent, receipt.outcome)
            self._verdicts.failed(work, receipt.outcome, self._verdicts.tries(work, tried))
            return
        tries = self._verdicts.tries(work, slot.tried(work, receipt.spent))
        self._finishing.submit(work, receipt.outcome, tries, slot.seat.node_id)
        # The model works: videos that failed before are at fault themselves.
        self._verdicts.passed(Stage.FETCH, Stage.READ, Stage.MODEL)

    def _finished(self, work: Work, outcome: Indexed | Trouble, tries: Tries) -> None:
        if isinstance(outcome, Trouble):
            tries = (*tries[:-1], replace(tries[-1], trouble=outcome))
            self._verdicts.failed(work, outcome, tries)
        else:
            self._verdicts.indexed(work, outcome, tries)

    def _lost(self, slot: Slot, error: Exception) -> None:
        """The actor is gone: its video is tried again or settled; a new actor takes its slot."""
        self._remove(slot)
        if work := slot.work:
            trouble = trouble_of_death(error, self._verdicts.num_kills(work), work.max_frames)
            tried = slot.tried(work, trouble=trouble)
            self._verdicts.failed(work, trouble, self._verdicts.tries(work, tried))
        elif not is_lost_machine(error):
            self._crew.start_failed(last_line(error))

    def _look_at_ray(self, outcome: object) -> None:
        """Before a death is laid to a video: a dying Ray ends its workers first and itself a moment later.

        Of several deaths at once, as of a machine with many GPUs, the first is waited out.
        """
        is_death = isinstance(outcome, Exception) or (
            isinstance(outcome, Trouble) and outcome.failure_class in (FailureClass.LOST, FailureClass.POISON)
        )
        if not is_death:
            return
        self._cluster.check()
        if time.monotonic() > self._looked_until + RAY_DIES_WITHIN_S:
            self._cluster.check_for(RAY_DIES_WITHIN_S)
        self._looked_until = time.monotonic()

    def _ended(self, slot: Slot, why: str) -> None:
        """The actor does not get on: as if it had died."""
        self._remove(slot)
        if work := slot.work:
            trouble = trouble_of_kill(why, self._verdicts.num_kills(work))
            tried = slot.tried(work, trouble=trouble)
            self._verdicts.failed(work, trouble, self._verdicts.tries(work, tried))
        elif slot.seat is None:
            self._crew.start_failed(why)

    def _remove(self, slot: Slot) -> None:
        self._crew.remove(slot)
        if slot.upcoming:
            self._queue.put_back(slot.upcoming)
