"""Cuts: where two neighbouring pictures differ far more than those around them, and nothing comes back.

Whatever returns within 0.2 s is no cut (flashes, strobes, glitches), nor is what keeps its structure (lights,
letterbox, lower thirds, a picture in the picture) or only moves (whip pans, shakes).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from videoxl2.shots.bars import WHOLE, Inside, inside_bars
from videoxl2.shots.looks import fine, residual
from videoxl2.shots.reel import Reel, distances
from videoxl2.shots.shift import best_shift
from videoxl2.shots.tiles import structure_changed

_NEIGHBOURS = 8  # changes on either side of one that say what is usual there
_LEAST, _TIMES_USUAL = 2.5, 2.2  # levels of change, and how often the usual one
_LOOK_MS, _LOOKED_AT = 200, 6  # how far to either side it is compared, and how many pictures there
_LEAST_OF_STILLS = 1.2  # levels, where nothing else changes
_STILL, _VISIBLE = 0.3, 10  # levels; less is noise, of a picture and of a pixel
_SLIDE_CHANGE, _NEW_STILL_CHANGE = 0.08, 0.42  # share of the structure, from still to still
_STILL_FOR = 6  # pictures on either side
_HELD_MS = 1500  # a picture shown that long is a still by itself
_LEAST_TILES = 10  # of 48, in three rows of them or more, that another page changes
_INSET, _FILLED = 0.6, 0.5  # an inset is a smaller share of the picture, and more of it changes
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
    """Find the cuts before pictures `first` to `stop`; the reel should hold two seconds to either side."""
    usual = _usual_change(reel.change, first, stop)
    change = reel.change[first:stop]
    usual[_shown_ms(reel, np.arange(first, stop) - 1) >= _HELD_MS] = 0
    steep = (change > _LEAST) & (change > _TIMES_USUAL * np.maximum(usual, 0.8))
    steep |= (change > _LEAST_OF_STILLS) & (usual < 0.1)
    found = (_cut_at(reel, first + int(n), float(usual[n])) for n in np.flatnonzero(steep))
    return [cut for cut in found if cut is not None]


def _cut_at(reel: Reel, at: int, usual: float) -> Cut | None:
    """The cut before a picture, or around it if it is a mix of its neighbours, as changed rates make them."""
    sharp = _cut_between(reel, at - 1, at, float(reel.change[at]), usual)
    if sharp is not None or at + 1 >= len(reel):
        return sharp
    halves = reel.change[at : at + 2]
    whole = float(distances(reel, np.array([at - 1]), np.array([at + 1]))[0, 0])
    if halves.min() < 0.25 * halves.max() or halves.sum() > 1.15 * whole:
        return None
    if residual(fine(reel, at + np.arange(-1, 2), WHOLE)) > 0.03:
        return None
    soft = _cut_between(reel, at - 1, at + 1, whole, usual)
    return None if soft is None or soft.is_slide else replace(soft, at=at + int(halves.argmax()))


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


def _cut_between(reel: Reel, last: int, first: int, levels: float, usual: float) -> Cut | None:
    """The cut between the last picture of one shot and the first of another, if it is one; `levels` apart."""
    step_ms = reel.step_ms(first - _NEIGHBOURS, first + _NEIGHBOURS)
    is_empty = float(reel.spread[[last, first]].min()) < EMPTY
    before, after = _looked_at(last, first, _LOOK_MS * (1 + is_empty) / step_ms, len(reel))
    is_held = _shown_ms(reel, np.array([last, first])) >= _HELD_MS
    before, after = before[: 1 if is_held[0] else None], after[: 1 if is_held[1] else None]
    inside = inside_bars(reel.luma[before]).and_of(inside_bars(reel.luma[after]))  # bars alone make no cut
    levels /= inside.share
    change = float(structure_changed(reel.luma, before, after, inside).min())
    if not is_empty and change < _SLIDE_CHANGE:
        return None
    apart = distances(reel, before, after) / inside.share
    is_sharp = levels > 0.6 * float(apart.max())
    cut = Cut(first, False, is_sharp, levels, change)
    is_back = bool(apart.min() < 0.4 * (levels if is_empty else min(levels, 60)))
    if is_empty:
        return cut if is_sharp and levels > 8 and (change >= 0.62 or not is_back) else None
    if is_back:
        return None
    if levels > 4 and change >= _least_change(reel, last, first, levels * inside.share, usual):
        return None if _is_moved(reel, last, first, inside) else cut
    if change < _SLIDE_CHANGE or not (is_held.all() or _nothing_else_changes(reel, first)):
        return None
    if not _is_new_page(reel, last, first, inside):
        return None
    return replace(cut, is_slide=change < _NEW_STILL_CHANGE)


def _least_change(reel: Reel, last: int, first: int, levels: float, usual: float) -> float:
    """How much of the structure must change.

    More where a fast move begins; less where all is quiet, even less if the light stays as it is, as it does
    where a piece of a shot was left out.
    """
    if _shown_ms(reel, np.array([last]))[0] >= _HELD_MS:
        return 0.62
    next_to_it = max(reel.change[last], *reel.change[first + 1 : first + 2], 0.0)
    if next_to_it > 0.75 * levels:
        return 0.86 if _histograms_apart(reel, last, first) < 0.3 else 0.75
    times = levels / max(usual, 1.0)
    if times > 10 and _histograms_apart(reel, last, first) < 0.15:
        return 0.5
    return 0.52 if times > 15 else 0.62


def _nothing_else_changes(reel: Reel, at: int) -> bool:
    """Whether both pictures are stills, each of several pictures."""
    others = np.delete(reel.change[max(1, at - _STILL_FOR) : at + _STILL_FOR + 1], min(_STILL_FOR, at - 1))
    return bool(len(others) and others.max() <= _STILL)


def _is_new_page(reel: Reel, last: int, first: int, inside: Inside) -> bool:
    """Whether what changes from still to still is all over the picture, and has not just moved.

    An inset fills its own part of the picture and leaves the rest.
    """
    pair = inside.of(reel.luma[[last, first]]).astype(np.int16)
    is_visible = np.abs(pair[1] - pair[0]) > _VISIBLE
    tiles = is_visible.reshape(6, 6, 8, 8).any(axis=(1, 3))
    if tiles.sum() < _LEAST_TILES or tiles.any(axis=1).sum() < 3:
        return False
    rows, columns = np.nonzero(is_visible)
    box = (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
    if box < _INSET * 36 * 64 and len(rows) > _FILLED * box:
        return False
    shift = best_shift(reel.luma[last], reel.luma[first], inside)
    return not (shift.is_move and shift.correlation > 0.78)


def _shown_ms(reel: Reel, pictures: NDArray[np.intp]) -> NDArray[np.int64]:
    """How long each is shown; 0 where that is not known, as of the last one."""
    following = np.minimum(pictures + 1, len(reel) - 1)
    return np.where(pictures < 0, 0, reel.start_ms[following] - reel.start_ms[pictures])


def _looked_at(last: int, first: int, reach: float, stop: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Some pictures before and after, the nearest first; at least two each where there are."""
    away = _away(max(2, round(reach)))
    before, after = last - away, first + away
    return before[before >= 0], after[after < stop]


@cache
def _away(num: int) -> NDArray[np.intp]:
    """How far they are from the nearest of so many."""
    return np.unique(np.linspace(0, num - 1, min(num, _LOOKED_AT)).round().astype(np.intp))


def _is_moved(reel: Reel, last: int, first: int, inside: Inside) -> bool:
    """Whether the second picture is the first, only elsewhere or in another light.

    The less of the two overlaps, the better that part must agree.
    """
    shift = best_shift(reel.luma[last], reel.luma[first], inside)
    if shift.correlation <= 0.84 + 0.12 * (1 - shift.overlap):
        return False
    apart = _histograms_apart(reel, last, first)
    return (shift.is_move and apart < 0.3) or (shift.correlation > 0.88 and apart < 0.15)


def _histograms_apart(reel: Reel, a: int, b: int) -> float:
    """Mean share of pixels, of Y, U and V, that lie in another of 16 bands in the second picture."""
    planes = [reel.luma, reel.chroma[:, 0], reel.chroma[:, 1]]
    return sum(_bands_apart(plane[a], plane[b]) for plane in planes) / 3


def _bands_apart(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    bands = [np.bincount((part >> 4).ravel(), minlength=16) for part in (a, b)]
    return 0.5 * float(np.abs(bands[0] - bands[1]).sum()) / a.size
