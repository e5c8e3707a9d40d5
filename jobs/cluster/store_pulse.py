"""Whether Ray's control store answers. A frozen one keeps its port open: Ray itself notices nothing, and
calls into Ray wait for ever.
"""

import threading
import time
from collections.abc import Callable

ASK_S = 10.0
ASK_EVERY_S = 5.0
MOST_MISSED = 6  # in a row, more than a minute. Counted, not timed: a driver that stood still blames nobody
_NEARLY = 0.9  # of the time that was given: a call that fails earlier got an answer, or found nobody


class StorePulse:
    """Asks again and again, in a thread of its own. `ask` waits for as many seconds as it is given, then
    raises."""

    def __init__(self, ask: Callable[[float], object], ask_s: float = ASK_S, every_s: float = ASK_EVERY_S):
        self._ask, self._ask_s, self._every_s = ask, ask_s, every_s
        self._missed = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="pulse of Ray's control store", daemon=True)
        self._thread.start()

    def death(self) -> str | None:
        """Return what Ray died of; quick, and safe from any thread."""
        missed = self._missed
        if missed < MOST_MISSED:
            return None
        return f"its control store (GCS) did not answer {missed} times in a row, for {self._ask_s:.0f} s each"

    def end(self) -> None:
        """Ask no more; waits for an answer that is under way."""
        self._ended.set()
        self._thread.join(2 * self._ask_s)

    def _watch(self) -> None:
        while not self._ended.wait(self._every_s):
            begun = time.monotonic()
            try:
                self._ask(self._ask_s)
            except Exception:
                self._missed += time.monotonic() - begun >= _NEARLY * self._ask_s
            else:
                self._missed = 0
