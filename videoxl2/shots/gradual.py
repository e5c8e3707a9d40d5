"""Which mixes are transitions: those between pictures of different structure, each once and as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from videoxl2.shots.bars import WHOLE, Inside, inside_bars
from videoxl2.shots.mixes import Mix
from videoxl2.shots.reel import Reel
from videoxl2.shots.shift import best_shift
from videoxl2.shots.tiles import changed, tiles_of

_TRIES = 4  # mixes of one place that are looked at before it is given up
_FLAT = 6.0  # levels of deviation of a picture that shows nothing
_FAINT = 0.25  # of the deviation of a picture, and it shows next to nothing
_MOST_FAULT = 0.17  # of a dissolve between pictures that are not alike at all
_MOST_FADE_FAULT = 0.1
_BARS = 24  # pictures to either side that have the same bars
_LOOKED_AT = 12  # pictures of a mix whose residual is taken in full


@dataclass(frozen=True)
class Gradual:
    """A dissolve or a fade over pictures `first` to `last`; `change` is how much of the structure did."""

    first: int
    last: int
    is_fade: bool
    change: float


def graduals_of(reel: Reel, mixes: Sequence[Mix]) -> list[Gradual]:
    """The transitions among mixes that are close together, in order."""
    rest = sorted(mixes, key=lambda mix: mix.fault)
    found: list[Gradual] = []
    tries = 0
    while rest and tries < _TRIES:
        tries += 1
        first, last = _hull(rest)
        before, after = max(0, first - 1), min(len(reel) - 1, last + 1)
        gradual = _fade(reel, before, after) or _dissolve(reel, before, after)
        if gradual is not None:
            found.append(gradual)
            tries = 0
        rest = [m for m in rest if m.last < first or m.first > last]
    return sorted(found, key=lambda gradual: gradual.first)


def _hull(mixes: Sequence[Mix]) -> tuple[int, int]:
    """From where to where the best mix and those reach that share enough with it; the best comes first."""
    best = mixes[0]
    alike = [m for m in mixes if best.overlap(m) >= 0.3 * min(m.length, best.length)]
    core = [m for m in alike if m.middle >= 0.6] or [best]
    return min(m.first for m in core), max(m.last for m in core)


def _dissolve(reel: Reel, before: int, after: int) -> Gradual | None:
    """The dissolve between two pictures, if there is one: all between are mixes, and the ends differ.

    The more one end looks like the other, moved or in another light, the better the mix must be.
    """
    first, last = _mixed(reel, before, after)
    before, after = first - 1, last + 1
    inside = _inside(reel, before, after)
    change = _changed(reel, before, after, inside)
    if change < 0.62:
        return None
    fine = _fine(reel, _some(before, after), inside)
    detail = _detail(fine)
    fault = _residual(fine) + 0.25 * _residual(detail)
    moved = best_shift(reel.luma[before], reel.luma[after], inside).correlation
    alike = max(0.0, moved - 0.4) + max(0.0, _correlation(detail[0], detail[-1]) - 0.1)
    return Gradual(first, last, False, change) if fault <= _MOST_FAULT - 0.25 * alike else None


def _fade(reel: Reel, before: int, after: int) -> Gradual | None:
    """The fade between two pictures, if one of those between, or at the ends, shows next to nothing.

    Where a picture fades and comes back as it was, that is none unless it was gone altogether.
    """
    low = before + int(reel.spread[before : after + 1].argmin())
    least = float(reel.spread[low])
    if least > max(_FLAT, _FAINT * float(max(reel.spread[before], reel.spread[after]))):
        return None
    before, after = _while_rising(reel, before, low, -1), _while_rising(reel, after, low, 1)
    out, back = (before, low), (low, after)
    parts = [part for part in (out, back) if _fades(reel, *part, least)]
    if not parts or any(_residual(_fine(reel, _some(*p), WHOLE)) > _MOST_FADE_FAULT for p in parts):
        return None
    change = _changed(reel, before, after, _inside(reel, before, after))
    if least > _FLAT and (change < 0.5 or len(parts) < 2):
        return None
    first = _mixed(reel, *out)[0] if out in parts else low
    last = _mixed(reel, *back)[1] if back in parts else low
    return Gradual(first, last, True, change)


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
    old, new = tiles_of(reel.luma[a : a + 1], inside), tiles_of(reel.luma[b : b + 1], inside)
    return float(changed(old, new)[0, 0])


def _inside(reel: Reel, before: int, after: int) -> Inside:
    return inside_bars(reel.luma[max(0, before - _BARS) : after + _BARS])


def _some(before: int, after: int) -> NDArray[np.intp]:
    """Both pictures, and some between."""
    return np.linspace(before, after, min(_LOOKED_AT, after - before - 1) + 2).round().astype(np.intp)


def _fine(reel: Reel, pictures: NDArray[np.intp], inside: Inside) -> NDArray[np.float32]:
    """Luma of half the size and chroma, as numbers in a row."""
    luma = inside.of(reel.luma[pictures]).astype(np.float32).reshape(-1, 18, 2, 32, 2).mean(axis=(2, 4))
    chroma = reel.chroma[pictures].astype(np.float32) * 0.7
    return np.concatenate([luma.reshape(len(luma), -1), chroma.reshape(len(luma), -1)], axis=1)


def _detail(fine: NDArray[np.float32]) -> NDArray[np.float32]:
    """What luma has beyond the mean of 5 x 5 pixels around each."""
    luma = fine[:, : 18 * 32].reshape(-1, 18, 32)
    padded = np.pad(luma, ((0, 0), (2, 2), (2, 2)), mode="edge")
    around = sliding_window_view(padded, (5, 5), axis=(1, 2))
    detail: NDArray[np.float32] = luma - around.mean(axis=(3, 4))
    return detail.reshape(len(fine), -1)


def _correlation(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(a @ b / np.sqrt((a @ a) * (b @ b) + 1e-6))


def _residual(pictures: NDArray[np.float32]) -> float:
    """The part of the change from first to last that the pictures between do not share."""
    way = pictures[-1] - pictures[0]
    square = float(way @ way) + 1e-6
    gone = pictures[1:-1] - pictures[0]
    share = gone @ way / square
    return float((np.einsum("np,np->n", gone, gone) - share**2 * square).mean() / square)


def _mixed(reel: Reel, before: int, after: int) -> tuple[int, int]:
    """The first and the last picture that is a mix of these two."""
    way = reel.coarse[after] - reel.coarse[before]
    share = (reel.coarse[before : after + 1] - reel.coarse[before]) @ way / float(way @ way + 1e-6)
    mixed = np.flatnonzero((share > 0.05) & (share < 0.95))
    if not len(mixed):
        return before + 1, max(before + 1, after - 1)
    return before + int(mixed[0]), before + int(mixed[-1])
