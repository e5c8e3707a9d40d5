"""SCC: CEA-608 codes in hexadecimal under timecode labels, one code for each picture from the label on."""

import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from videoxl2.captions.cea608 import Channels
from videoxl2.captions.settling import Written
from videoxl2.captions.sidecars.origins import origin_of
from videoxl2.captions.times import Counting
from videoxl2.frames.probing.media_info import MediaInfo

_RATE = Fraction(30000, 1001)  # whatever the film has
_LINE = re.compile(r"\s*(\d\d):(\d\d):(\d\d)([:;.,])(\d\d)\s+([0-9a-fA-F \t]+)", re.ASCII)
_WORD = re.compile(r"\b[0-9a-fA-F]{4}\b")
_MAX_CODES = 3_000_000  # pictures of 28 hours
_VALID = b"\x04"  # of the first field, as ATSC A/53 has it


_Line = tuple[tuple[int, int, int, int], list[bytes], bool]


class Scenarist(NamedTuple):
    """The captions of an SCC file; `offset_ms` was taken off the labels. `num_channels`: cues are those of
    the first that has any."""

    cues: list[Written]
    offset_ms: int
    num_channels: int


def scenarist_cues(text: str, film: MediaInfo) -> Scenarist:
    """Cues from when a code shows them until another one takes them away."""
    lines = list(_within(_lines(text)))
    counting = Counting(30, _RATE, any(is_drop for *_, is_drop in lines))
    numbered = [(counting.number(*label), codes) for label, codes, _ in lines]
    origin = origin_of((number for number, _ in numbered), counting, film)
    channels = Channels(doubled_within=1)
    for number, codes in numbered:
        for place, code in enumerate(codes):
            channels.note(number - origin + place, _VALID + code)
    film_end = int(film.duration_ms * _RATE / 1000) + 1
    written = channels.written(film_end)
    cues = next(iter(written.values()), [])
    return Scenarist([_in_ms(cue, counting) for cue in cues], counting.ms(origin), len(written))


def _within(lines: Iterable[_Line]) -> Iterator[_Line]:
    num_codes = 0
    for line in lines:
        num_codes += len(line[1])
        if num_codes > _MAX_CODES:
            return
        yield line


def _lines(text: str) -> Iterator[_Line]:
    """Labels, the codes below them, and whether a label is drop-frame."""
    for line in io.StringIO(text, newline=None):
        if found := _LINE.match(line):
            hours, minutes, seconds, frames = (int(found[group]) for group in (1, 2, 3, 5))
            codes = [bytes.fromhex(word) for word in _WORD.findall(found[6])]
            yield (hours, minutes, seconds, frames), codes, found[4] in ";,"


def _in_ms(cue: Written, counting: Counting) -> Written:
    end_ms = None if cue.end_ms is None else counting.ms(cue.end_ms)
    return replace(cue, start_ms=counting.ms(cue.start_ms), end_ms=end_ms)
