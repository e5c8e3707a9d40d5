"""The loop in a thread of its own, under watch: a call into a Ray that has died never comes back, and while
the main thread waits in it, no signal is handled and nobody ends the run.

See docs/decisions/0006-a-run-outlives-ray.md.
"""

import threading
from collections.abc import Callable
from typing import ParamSpec, Protocol

from jobs.cluster.joining import Cluster
from jobs.cluster.vital_signs import ClusterLostError
from jobs.settings.limits import Ending
from jobs.ui.leaving import LOOP_THREAD
from schemas.failures import MediaIndexError

P = ParamSpec("P")

LOOK_EVERY_S = 0.5
RAY_MAY_TAKE_S = 10.0
LOOP_MAY_TAKE_S = 5.0  # to see by itself that Ray is gone, where it does not wait for Ray


class Loop(Protocol):
    """Interface of the loop that is watched."""

    def run(self, stop: threading.Event) -> Ending:
        """Run to the end."""

    def abandon(self) -> None:
        """Settle what is under way as given up, from another thread, without Ray."""


class _LoopThread(threading.Thread):
    """Keeps what the loop came to. `done` is to be waited for: where an interrupt breaks off a `join`,
    Python 3.11 takes the thread for ended."""

    def __init__(self, loop: Loop, stop: threading.Event) -> None:
        super().__init__(name=LOOP_THREAD, daemon=True)
        self._loop, self._stop_asked = loop, stop
        self.done = threading.Event()
        self.ending: Ending | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.ending = self._loop.run(self._stop_asked)
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()


def supervise(loop: Loop, cluster: Cluster, stop: threading.Event) -> Ending:
    """Run the loop. Raises what it raises, and `ClusterLostError` soon after Ray has died, unless it was to
    stop anyway: who ends a whole group of processes ends Ray's too.

    To be called in the main thread: signals are handled at once, whatever the loop waits for. The first
    KeyboardInterrupt asks the loop to stop, a second one is raised.
    """
    thread = _LoopThread(loop, stop)
    thread.start()
    try:
        while not thread.done.is_set():
            try:
                cluster.check()
                thread.done.wait(LOOK_EVERY_S)
            except KeyboardInterrupt:
                if stop.is_set():
                    loop.abandon()
                    raise
                stop.set()
        if thread.error:
            if not isinstance(thread.error, MediaIndexError):
                cluster.check_for(RAY_MAY_TAKE_S)  # to die, of which a broken pipe may be the first sign
            raise thread.error
    except ClusterLostError:
        if not thread.done.wait(LOOP_MAY_TAKE_S):
            loop.abandon()
        if stop.is_set():
            return Ending.STOPPED
        raise
    assert thread.ending is not None
    return thread.ending


class OneHand:
    """Lets one thread at a time through to the settler, and after a takeover no other one: a loop that was
    abandoned in a call into Ray may yet wake up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: int | None = None

    def take_over(self) -> None:
        """Make this thread the only one that settles, once what is being settled is."""
        with self._lock:
            self._owner = threading.get_ident()

    def do(self, settle: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """Call it, if this thread may."""
        with self._lock:
            if self._owner in (None, threading.get_ident()):
                settle(*args, **kwargs)
