"""How long tasks may take before they are taken to hang, and what ends them then."""

import faulthandler
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from jobs.signals.signal import USUAL_LOOK, Look, Signal
from jobs.signals.watching import shares_of

READ_DEADLINE_S = 3600.0  # a span that takes longer to read hangs in a codec
NUM_TRIES = 3  # of a task, Ray's retries included
ALL_TRIES_S = NUM_TRIES * READ_DEADLINE_S  # longer waits only who waits for a frozen task
_TIMES_SLOWER = 20  # than signals say of themselves: on an old machine that has much else to do
_FEWEST_BITS = 64_000  # a second of video, which is less than its sound alone takes


@contextmanager
def killed_when_hanging(after_s: float = READ_DEADLINE_S) -> Iterator[None]:
    """End this process if what is inside takes far too long.

    A codec that hangs holds the interpreter, so nothing less helps; Ray sees a crash.
    """
    faulthandler.dump_traceback_later(after_s, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def longest_s(signals: Iterable[Signal], hours: float, look: Look = USUAL_LOOK) -> float:
    """Seconds after which reading these off a video of so many hours hangs."""
    return READ_DEADLINE_S + _TIMES_SLOWER * sum(shares_of(signals, 1, hours, look=look))


def patience_s(signals: Iterable[Signal], size_bytes: int) -> float:
    """Seconds that all tries of a task take at most that reads these, whatever the length of the video is."""
    hours = size_bytes * 8 / _FEWEST_BITS / 3600
    return ALL_TRIES_S + NUM_TRIES * (longest_s(signals, hours) - READ_DEADLINE_S)
