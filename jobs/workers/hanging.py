"""A deadline for the model's own work on one video, against calls that never come back.

A GPU call that hangs may hold the interpreter, so a thread of C code ends the process; the driver sees an
actor that died with this video in its hands.
"""

import faulthandler
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

# Some ten times what the slowest supported GPU needs, so that only a call that hangs is ever met.
BASE_S = 900.0
FRAME_S, FRAME_AREA = 1.0, 384 * 384  # of a picture of so many pixels, or fewer
TOKEN_S = 0.5
CPU_FACTOR = 20.0  # a CPU is for the small checkpoint, but somebody will have the patience


def allowed_seconds(device: str, num_frames: int, num_tokens: int, area: int = FRAME_AREA) -> float:
    """Seconds for a video of so many pictures of `area` pixels, of which at most `num_tokens` are asked."""
    frames = num_frames * max(1.0, area / FRAME_AREA)
    seconds = BASE_S + FRAME_S * frames + TOKEN_S * num_tokens
    return seconds * (CPU_FACTOR if device == "cpu" else 1.0)


class HangGuard:
    """A guard that ends this process, in a `with`, after `seconds` of the model's work. One at a time in a
    process."""

    def __init__(self, seconds: float) -> None:
        self._left = seconds
        self._since = 0.0

    def __enter__(self) -> "HangGuard":
        self._resume()
        return self

    def __exit__(self, *_: object) -> None:
        self._pause()

    def pausing(self, spans: Iterable[T]) -> Iterator[T]:
        """The same; while one is waited for, no time is counted: readers have a deadline of their own."""
        waited_for = iter(spans)
        while True:
            self._pause()
            try:
                span = next(waited_for)
            except StopIteration:
                return
            finally:
                self._resume()
            yield span

    def _resume(self) -> None:
        self._since = time.monotonic()
        faulthandler.dump_traceback_later(max(self._left, 1.0), exit=True, file=sys.__stderr__ or 2)

    def _pause(self) -> None:
        faulthandler.cancel_dump_traceback_later()
        self._left -= time.monotonic() - self._since
