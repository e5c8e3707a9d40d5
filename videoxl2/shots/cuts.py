"""Cuts: where two neighbouring pictures differ far more than those around them, and nothing comes back.

Whatever returns within 0.2 s is no cut (flashes, strobes, glitches), nor is what keeps its structure (lights,
letterbox, lower thirds, a picture in the picture) or only moves (whip pans, shakes).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from videoxl2.shots.bars import Inside, inside_bars
from videoxl2.shots.reel import Reel, distances
from videoxl2.shots.shift import best_shift
from videoxl2.shots.tiles import changed, tiles_of

_NEIGHBOURS = 8  # changes on either side of one that say what is usual there
_LEAST, _TIMES_USUAL = 2.5, 2.2  # levels of change, and how often the usual one
_LOOK_MS, _LOOKED_AT = 200, 6  # how far to either side it is compared, and how many pictures there
_BARS_MS = 1000  # how long bars must have been there, and stay
_LEAST_OF_STILLS, _STILL, _VISIBLE = 1.2, 0.3, 10  # levels; see `_is_slide`
_REACH = (12, 24)  # rows and columns that the change from slide to slide reaches over
EMPTY = 5.0  # levels of deviation; a picture below it shows nothing


@dataclass(frozen=True)
class Cut:
    """The cut before picture `at`. `levels` is the difference between the two pictures, `change` the share of
    the structure that changed for good. A sharp cut is most of what happens around it; within a dissolve none
    is."""

    at: int
    is_slide: bool
    is_sharp: bool
    levels: float
    change: float


def find_cuts(reel: Reel, first: int, stop: int) -> list[Cut]:
    """Those before pictures `first` to `stop`; the reel should hold two seconds to either side."""
    usual = _usual_change(reel.change, first, stop)
    change = reel.change[first:stop]
    steep = (change > _LEAST) & (change > _TIMES_USUAL * np.maximum(usual, 0.8))
    steep |= (change > _LEAST_OF_STILLS) & (usual < 0.1)
    found = (_cut_at(reel, first + int(n), float(usual[n])) for n in np.flatnonzero(steep))
    return [cut for cut in found if cut is not None]


def _usual_change(change: NDArray[np.float32], first: int, stop: int) -> NDArray[np.float32]:
    """The lower median of the changes around each, itself left out; the film's first picture has none."""
    padded = np.concatenate(
        [np.full(_NEIGHBOURS, np.inf), change[1:], np.full(_NEIGHBOURS + 1, np.inf)]
    ).astype(np.float32)
    windows = sliding_window_view(padded, 2 * _NEIGHBOURS + 1)
    around = np.delete(windows[max(first, 1) - 1 : stop - 1], _NEIGHBOURS, axis=1)
    around = np.sort(around, axis=1)
    known = np.isfinite(around).sum(axis=1)
    median = around[np.arange(len(around)), np.maximum(known - 1, 0) // 2]
    median[known == 0] = 0
    return np.concatenate([np.zeros(stop - first - len(median), np.float32), median])


def _cut_at(reel: Reel, at: int, usual: float) -> Cut | None:
    """The cut there, if it is one."""
    step_ms = reel.step_ms(at - _NEIGHBOURS, at + _NEIGHBOURS)
    before, after = _looked_at(at, step_ms, len(reel))
    change = float(reel.change[at])
    inside = _inside(reel, at, step_ms)
    old, new = tiles_of(reel.luma[before], inside), tiles_of(reel.luma[after], inside)
    structure = float(changed(old, new).min())
    is_empty = min(float(reel.spread[at - 1]), float(reel.spread[at])) < EMPTY
    change /= inside.share
    if not is_empty and structure < 0.08:
        return None
    apart = distances(reel, before, after) / inside.share
    if apart.min() < 0.4 * (change if is_empty else min(change, 60)):
        return None
    cut = Cut(at, False, change > 0.6 * float(apart.max()), change, structure)
    if is_empty:
        return cut if change > 8 else None
    is_clear = structure >= 0.62 or (structure >= 0.52 and change > 15 * max(usual, 1.0))
    if is_clear and change > 4:
        return None if _is_moved(reel, at, inside) else cut
    return replace(cut, is_slide=True) if _is_slide(reel, at, inside) else None


def _is_slide(reel: Reel, at: int, inside: Inside) -> bool:
    """Whether one still gives way to another: nothing else changes, and what does is all over the picture."""
    others = np.delete(reel.change[max(1, at - _NEIGHBOURS) : at + _NEIGHBOURS + 1], min(_NEIGHBOURS, at - 1))
    if not len(others) or others.max() > _STILL:
        return False
    pair = inside.of(reel.luma[at - 1 : at + 1]).astype(np.int16)
    rows, columns = np.nonzero(np.abs(pair[1] - pair[0]) > _VISIBLE)
    if not len(rows) or np.ptp(rows) < _REACH[0] or np.ptp(columns) < _REACH[1]:
        return False
    shift = best_shift(reel.luma[at - 1], reel.luma[at], inside)
    return not (shift.is_move and shift.correlation > 0.78)


def _looked_at(at: int, step_ms: float, stop: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Some pictures before and after, the nearest first; at least two each where there are."""
    reach = max(2, round(_LOOK_MS / step_ms))
    away = np.unique(np.linspace(0, reach - 1, min(reach, _LOOKED_AT)).round().astype(np.intp))
    before, after = at - 1 - away, at + away
    return before[before >= 0], after[after < stop]


def _inside(reel: Reel, at: int, step_ms: float) -> Inside:
    """What is inside of the bars that were there and of those that are: bars alone make no cut."""
    reach = min(128, max(2, round(_BARS_MS / step_ms)))
    return inside_bars(reel.luma[max(0, at - reach) : at]).and_of(inside_bars(reel.luma[at : at + reach]))


def _is_moved(reel: Reel, at: int, inside: Inside) -> bool:
    """Whether the picture is the one before, only elsewhere or in another light.

    The less of the two overlaps, the better that part must agree.
    """
    shift = best_shift(reel.luma[at - 1], reel.luma[at], inside)
    if shift.correlation <= 0.8 + 0.2 * (1 - shift.overlap):
        return False
    apart = _histograms_apart(reel, at)
    return (shift.is_move and apart < 0.3) or (shift.correlation > 0.88 and apart < 0.15)


def _histograms_apart(reel: Reel, at: int) -> float:
    """Mean share of pixels, of Y, U and V, that lie in another of 16 bands than in the picture before."""
    planes = [reel.luma, reel.chroma[:, 0], reel.chroma[:, 1]]
    return sum(_bands_apart(plane[at - 1], plane[at]) for plane in planes) / 3


def _bands_apart(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    bands = [np.bincount((part >> 4).ravel(), minlength=16) for part in (a, b)]
    return 0.5 * float(np.abs(bands[0] - bands[1]).sum()) / a.size
