"""Where the labels of captions begin to count: at the film's first picture, whose label is seldom zero.

A label counts pictures. It is taken apart without regard to whether drop-frame counting has it, as the film
may count in another way.
"""

import re
from collections.abc import Iterable, Iterator

from videoxl2.captions.times import Counting
from videoxl2.frames.probing.media_info import MediaInfo

_LABEL = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.,])(\d{2,3})", re.ASCII)


def origin_of(numbers: Iterable[int], counting: Counting, film: MediaInfo, own: int | None = None) -> int:
    """The number that the film's first picture has, where cues begin at `numbers`.

    That is its own label, `own` (what the file of captions says), nothing, or else whole hours: the first of
    these by which all cues begin in the film, or the first of them does. If it never does, `own` or nothing.
    """
    told = list(numbers) or [0]
    first, last = min(told), max(told)
    starts = [start for start in _starts(first, counting, film, own) if start <= first]
    for latest in (last, first):
        for start in starts:
            if counting.ms(latest - start) < film.duration_ms:
                return start
    return own if own is not None and own <= first else 0


def _starts(first: int, counting: Counting, film: MediaInfo, own: int | None) -> Iterator[int]:
    label = _LABEL.fullmatch(film.start_timecode or "")
    if label:
        hours, minutes, seconds, frames = (int(label[group]) for group in (1, 2, 3, 5))
        per_second = round(film.timecode_rate or film.fps) or 1
        yield counting.number(hours, minutes, seconds, frames * counting.per_second // per_second)
    if own is not None:
        yield own
    yield 0
    yield counting.number(first // counting.number(1, 0, 0, 0), 0, 0, 0)
