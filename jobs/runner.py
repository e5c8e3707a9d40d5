"""The driver loop: hand videos to actors, settle what comes back, replace actors that die.

All state of a run lives here, in one thread. Actors hold nothing that cannot be computed again, and
only `settle` makes anything durable.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import ray

from jobs.actor import Indexed
from jobs.failures import KILLS_UNTIL_POISON, POLICIES, Trouble
from jobs.plan import Work
from jobs.queue import WorkQueue
from schemas.failures import FailureAction, FailureClass, MediaIndexError, PreflightError

POLL_S = 0.5
MAX_START_FAILURES = 3


class Settler(Protocol):
    """Makes outcomes durable. Called from the driver's thread only."""

    def indexed(self, work: Work, outcome: Indexed) -> None:
        """Commit the video's rows."""

    def failed(self, work: Work, trouble: Trouble, action: FailureAction, attempts: int) -> None:
        """Record a video whose tries are used up."""

    def retrying(self, work: Work, trouble: Trouble) -> None:
        """A try failed and another will follow."""

    def tick(self) -> None:
        """Called at least once a second."""


@dataclass
class _Slot:
    """One actor and what it holds: the video in flight and the one it reads ahead."""

    actor: Any
    in_flight: "ray.ObjectRef[Any]"  # of index_video, or of load while starting
    work: Work | None = None
    upcoming: Work | None = None
    is_ready: bool = False


class Runner:
    """Executes planned videos on `num_actors` actors made by `start_actor`."""

    def __init__(
        self, works: Iterable[Work], start_actor: Callable[[], Any], num_actors: int, settler: Settler
    ) -> None:
        self._queue = WorkQueue(works)
        self._start_actor = start_actor
        self._num_actors = min(num_actors, len(self._queue))
        self._settler = settler
        self._slots: list[_Slot] = []
        self._attempts: Counter[tuple[str, FailureClass]] = Counter()
        self._kills: Counter[str] = Counter()
        self._start_failures = 0

    def run(self, stop: threading.Event) -> None:
        """Until every video is settled, or `stop` is set; videos in flight are then given up.

        Raises `PreflightError` where no actor can be started.
        """
        try:
            while not stop.is_set() and self._has_work():
                self._queue.wake(time.monotonic())
                self._fill_slots()
                self._dispatch()
                self._wait()
                self._settler.tick()
        finally:
            for slot in self._slots:
                ray.kill(slot.actor)

    def _has_work(self) -> bool:
        return len(self._queue) > 0 or any(slot.work or slot.upcoming for slot in self._slots)

    def _fill_slots(self) -> None:
        while len(self._slots) < self._num_actors:
            actor = self._start_actor()
            self._slots.append(_Slot(actor, actor.load.remote()))

    def _dispatch(self) -> None:
        for slot in self._slots:
            if slot.is_ready and slot.work is None:
                slot.work = slot.upcoming or self._queue.take() or self._steal()
                slot.upcoming = None
                if slot.work:
                    slot.upcoming = self._queue.take_after(slot.work)
                    slot.in_flight = slot.actor.index_video.remote(slot.work, slot.upcoming)

    def _steal(self) -> Work | None:
        """The longest video that another actor only reads ahead."""
        holders = [slot for slot in self._slots if slot.upcoming]
        holder = max(holders, key=lambda s: s.upcoming.video.size_bytes if s.upcoming else 0, default=None)
        if holder is None:
            return None
        work, holder.upcoming = holder.upcoming, None
        return work

    def _wait(self) -> None:
        busy = {slot.in_flight: slot for slot in self._slots if slot.work or not slot.is_ready}
        if not busy:
            time.sleep(POLL_S)  # everything waits out a backoff
            return
        done, _ = ray.wait(list(busy), timeout=POLL_S)
        for ref in done:
            self._receive(busy[ref], ref)

    def _receive(self, slot: _Slot, ref: "ray.ObjectRef[Any]") -> None:
        try:
            outcome = ray.get(ref)
        except ray.exceptions.RayActorError as error:
            self._replace(slot, error)
            return
        if not slot.is_ready:
            self._started(slot, outcome)
            return
        work, slot.work = slot.work, None
        assert work is not None
        if isinstance(outcome, Indexed):
            self._settler.indexed(work, outcome)
        else:
            self._after_trouble(work, outcome)

    def _started(self, slot: _Slot, problem: Trouble | None) -> None:
        if problem:
            raise PreflightError(f"the model cannot be loaded: {problem.message}", problem.hint)
        slot.is_ready = True
        self._start_failures = 0

    def _replace(self, slot: _Slot, error: "ray.exceptions.RayActorError") -> None:
        """The actor is gone: settle its video, requeue its look-ahead; a new actor takes its slot."""
        self._slots.remove(slot)
        ray.kill(slot.actor)  # it may be unreachable rather than dead
        if slot.upcoming:
            self._queue.put_back(slot.upcoming)
        if slot.work:
            self._after_trouble(slot.work, self._blame(slot.work, error))
            return
        self._start_failures += 1
        if self._start_failures >= MAX_START_FAILURES:
            raise MediaIndexError(
                f"model actors died {MAX_START_FAILURES} times in a row while loading: {_last_line(error)}",
                "check the GPU and the host's memory, then repeat the command; what is committed stays",
            )

    def _blame(self, work: Work, error: "ray.exceptions.RayActorError") -> Trouble:
        if _is_lost_machine(error):
            message = "the worker's machine went away"
            return Trouble("model", FailureClass.LOST, "machine_lost", message, "it is tried again elsewhere")
        self._kills[work.analysis_key] += 1
        kills = self._kills[work.analysis_key]
        return Trouble(
            "model",
            FailureClass.POISON if kills >= KILLS_UNTIL_POISON else FailureClass.LOST,
            "worker_killed",
            f"the model's process died on this video, time {kills}: {_last_line(error)}",
            "check the file in a player, and the host's memory",
        )

    def _after_trouble(self, work: Work, trouble: Trouble) -> None:
        policy = POLICIES[trouble.failure_class]
        self._attempts[work.analysis_key, trouble.failure_class] += 1
        tries = self._attempts[work.analysis_key, trouble.failure_class]
        again: Work | None = work
        if trouble.failure_class is FailureClass.RESOURCE:
            again = work.with_fewer_frames(trouble.num_frames)
        if again and trouble.can_retry and tries < policy.tries:
            delay_s = policy.backoff_s * 2 ** (tries - 1) * random.uniform(0.5, 1.5)
            self._queue.put_later(again, time.monotonic() + delay_s)
            self._settler.retrying(work, trouble)
        else:
            attempts = sum(n for (key, _), n in self._attempts.items() if key == work.analysis_key)
            self._settler.failed(work, trouble, policy.action, attempts)


def _is_lost_machine(error: "ray.exceptions.RayActorError") -> bool:
    """Died of its machine, not of its video: unreachable, preempted, or its node is gone."""
    return (
        isinstance(error, ray.exceptions.ActorUnavailableError)
        or error.preempted
        or "its node has died" in str(error)  # Ray has no type for it
    )


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1]
