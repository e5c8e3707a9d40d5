"""About one picture a second: those on screen at even instants, picked from all or read by themselves."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil

from videoxl2.frames.files.container import Limits
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.files.packets import Damage
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.choosing.sampling import SamplingGrid
from videoxl2.frames.reading.choosing.targets import FrameFlag, Pick
from videoxl2.frames.reading.film import FilePath
from videoxl2.frames.reading.reader import read_answers

_STEP_MS = 1000
_MOST_PICTURES = 36_000  # ten hours; longer films are looked at more rarely
_NO_PICTURE = FrameFlag.HELD | FrameFlag.CORRUPT | FrameFlag.SUBSTITUTE

Shown = tuple[Picture, int]  # a picture, and the millisecond from which it is shown


class OnScreen:
    """Picks from all pictures of a film those on screen at an instant, but for damaged ones."""

    def __init__(self, info: MediaInfo) -> None:
        self._step_ms, self._end_ms = step_ms_of(info), info.duration_ms
        self._last: Shown | None = None

    def add(self, picture: Picture, at_ms: int) -> Shown | None:
        """Take the next picture; returns the one before it, if that was on screen at an instant."""
        picked = self._picked(at_ms)
        self._last = (picture, at_ms)
        return picked

    def rest(self) -> Shown | None:
        """Return the last picture, if it is on screen at an instant. Later calls return None."""
        picked, self._last = self._picked(self._end_ms), None
        return picked

    def _picked(self, until_ms: int) -> Shown | None:
        if self._last is None or self._last[0].is_damaged:
            return None
        passed = ceil(until_ms / self._step_ms) > ceil(self._last[1] / self._step_ms)
        return self._last if passed else None


def sampled_pictures(path: FilePath, info: MediaInfo, limits: Limits) -> Iterator[Shown]:
    """The same pictures, without decoding what lies between them where the codec allows.

    Raises `MediaError` as `read_span` does.
    """
    step_ms = step_ms_of(info)
    grid = SamplingGrid(Fraction(step_ms, 1000), max(1, ceil(info.duration_ms / step_ms)))
    held = replace(limits, max_hold_s=limits.max_duration_s)
    for answer in read_answers(path, info, grid, grid.spans(grid.num_targets), held, Damage()):
        if isinstance(answer, Pick) and not answer.flags & _NO_PICTURE:
            yield answer.picture, answer.pts_ms


def step_ms_of(info: MediaInfo) -> int:
    """Milliseconds between two instants."""
    return max(_STEP_MS, ceil(info.duration_ms / _MOST_PICTURES))
