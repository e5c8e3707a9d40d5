"""When a stream's pictures are shown, measured from its packets and not from what the header claims."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.columns import NONE, PacketTable

# Up to this share of packets may lack a usable time before the whole clock is distrusted.
_STRAY_SHARE = 0.01
_STEADY_SHARE = 0.9  # of durations that equal their distances, for the last one to be believed

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Timeline:
    """The times that the packets say. Ticks are those of the stream, on the film's clock."""

    first_pts: int  # of the first picture shown
    end_pts: int  # when the last picture's time is over
    times: Int64  # when each picture begins, sorted
    num_pictures: int
    period: Fraction | None  # mean ticks from picture to picture; None with fewer than two
    is_vfr: bool
    is_ordered: bool  # every picture can be placed by its tick; else only counting helps
    num_strays: int  # packets without a usable tick

    @property
    def longest(self) -> int:
        """The longest time that one of the last pictures stays, in ticks."""
        return int(np.diff([*self.times[-10:].tolist(), self.end_pts]).max())


def measure(table: PacketTable, ticks: Int64, num_strays: int, period: Fraction | None) -> Timeline:
    """The timeline of a table whose packets are shown at `ticks`.

    `num_strays` packets are off the line for reasons of their own; `period`, ticks per picture, stands in
    where packets have no duration.
    """
    is_shown = table.array("is_picture").astype(bool)
    is_key = table.array("is_key").astype(bool) & (ticks != NONE)
    placed = is_shown & _decodable(ticks, is_key)
    is_ordered, strays = _order(ticks, is_key, placed)
    num_strays += int(strays.sum())
    if num_strays > _STRAY_SHARE * len(ticks):
        is_ordered = False
    rows = np.flatnonzero(placed & ~strays)
    times, first_rows = np.unique(ticks[rows], return_index=True)
    last = last_duration(times, table.array("duration")[rows[first_rows]])
    num_pictures = len(times) if is_ordered else int(is_shown.sum())
    return _timeline(times, last, period, num_pictures, is_ordered, num_strays)


def last_duration(times: Int64, said: Int64) -> int:
    """Return how long the last picture stays by its packet's word; 0 where such words were not true before.

    Durations that a parser takes from a stream's header do not know of pictures that stay longer.
    """
    if not len(times):
        return 0
    distances = np.diff(times)
    is_true = np.abs(said[:-1] - distances) <= np.maximum(1, distances // 50)
    return int(said[-1]) if not len(distances) or is_true.mean() >= _STEADY_SHARE else 0


def measure_times(times: Int64, last: int, period: Fraction | None) -> Timeline:
    """The timeline of pictures that begin at `times`, the last of which stays for `last` ticks, if not 0."""
    return _timeline(times, last, period, len(times), True, 0)


def _timeline(
    times: Int64, last: int, period: Fraction | None, num_pictures: int, is_ordered: bool, num_strays: int
) -> Timeline:
    if not len(times):
        return Timeline(0, 0, times, num_pictures, None, False, False, num_strays)
    distances = np.diff(times)
    return Timeline(
        first_pts=int(times[0]),
        end_pts=int(times[-1]) + (last if last > 0 else _last_distance(distances, period)),
        times=times,
        num_pictures=num_pictures,
        period=Fraction(int(times[-1] - times[0]), len(distances)) if len(distances) else None,
        is_vfr=is_ordered and varies(distances),
        is_ordered=is_ordered,
        num_strays=num_strays,
    )


def _last_distance(distances: Int64, period: Fraction | None) -> int:
    """How long the last picture stays that does not say so: the stated period where that is about true."""
    if not len(distances):
        return max(1, round(period or 1))
    last = int(distances[-1])
    return max(1, round(period)) if period and abs(period - last) <= 2 + last / 50 else last


def _decodable(ticks: Int64, is_key: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """False for pictures that need something from before the start of the file."""
    keys = np.flatnonzero(is_key)
    good: NDArray[np.bool_] = ticks != NONE
    if len(keys):
        first, after = keys[0], keys[1] if len(keys) > 1 else len(ticks)
        good[:first] = False
        good[first:after] &= ticks[first:after] >= ticks[first]
    return good


def _order(
    ticks: Int64, is_key: NDArray[np.bool_], placed: NDArray[np.bool_]
) -> tuple[bool, NDArray[np.bool_]]:
    """Whether keys advance, and which pictures lie outside the time between the keys around them."""
    strays = np.zeros(len(ticks), np.bool_)
    keys = np.flatnonzero(is_key)
    if not len(keys):
        return True, strays
    starts = ticks[keys]
    if (np.diff(starts) <= 0).any():
        return False, strays
    gop = np.cumsum(is_key) - 1
    before = np.concatenate(([NONE], starts[:-1]))[gop]
    after = np.concatenate((starts[1:], [2**63 - 1]))[gop]
    strays = placed & ((ticks < before) | (ticks >= after))
    return True, strays


def varies(distances: NDArray[Any]) -> bool:
    """Whether the distances differ by more than rounding to ticks explains."""
    return len(distances) > 1 and int(distances.max() - distances.min()) > max(
        1, 0.01 * float(np.median(distances))
    )
