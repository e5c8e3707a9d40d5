"""The model actors of a run: started as they are needed, replaced when they die. Ray never restarts them."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ray

from jobs.attempts.tries import Seat, Spent, Try
from jobs.attempts.work import Work
from jobs.cluster.joining import has_live_node
from jobs.failures import Trouble
from jobs.workers.reading import ALL_TRIES_S
from schemas.failures import MediaIndexError, PreflightError

MAX_START_FAILURES = 3  # in a row, while no actor is at work
START_BACKOFF_S = 10.0
CHECK_EVERY_S = 10.0
PULSE_EVERY_S = 5.0
MISSED_PULSES = 24  # two minutes. Counted, not timed, so that a driver that stood still itself blames nobody


@dataclass
class Slot:
    """One actor and what it holds: the video in flight and the one it reads ahead."""

    actor: Any
    in_flight: "ray.ObjectRef[Any]"  # of index_video, or of load while starting
    seat: Seat | None = None  # once its weights are loaded
    work: Work | None = None
    upcoming: Work | None = None
    started_at: datetime = datetime.min
    begun: float = 0.0  # the same on the monotonic clock
    pulse: "ray.ObjectRef[float] | None" = None  # asked, and not answered so far
    missed: int = 0  # times that it was looked for since
    is_there: bool = False  # it has answered once: before, it may wait for a machine

    @property
    def state(self) -> str:
        """loading, idle or busy."""
        if self.seat is None:
            return "loading"
        return "busy" if self.work else "idle"

    def begin(self) -> None:
        """Hand `work` to the actor, which may read `upcoming` meanwhile."""
        self.started_at, self.begun = datetime.now(UTC), time.monotonic()
        self.in_flight = self.actor.index_video.remote(self.work, self.upcoming)

    def feel_pulse(self, is_answered: bool) -> str | None:
        """Why this actor is to be given up; `is_answered`: the pulse that was asked is there."""
        if self.pulse is None:
            self.pulse, self.missed = self.actor.pulse.remote(), 0
        elif not is_answered:
            self.missed += 1
            if self.is_there and self.missed >= MISSED_PULSES:
                return f"no sign of life for {MISSED_PULSES * PULSE_EVERY_S:.0f} s"
        else:
            answered, self.pulse = self.pulse, None
            with suppress(ray.exceptions.RayError):  # it is dead: the call in flight says so, and why
                waiting_s, self.is_there = ray.get(answered), True
                if waiting_s > ALL_TRIES_S:
                    return f"no pictures for {waiting_s / 3600:.0f} h"
        return None

    def tried(self, work: Work, spent: Spent | None = None, trouble: Trouble | None = None) -> Try:
        """The try that is over as of now."""
        seconds = time.monotonic() - self.begun
        return Try(work.attempt, self.started_at, seconds, self.seat, spent or Spent(), trouble)


class Crew:
    """Up to `size` actors made by `start_actor`."""

    def __init__(self, start_actor: Callable[[], Any], size: int) -> None:
        self.slots: list[Slot] = []
        self._start_actor = start_actor
        self._size = size
        self._start_failures = 0
        self._start_not_before = 0.0
        self._any_ready = False
        self._check_not_before = 0.0
        self._feel_not_before = 0.0

    @property
    def busy(self) -> list[Slot]:
        """Those with a video in flight."""
        return [slot for slot in self.slots if slot.work]

    def states(self) -> Counter[str]:
        """How many actors are loading, idle and busy."""
        return Counter(slot.state for slot in self.slots)

    def fill(self, num_waiting: int) -> None:
        """Start actors, not more than there is work for."""
        wanted = min(self._size, num_waiting + len(self.busy))
        while len(self.slots) < wanted and time.monotonic() >= self._start_not_before:
            actor = self._start_actor()
            self.slots.append(Slot(actor, actor.load.remote()))

    def started(self, slot: Slot, outcome: Seat | Trouble) -> None:
        """Its weights are loaded, or cannot be. Raises `PreflightError` if they never could."""
        if isinstance(outcome, Seat):
            slot.seat = outcome
            self._any_ready = True
            self._start_failures = 0
        elif self._any_ready:
            self.remove(slot)
            self.start_failed(outcome.message)
        else:
            raise PreflightError(f"the model cannot be loaded: {outcome.message}", outcome.hint)

    def start_failed(self, why: str) -> None:
        """An actor did not get to work. Raises `MediaIndexError` where none ever does."""
        self._start_failures += 1
        self._start_not_before = time.monotonic() + START_BACKOFF_S * self._any_ready
        if self._start_failures >= MAX_START_FAILURES and not any(slot.seat for slot in self.slots):
            raise MediaIndexError(
                f"model actors failed {self._start_failures} times in a row while loading: {why}",
                "Check the GPU and the host's memory, then repeat the command; what is committed stays.",
            )

    def remove(self, slot: Slot) -> None:
        """Its place is free for another actor."""
        self.slots.remove(slot)
        ray.kill(slot.actor)  # it may be unreachable rather than dead

    def stuck(self) -> list[tuple[Slot, str]]:
        """Actors that are frozen or starved, and what shows it. They can say nothing themselves."""
        if time.monotonic() < self._feel_not_before:
            return []
        self._feel_not_before = time.monotonic() + PULSE_EVERY_S
        asked = [slot.pulse for slot in self.slots if slot.pulse]
        answered = set(ray.wait(asked, num_returns=len(asked), timeout=0)[0]) if asked else set()
        felt = [(slot, slot.feel_pulse(slot.pulse in answered)) for slot in self.slots]
        return [(slot, why) for slot, why in felt if why]

    def check_alive(self) -> None:
        """Without a machine left, actors and tasks would wait to be placed for ever."""
        is_analysing = any(slot.seat and slot.work for slot in self.slots)
        if time.monotonic() >= self._check_not_before and not is_analysing:
            self._check_not_before = time.monotonic() + CHECK_EVERY_S
            if not has_live_node():
                raise MediaIndexError(
                    "no machine of the Ray cluster is left",
                    "Start it again, then repeat the command; what is committed stays.",
                )

    def kill(self) -> None:
        """End all of them, whatever they are at."""
        for slot in self.slots:
            ray.kill(slot.actor)
