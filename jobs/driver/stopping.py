"""What asks a run to end before its time: a signal, or the loss of its lease."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from schemas.failures import LeaseHeldError


@dataclass
class Stop:
    """Asks the driver loop to end, and remembers why."""

    event: threading.Event = field(default_factory=threading.Event)
    lost: LeaseHeldError | None = None

    def lose(self, error: LeaseHeldError) -> None:
        """Stop, as somebody else took the lease: what is in flight would be done twice."""
        self.lost = error
        self.event.set()


@contextmanager
def stop_on_signal(stop: threading.Event) -> Iterator[None]:
    """The first Ctrl-C or SIGTERM asks the run to stop; a second Ctrl-C ends it at once.

    Entered after Ray has started, and in the main thread.
    """

    def ask(signum: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
