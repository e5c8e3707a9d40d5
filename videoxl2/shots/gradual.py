"""Which mixes are transitions: those between pictures of different structure, each once and as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from videoxl2.shots.bars import WHOLE, Inside, inside_bars
from videoxl2.shots.cuts import EMPTY
from videoxl2.shots.looks import correlation, detail, fine, neither, residual, some
from videoxl2.shots.mixes import Mix
from videoxl2.shots.reel import Reel
from videoxl2.shots.shift import best_shift
from videoxl2.shots.tiles import structure_changed

_Check = Callable[[Reel, int, int], "Gradual | None"]
_TRIES = 4  # mixes of one place that are looked at before it is given up
_FLAT = 6.0  # levels of deviation of a picture that shows nothing
_DIM, _FAINT = 0.4, 0.25  # of the deviation of a picture; the fainter shows next to nothing
_MOST_FAULT = 0.17  # of a dissolve between pictures that are not alike at all
_MOST_FADE_FAULT = 0.1
_SHORT_FADE_MS = 400  # a fade to nothing and back to the same picture takes longer
_MOST_WIPE_FAULT = 0.035
_BARS = 24  # pictures to either side that have the same bars


@dataclass(frozen=True)
class Gradual:
    """A dissolve or a fade over pictures `first` to `last`; `change` is how much of the structure did."""

    first: int
    last: int
    is_fade: bool
    change: float


def graduals_of(reel: Reel, mixes: Sequence[Mix]) -> list[Gradual]:
    """The transitions among mixes that are close together, in order; wipes only where nothing else is."""
    found = _best_first(reel, [mix for mix in mixes if not mix.is_wipe], _mixture)
    apart = [
        m for m in mixes if m.is_wipe and not any(m.first <= g.last and m.last >= g.first for g in found)
    ]
    found += _best_first(reel, apart, _wipe)
    return sorted(found, key=lambda gradual: gradual.first)


def _best_first(reel: Reel, mixes: Sequence[Mix], check: _Check) -> list[Gradual]:
    """What of the mixes stands a check of the pictures before and after; those of one place once."""
    rest = sorted(mixes, key=lambda mix: mix.fault)
    found: list[Gradual] = []
    tries = 0
    while rest and tries < _TRIES:
        tries += 1
        spans = [_hull(rest, 0.3, min), _hull(rest, 0.5, max), (rest[0].first, rest[0].last)]
        for first, last in dict.fromkeys(spans if rest[0].is_wipe else spans[:2]):
            gradual = check(reel, max(0, first - 1), min(len(reel) - 1, last + 1))
            if gradual is not None:
                found.append(gradual)
                tries = 0
                break
        rest = [m for m in rest if m.last < first or m.first > last]
    return found


def _hull(mixes: Sequence[Mix], share: float, of: Callable[[int, int], int]) -> tuple[int, int]:
    """From where to where the best mix and those reach that have such a share with it of the shorter or the
    longer of the two; the best comes first."""
    best = mixes[0]
    alike = [m for m in mixes if best.overlap(m) >= share * of(m.length, best.length)]
    core = [m for m in alike if m.middle >= 0.6 and not (m.is_wipe and m.uneven > 0.15)] or [best]
    return min(m.first for m in core), max(m.last for m in core)


def _mixture(reel: Reel, before: int, after: int) -> Gradual | None:
    """The fade or dissolve between two pictures, if there is one."""
    return _fade(reel, before, after) or _dissolve(reel, before, after)


def _dissolve(reel: Reel, before: int, after: int) -> Gradual | None:
    """The dissolve between two pictures, if there is one: all between are mixes, and the ends differ.

    The more one end looks like the other, moved or in another light, the better the mix must be.
    """
    first, last = _mixed(reel, before, after)
    before, after = first - 1, last + 1
    inside = _inside(reel, before, after)
    change = _changed(reel, before, after, inside)
    if change < 0.45 or min(reel.spread[before], reel.spread[after]) < EMPTY:
        return None
    looks = fine(reel, some(before, after), inside)
    details = detail(looks)
    fault = residual(looks) + 0.25 * residual(details)
    if fault > _MOST_FAULT + 0.05:
        return None
    moved = best_shift(reel.luma[before], reel.luma[after], inside).correlation
    if change < 0.62 and (fault > 0.03 or moved > 0.6):
        return None
    alike = max(-0.2 if last - first >= 8 else 0.0, moved - 0.4) + max(
        0.0, correlation(details[0], details[-1]) - 0.1
    )
    return Gradual(first, last, False, change) if fault <= _MOST_FAULT - 0.25 * alike else None


def _wipe(reel: Reel, before: int, after: int) -> Gradual | None:
    """The wipe between two pictures, if there is one: each place between shows the old or the new one."""
    first, last = _mixed(reel, before, after)
    before, after = first - 1, last + 1
    inside = _inside(reel, before, after)
    change = _changed(reel, before, after, inside)
    if change < 0.75 or neither(fine(reel, some(before, after), inside)) > _MOST_WIPE_FAULT:
        return None
    moved = best_shift(reel.luma[before], reel.luma[after], inside).correlation
    return Gradual(first, last, False, change) if moved <= 0.65 else None


def _fade(reel: Reel, before: int, after: int) -> Gradual | None:
    """The fade between two pictures, if one of those between, or at the ends, shows next to nothing.

    Where a picture fades and comes back as it was, that is none unless it was gone altogether.
    """
    low = before + int(reel.spread[before : after + 1].argmin())
    most = float(max(reel.spread[before], reel.spread[after]))
    if reel.spread[low] > max(_FLAT, _DIM * most):
        return None
    low = _local_least(reel, low)
    least = float(reel.spread[low])
    if least > max(_FLAT, _FAINT * most):
        return None
    before = _while_rising(reel, min(before, low), low, -1)
    after = _while_rising(reel, max(after, low), low, 1)
    out, back = (before, low), (low, after)
    parts = [part for part in (out, back) if _fades(reel, *part, least)]
    if not parts or any(residual(fine(reel, some(*p), WHOLE)) > _MOST_FADE_FAULT for p in parts):
        return None
    change = _changed(reel, before, after, _inside(reel, before, after))
    if least > _FLAT and (change < 0.5 or len(parts) < 2):
        return None
    if _is_flash(reel, before, after):
        return None
    first = _mixed(reel, *out)[0] if out in parts else low
    last = _mixed(reel, *back)[1] if back in parts else low
    return Gradual(first, last, True, change)


def _local_least(reel: Reel, at: int) -> int:
    """The emptiest picture that is reached by going on while they get emptier."""
    for way in (-1, 1):
        while 0 <= at + way < len(reel) and reel.spread[at + way] < reel.spread[at]:
            at += way
    return at


def _is_flash(reel: Reel, before: int, after: int) -> bool:
    """Whether the same picture is soon back, however suddenly it went or comes."""
    while before > 0 and reel.spread[before] < _FLAT:
        before -= 1
    while after + 1 < len(reel) and reel.spread[after] < _FLAT:
        after += 1
    if reel.start_ms[after] - reel.start_ms[before] >= _SHORT_FADE_MS:
        return False
    return _changed(reel, before, after, _inside(reel, before, after)) < 0.5


def _fades(reel: Reel, a: int, b: int, least: float) -> bool:
    """Whether there is something at one end, and a picture in between."""
    return b - a >= 2 and float(max(reel.spread[a], reel.spread[b])) > 2 * least + 4


def _while_rising(reel: Reel, end: int, low: int, way: int) -> int:
    """How far out from the emptiest picture the others still show more and more, from `end` on."""
    if abs(end - low) > 1 and float(reel.spread[end]) > 2 * float(reel.spread[low]) + 4:
        return end
    while 0 <= end + way < len(reel) and reel.spread[end + way] > 1.02 * reel.spread[end]:
        end += way
    return end


def _changed(reel: Reel, a: int, b: int, inside: Inside) -> float:
    return float(structure_changed(reel.luma, np.array([a]), np.array([b]), inside)[0, 0])


def _inside(reel: Reel, before: int, after: int) -> Inside:
    return inside_bars(reel.luma[max(0, before - _BARS) : after + _BARS])


def _mixed(reel: Reel, before: int, after: int) -> tuple[int, int]:
    """The first and the last picture that is a mix of these two."""
    way = reel.coarse[after] - reel.coarse[before]
    share = (reel.coarse[before : after + 1] - reel.coarse[before]) @ way / float(way @ way + 1e-6)
    mixed = np.flatnonzero((share > 0.05) & (share < 0.95))
    if not len(mixed):
        return before + 1, max(before + 1, after - 1)
    return before + int(mixed[0]), before + int(mixed[-1])
