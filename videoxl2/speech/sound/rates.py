"""The rate at which sound was really taken, where the file's header says another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from statistics import median

_COMMON = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000)
_SPAN = 16  # frames that are measured together: one stamp alone is rounded
_FEWEST = 4  # measures that say something
_WRONG = Fraction(1, 25)
_NEAR = Fraction(3, 100)


@dataclass(frozen=True, slots=True)
class Stamped:
    """A frame of sound: its stamp in seconds, its samples, and the rate that it claims."""

    at_s: Fraction | None
    samples: int
    rate: int


def true_rate(frames: Sequence[Stamped]) -> int | None:
    """Samples a second by the stamps of a stream's first frames; None: as the frames say, or not to be told.

    The middle one of many measures counts, so that a gap among them changes nothing.
    """
    if not frames or any(frame.rate != frames[0].rate or frame.at_s is None for frame in frames):
        return None
    measures = list(_measures(frames))
    if len(measures) < _FEWEST:
        return None
    measured, said = median(measures), frames[0].rate
    if abs(measured / said - 1) <= _WRONG:
        return None
    near = [rate for rate in _COMMON if abs(measured / rate - 1) <= _NEAR]
    return near[0] if near else round(measured)


def _measures(frames: Sequence[Stamped]) -> Iterable[Fraction]:
    for begin, end in pairwise(range(0, len(frames), _SPAN)):
        first_s, last_s = frames[begin].at_s, frames[end].at_s
        if first_s is not None and last_s is not None and last_s > first_s:
            yield sum(one.samples for one in frames[begin:end]) / (last_s - first_s)
