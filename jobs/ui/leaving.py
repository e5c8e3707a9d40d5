"""The end of the process."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from jobs.cluster.session import LEAVING_THREAD

LOOP_THREAD = "driver loop"


def leave(code: int) -> NoReturn:
    """Exit; at once where the driver's loop, or its leaving, waits in a Ray that is frozen.

    An end in good order would wait for them, or complain on the terminal of what they hold.
    """
    if any(thread.name in (LOOP_THREAD, LEAVING_THREAD) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


@contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Take SIGTERM, with which schedulers stop a process, for Ctrl-C: it ends with words and in good order.

    A run that is at work handles both by itself. Without effect outside the main thread, and where whoever
    started the process has it ignored.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if not is_main or signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
