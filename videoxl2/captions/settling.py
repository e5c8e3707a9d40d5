"""Cues as written to cues as they are shown: in order, inside the film, each with an end."""

from bisect import bisect_right
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from videoxl2.captions.records import Cue

MAX_CUES = 1_000_000  # of a track; a film of two hours has some two thousand
MAX_BYTES = 64 << 20  # of a track's texts

_LONGEST_GUESS_MS = 5_000
_STRAY_SHARE = 10  # one in so many cues may lie behind the film's end
_WHOLE_SHARE = 3  # captions that end before one part in so many of the film are another's


@dataclass(frozen=True, slots=True)
class Written:
    """A cue as its source has it, counted from the film's first picture. Without an end: it is not said."""

    start_ms: int
    end_ms: int | None
    text: str
    speaker: str | None = None


class Settled(NamedTuple):
    """Cues in order of their start, how many were left out, and what was odd (see `Track.warnings`)."""

    cues: tuple[Cue, ...]
    num_dropped: int
    warnings: tuple[str, ...]


def settle(
    written: Iterable[Written], film_ms: int, is_whole: bool = False, max_cues: int = MAX_CUES
) -> Settled:
    """Put cues of one track in order and inside a film of `film_ms`; drop those without text or outside it.

    An end that is missing, or not after its start, becomes the next cue's start, five seconds at most.
    `is_whole`: the track is to go with all of the film, so one that ends much before it is another film's.
    """
    told = list(written)
    said = sorted((cue for cue in told if cue.text), key=lambda cue: cue.start_ms)
    kept = said[:max_cues]
    starts = [cue.start_ms for cue in kept]
    cues = tuple(shown for cue in kept if (shown := _shown(cue, starts, film_ms)) is not None)
    found = {
        "other_film": _is_of_another(kept, cues, film_ms, is_whole),
        "too_many_cues": len(kept) < len(said),
    }
    return Settled(cues, len(told) - len(cues), tuple(word for word, is_so in found.items() if is_so))


def join_touching(cues: Iterable[tuple[Hashable, Written]]) -> list[Written]:
    """Cues of one key and the same words that follow each other without a gap, as one cue.

    For formats that say a cue again wherever something about its looks, or another cue, changes.
    """
    joined: list[Written] = []
    last: dict[Hashable, int] = {}
    for key, cue in cues:
        same = (key, cue.speaker, cue.text)
        at = last.get(same)
        before = joined[at] if at is not None else None
        if at is None or before is None or not _touches(before, cue):
            last[same] = len(joined)
            joined.append(cue)
        elif cue.end_ms is not None and before.end_ms is not None:
            joined[at] = replace(before, end_ms=max(before.end_ms, cue.end_ms))
    return joined


def _touches(before: Written, cue: Written) -> bool:
    if before.end_ms is None or cue.end_ms is None:
        return False
    return before.start_ms <= cue.start_ms <= before.end_ms


def _shown(cue: Written, starts: list[int], film_ms: int) -> Cue | None:
    """None: not during the film. `starts` are sorted, those of all cues."""
    is_said = cue.end_ms is not None and cue.end_ms > cue.start_ms
    end_ms = cue.end_ms if is_said and cue.end_ms is not None else _guessed_end(cue.start_ms, starts)
    start_ms, end_ms = max(0, cue.start_ms), min(end_ms, film_ms)
    return Cue(start_ms, end_ms, cue.text, cue.speaker, not is_said) if start_ms < end_ms else None


def _guessed_end(start_ms: int, starts: list[int]) -> int:
    following = bisect_right(starts, start_ms)
    latest = start_ms + _LONGEST_GUESS_MS
    return min(starts[following], latest) if following < len(starts) else latest


def _is_of_another(kept: list[Written], cues: tuple[Cue, ...], film_ms: int, is_whole: bool) -> bool:
    num_behind = sum(cue.start_ms >= film_ms for cue in kept)
    ends_early = is_whole and bool(cues) and max(cue.end_ms for cue in cues) * _WHOLE_SHARE < film_ms
    return num_behind * _STRAY_SHARE > len(kept) or ends_early
