"""The model actors of a run: started as they are needed, replaced when they die. Ray never restarts them."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import ray

from jobs.attempts.tries import ActorLocation, NotLoaded, Try
from jobs.attempts.work import Work
from jobs.failures import VideoFailure
from jobs.workers.deadlines import ALL_TRIES_S
from schemas.failures import MediaIndexError, PreflightError
from schemas.usage import NO_USAGE, Usage

MAX_START_FAILURES = 3  # in a row, while no actor is at work
START_BACKOFF_S = 10.0
LOST_BACKOFF_S = 1.0  # after one whose machine went before it was at work
IDLE_KEPT_S = 60.0  # without a video for it; then its GPU is given back
PULSE_EVERY_S = 5.0
LOADING_MAY_TAKE_S = 3600.0
MISSED_PULSES = 24  # two minutes. Counted, not timed, so that a driver that stood still itself blames nobody


@dataclass
class ActorHandle:
    """One actor and what it holds: the video in flight and the one it reads ahead."""

    actor: Any
    in_flight: "ray.ObjectRef[Any]"  # of index_video, or of load while starting
    location: ActorLocation | None = None  # once its weights are loaded
    work: Work | None = None
    upcoming: Work | None = None
    started_at: datetime = datetime.min
    begun: float = 0.0  # the same on the monotonic clock
    pulse: "ray.ObjectRef[float] | None" = None  # asked, and not answered so far
    missed: int = 0  # times that it was looked for since
    there_since: float | None = None  # it has answered once: before, it may wait for a machine
    keeps_off: frozenset[str] = frozenset()  # nodes that it was told of
    idle_since: float = field(default_factory=time.monotonic)  # on the monotonic clock; or asked for

    @property
    def is_placed(self) -> bool:
        """Whether it has a machine, as far as is known by now."""
        return self.location is not None or self.there_since is not None

    @property
    def state(self) -> str:
        """The actor's state: waiting (for a machine), loading, idle or busy."""
        if not self.is_placed:
            return "waiting"
        if self.location is None:
            return "loading"
        return "busy" if self.work else "idle"

    def begin(self, left_out: frozenset[str] = frozenset()) -> None:
        """Hand `work` to the actor, which may read `upcoming` meanwhile, on no node that is left out."""
        if self.keeps_off != left_out:
            self.keeps_off = left_out
            self.actor.keep_off.remote(tuple(left_out))
        self.started_at, self.begun = datetime.now(UTC), time.monotonic()
        self.in_flight = self.actor.index_video.remote(self.work, self.upcoming)

    def feel_pulse(self, is_answered: bool) -> str | None:
        """Return why this actor is to be given up; `is_answered`: the pulse that was asked is there."""
        if self.pulse is None:
            self.pulse, self.missed = self.actor.pulse.remote(), 0
        elif not is_answered:
            self.missed += 1
            if self.there_since is not None and self.missed >= MISSED_PULSES:
                return f"no sign of life for {MISSED_PULSES * PULSE_EVERY_S:.0f} s"
        else:
            answered, self.pulse = self.pulse, None
            with suppress(ray.exceptions.RayError):  # it is dead: the call in flight says so, and why
                waiting_s, now = ray.get(answered), time.monotonic()
                self.there_since = self.there_since or now
                if waiting_s > ALL_TRIES_S:
                    return f"no pictures for {waiting_s / 3600:.0f} h"
                if self.location is None and now - self.there_since > LOADING_MAY_TAKE_S:
                    return f"its weights were not loaded within {LOADING_MAY_TAKE_S / 60:.0f} min"
        return None

    def tried(self, work: Work, usage: Usage = NO_USAGE, failure: VideoFailure | None = None) -> Try:
        """The try that is over as of now."""
        seconds = time.monotonic() - self.begun
        return Try(work.attempt, self.started_at, seconds, self.location, usage, failure)


class ActorPool:
    """Actors made by `start_actor`, at most `size` of them."""

    def __init__(self, start_actor: Callable[[], Any], size: int) -> None:
        self.handles: list[ActorHandle] = []
        self._start_actor = start_actor
        self._size = size
        self._start_failures = 0
        self._start_not_before = 0.0
        self._any_ready = False
        self._feel_not_before = 0.0

    @property
    def busy(self) -> list[ActorHandle]:
        """The actors with a video in flight."""
        return [handle for handle in self.handles if handle.work]

    def states(self) -> Counter[str]:
        """Count the actors that are waiting, loading, idle and busy."""
        return Counter(handle.state for handle in self.handles)

    def resize(self, size: int) -> None:
        """Set how many there should be."""
        self._size = size

    @property
    def num_placed(self) -> int:
        """The count of actors that have a machine."""
        return sum(handle.is_placed for handle in self.handles)

    def pending_s(self, now: float) -> float | None:
        """Seconds that the longest wait for a machine has lasted; None: no actor waits."""
        return max((now - one.idle_since for one in self.handles if not one.is_placed), default=None)

    def needless(self, num_waiting: int, now: float) -> list[ActorHandle]:
        """Actors without anything to do: those that wait for a machine, and those long idle. Ended, so that
        nodes are given back, and none is started for nothing."""
        held = sum((handle.work is not None) + (handle.upcoming is not None) for handle in self.handles)
        num_surplus = max(0, len(self.handles) - min(self._size, num_waiting + held))
        pending = [one for one in self.handles if not one.is_placed]
        idle = [
            one
            for one in self.handles
            if one.location and not (one.work or one.upcoming) and now - one.idle_since > IDLE_KEPT_S
        ]
        return [*pending, *idle][:num_surplus]

    def fill(self, num_waiting: int) -> None:
        """Start actors, not more than there is work for."""
        wanted = min(self._size, num_waiting + len(self.busy))
        while len(self.handles) < wanted and time.monotonic() >= self._start_not_before:
            actor = self._start_actor()
            self.handles.append(ActorHandle(actor, actor.load.remote()))

    def started(self, handle: ActorHandle, outcome: ActorLocation | NotLoaded) -> None:
        """Note that its weights are loaded, or cannot be. Raises `PreflightError` if they never could."""
        if isinstance(outcome, ActorLocation):
            handle.location, handle.idle_since = outcome, time.monotonic()
            self._any_ready = True
            self._start_failures = 0
        elif self._any_ready:
            self.remove(handle)
            self.start_failed(outcome.failure.message)
        else:
            failure = outcome.failure
            raise PreflightError(f"the model cannot be loaded: {failure.message}", failure.hint)

    def start_failed(self, why: str) -> None:
        """An actor did not get to work. Raises `MediaIndexError` where none ever does."""
        self._start_failures += 1
        self._start_not_before = time.monotonic() + START_BACKOFF_S * self._any_ready
        if self._start_failures >= MAX_START_FAILURES and not any(handle.location for handle in self.handles):
            raise MediaIndexError(
                f"model actors failed {self._start_failures} times in a row while loading: {why}",
                "Check the GPU and the host's memory, then repeat the command; what is committed stays.",
            )

    def lost_at_start(self) -> None:
        """Wait before the next start: an actor's machine went before it was at work, and others may, too."""
        self._start_not_before = time.monotonic() + LOST_BACKOFF_S

    def remove(self, handle: ActorHandle) -> None:
        """End an actor, so that its place is free for another."""
        self.handles.remove(handle)
        ray.kill(handle.actor)  # it may be unreachable rather than dead

    def stuck(self) -> list[tuple[ActorHandle, str]]:
        """Actors that are frozen or starved, and what shows it. They can say nothing themselves."""
        if time.monotonic() < self._feel_not_before:
            return []
        self._feel_not_before = time.monotonic() + PULSE_EVERY_S
        asked = [handle.pulse for handle in self.handles if handle.pulse]
        answered = set(ray.wait(asked, num_returns=len(asked), timeout=0)[0]) if asked else set()
        felt = [(handle, handle.feel_pulse(handle.pulse in answered)) for handle in self.handles]
        return [(handle, why) for handle, why in felt if why]

    def kill(self) -> None:
        """End all of them, whatever they are at."""
        for handle in self.handles:
            ray.kill(handle.actor)
