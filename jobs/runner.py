"""The driver loop: hand videos to actors, finish and settle what comes back, replace actors that die.

All state of a run lives here, in one thread. Actors hold nothing that cannot be computed again, and only
the settler makes anything durable.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import ray

from jobs.analysis import Analysis
from jobs.cluster import has_live_node
from jobs.failures import BUGS_UNTIL_STOP, KILLS_UNTIL_POISON, POLICIES, Stage, Trouble
from jobs.finishing import Finishing, Indexed
from jobs.queue import WorkQueue
from jobs.work import Work
from schemas.failures import FailureAction, FailureClass, MediaIndexError, PreflightError

POLL_S = 0.5
MAX_START_FAILURES = 3  # in a row, while no actor is at work
START_BACKOFF_S = 10.0
CHECK_EVERY_S = 10.0


class Settler(Protocol):
    """Makes outcomes durable. Called from the driver's thread only."""

    def indexed(self, work: Work, outcome: Indexed) -> None:
        """Commit the video's rows."""

    def failed(self, work: Work, trouble: Trouble, action: FailureAction) -> None:
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
    node_id: str | None = None  # once its weights are loaded

    @property
    def is_ready(self) -> bool:
        return self.node_id is not None


class Runner:
    """Executes planned videos on up to `num_actors` actors made by `start_actor`."""

    def __init__(
        self,
        works: Iterable[Work],
        start_actor: Callable[[], Any],
        num_actors: int,
        finishing: Finishing,
        settler: Settler,
    ) -> None:
        self._queue = WorkQueue(works)
        self._start_actor = start_actor
        self._num_actors = num_actors
        self._finishing = finishing
        self._settler = settler
        self._slots: list[_Slot] = []
        self._tries: Counter[tuple[str, FailureClass]] = Counter()
        self._kills: Counter[str] = Counter()
        self._bugs: list[tuple[Work, Trouble]] = []  # videos in a row that only a bug explains
        self._start_failures = 0
        self._start_not_before = 0.0
        self._any_ready = False
        self._check_not_before = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until every video is settled, or `stop` is set; videos in flight are then given up.

        Raises `PreflightError` where the model cannot be loaded at all, `MediaIndexError` where actors
        keep dying or video after video meets a bug.
        """
        try:
            while not stop.is_set() and self._has_work():
                self._queue.wake(time.monotonic())
                self._fill_slots()
                if not self._finishing.is_full:
                    self._dispatch()
                self._wait()
                self._check_alive()
                self._settler.tick()
        finally:
            for slot in self._slots:
                ray.kill(slot.actor)
            self._finishing.give_up()
        self._settle_bugs(FailureAction.QUARANTINED, *Stage)

    def _has_work(self) -> bool:
        is_analysing = any(slot.work or slot.upcoming for slot in self._slots)
        return len(self._queue) > 0 or is_analysing or len(self._finishing) > 0

    def _check_alive(self) -> None:
        """Without a machine left, actors and tasks would wait to be placed for ever."""
        is_analysing = any(slot.is_ready and slot.work for slot in self._slots)
        if time.monotonic() >= self._check_not_before and not is_analysing:
            self._check_not_before = time.monotonic() + CHECK_EVERY_S
            if not has_live_node():
                raise MediaIndexError(
                    "no machine of the Ray cluster is left",
                    "start it again, then repeat the command; what is committed stays",
                )

    def _fill_slots(self) -> None:
        busy = sum(slot.work is not None for slot in self._slots)
        wanted = min(self._num_actors, len(self._queue) + busy)
        while len(self._slots) < wanted and time.monotonic() >= self._start_not_before:
            actor = self._start_actor()
            self._slots.append(_Slot(actor, actor.load.remote()))

    def _dispatch(self) -> None:
        """First a video for every idle actor, then what to read ahead: nobody reserves what another lacks."""
        idle = [slot for slot in self._slots if slot.is_ready and slot.work is None]
        for slot in idle:
            slot.work, slot.upcoming = slot.upcoming or self._queue.take() or self._steal(), None
        for slot in idle:
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
        under_way = [*busy, *self._finishing.refs]
        if not under_way:
            time.sleep(POLL_S)  # everything waits out a backoff
            return
        done, _ = ray.wait(under_way, timeout=POLL_S)
        for ref in done:
            if ref in busy:
                self._receive(busy[ref], ref)
            elif finished := self._finishing.take(ref):
                self._finished(*finished)

    def _receive(self, slot: _Slot, ref: "ray.ObjectRef[Any]") -> None:
        try:
            outcome = ray.get(ref)
        except ray.exceptions.RayTaskError:
            raise  # our bug: actors return their errors
        except ray.exceptions.RayError as error:
            self._lost(slot, error)
            return
        if slot.node_id is None:
            self._started(slot, outcome)
            return
        work, slot.work = slot.work, None
        assert work is not None
        if isinstance(outcome, Analysis):
            self._finishing.submit(work, outcome, slot.node_id)
            # The model works: those videos were at fault.
            self._settle_bugs(FailureAction.QUARANTINED, Stage.FETCH, Stage.READ, Stage.MODEL)
            return
        if outcome.failure_class is FailureClass.BUG:
            self._remove(slot)  # its GPU may be in a state that the next video would suffer from
        self._after_trouble(work, outcome)

    def _finished(self, work: Work, outcome: Indexed | Trouble) -> None:
        if isinstance(outcome, Trouble):
            self._after_trouble(work, outcome)
            return
        self._settle_bugs(FailureAction.QUARANTINED, Stage.ROWS)
        self._settler.indexed(work, outcome)

    def _started(self, slot: _Slot, outcome: str | Trouble) -> None:
        if isinstance(outcome, str):
            slot.node_id = outcome
            self._any_ready = True
            self._start_failures = 0
        elif self._any_ready:
            self._remove(slot)
            self._start_failed(outcome.message)
        else:
            raise PreflightError(f"the model cannot be loaded: {outcome.message}", outcome.hint)

    def _lost(self, slot: _Slot, error: Exception) -> None:
        """The actor is gone: settle its video; a new actor takes its slot."""
        self._remove(slot)
        if slot.work:
            self._after_trouble(slot.work, self._blame(slot.work, error))
        elif not _is_lost_machine(error):
            self._start_failed(_why(error))

    def _remove(self, slot: _Slot) -> None:
        self._slots.remove(slot)
        ray.kill(slot.actor)  # it may be unreachable rather than dead
        if slot.upcoming:
            self._queue.put_back(slot.upcoming)

    def _start_failed(self, why: str) -> None:
        self._start_failures += 1
        self._start_not_before = time.monotonic() + START_BACKOFF_S * self._any_ready
        if self._start_failures >= MAX_START_FAILURES and not any(slot.is_ready for slot in self._slots):
            raise MediaIndexError(
                f"model actors failed {self._start_failures} times in a row while loading: {why}",
                "check the GPU and the host's memory, then repeat the command; what is committed stays",
            )

    def _blame(self, work: Work, error: Exception) -> Trouble:
        if _is_out_of_memory(error):
            hint = "use fewer --num-actors, or machines with more memory"
            frames = work.max_frames
            return Trouble(
                Stage.MODEL, FailureClass.RESOURCE, "host_out_of_memory", _why(error), hint, num_frames=frames
            )
        if _is_lost_machine(error):
            hint = "none needed, it is tried again elsewhere"
            return Trouble(Stage.MODEL, FailureClass.LOST, "machine_lost", "its machine went away", hint)
        self._kills[work.analysis_key] += 1
        kills = self._kills[work.analysis_key]
        return Trouble(
            Stage.MODEL,
            FailureClass.POISON if kills >= KILLS_UNTIL_POISON else FailureClass.LOST,
            "worker_killed",
            f"the model's process died on this video, time {kills}: {_why(error)}",
            "check the file in a player, and the host's memory",
        )

    def _after_trouble(self, work: Work, trouble: Trouble) -> None:
        policy = POLICIES[trouble.failure_class]
        self._tries[work.analysis_key, trouble.failure_class] += 1
        tries = self._tries[work.analysis_key, trouble.failure_class]
        again: Work | None = work.again()
        if trouble.failure_class is FailureClass.RESOURCE:
            again = work.again().with_fewer_frames(trouble.num_frames)
        if again and trouble.can_retry and tries < policy.tries:
            delay_s = policy.backoff_s * 2 ** (tries - 1) * random.uniform(0.5, 1.5)
            self._queue.put_later(again, time.monotonic() + delay_s)
            self._settler.retrying(work, trouble)
        elif trouble.failure_class is FailureClass.BUG:
            self._suspect(work, trouble)
        else:
            self._settler.failed(work, trouble, policy.action)

    def _suspect(self, work: Work, trouble: Trouble) -> None:
        """One video with a bug is set aside; several in a row say that it is not the videos."""
        self._bugs.append((work, trouble))
        if len(self._bugs) >= BUGS_UNTIL_STOP:
            num_bugs = len(self._bugs)
            self._settle_bugs(FailureAction.NEXT_RUN, *Stage)
            raise MediaIndexError(
                f"{num_bugs} videos in a row met a bug, the last one: {trouble.message}", trouble.hint
            )

    def _settle_bugs(self, action: FailureAction, *stages: Stage) -> None:
        settled = [(work, trouble) for work, trouble in self._bugs if trouble.stage in stages]
        self._bugs = [(work, trouble) for work, trouble in self._bugs if trouble.stage not in stages]
        for work, trouble in settled:
            self._settler.failed(work, trouble, action)


def _is_out_of_memory(error: Exception) -> bool:
    """Killed by Ray's own watch over the host's memory."""
    return isinstance(error, ray.exceptions.OutOfMemoryError) or "NODE_OUT_OF_MEMORY" in str(error)


def _is_lost_machine(error: Exception) -> bool:
    """Died of its machine, not of its video: unreachable, preempted, or its node is gone."""
    if not isinstance(error, ray.exceptions.ActorDiedError):
        return True  # unavailable actors, lost objects and owners
    return error.preempted or "its node has died" in str(error)  # Ray has no type for the latter


def _why(error: Exception) -> str:
    """Ray's last line without its paragraph of advice."""
    return str(error).strip().splitlines()[-1].partition(". ")[0]
