"""Where the stamps of a transport, program or Flash stream jump, and how its pieces are joined.

All of it looks at differences in decoding order, modulo the counter's size, so that a counter that wraps is
no jump. A piece begins where the stamps go back, or forward by more than a picture can be held. The first
picture of a piece is shown when the last one of the piece before is over; inside, each piece keeps its own
times, however uneven.

Not decidable, and left as they are: jumps forward under `HOLD_S`, and overlaps shorter than a picture.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.clock import Clock, Piece, placed
from videoxl2.frames.clocks.columns import NONE, PacketTable
from videoxl2.frames.clocks.timeline import last_duration

# The counters' sizes, by demuxer: 33 bits at 90 kHz, 32 bits of milliseconds.
WRAPS = {"mpegts": 1 << 33, "mpeg": 1 << 33, "flv": 1 << 32}

HOLD_S = 10  # a picture may stay so long, or `_TIMES_USUAL` times the usual distance, without a jump
_TIMES_USUAL = 8
_BACK_PACKETS = 16  # before a key, all shown before it in a sound stream
_AROUND = 5  # steps to either side that say what is usual

Int64 = NDArray[np.int64]


@dataclass(frozen=True)
class Breaks:
    """Rows at which pieces begin (never row 0), and rows off the line."""

    starts: tuple[int, ...]
    strays: tuple[int, ...]


class Sound:
    """The seconds of a stream's own clock in which its other streams have packets.

    A picture that stands while the sound goes on is held; a clock that jumps takes the sound along.
    """

    def __init__(self, wrap_s: int) -> None:
        self._wrap_s = wrap_s
        self._seconds: set[int] = set()

    def note(self, second: int) -> None:
        """A packet lies in this second."""
        self._seconds.add(second % self._wrap_s)

    def goes_on(self, start_s: int, stop_s: int) -> bool:
        """Whether most seconds between the two have packets."""
        between = range(start_s + 1, min(stop_s, start_s + 3600))
        return 2 * sum(second % self._wrap_s in self._seconds for second in between) > len(between) > 0


def centred(differences: Int64, wrap: int) -> Int64:
    """Return what `clock.centred` gives, of many."""
    return (differences + wrap // 2) % wrap - wrap // 2


def find_breaks(
    table: PacketTable, dts: Int64, pts: Int64, time_base: Fraction, wrap: int, sound: Sound
) -> Breaks:
    """The breaks of a stream whose decoding times are all known, and of `pts` those that are."""
    hold = int(HOLD_S / time_base)
    dts = _repaired(table, dts, pts, wrap, hold)
    steps = centred(np.diff(dts), wrap)
    backward = _keys_shown_too_early(table.array("is_key").astype(bool), pts, wrap, hold)
    candidates = np.union1d(np.flatnonzero((steps < 0) | (steps > hold)) + 1, backward)
    starts: list[int] = []
    strays: set[int] = set()
    back = set(backward.tolist())
    for row in candidates.tolist():
        if row - 1 in strays or (row - 1 in starts[-1:] and _lagged(row - 1, dts, pts, wrap, time_base)):
            continue  # back on the line
        if row in back and _is_shown_too_early(row, starts[-1] if starts else 0, pts, strays, wrap, hold):
            starts.append(row)
            continue
        step = int(steps[row - 1])
        usual = _usual(steps, row)
        limit = max(hold, _TIMES_USUAL * usual)
        if 0 <= step <= limit or (step > 0 and _is_held(dts, row, time_base, sound)):
            continue
        if _is_stray(row, dts, steps, wrap, max(4 * usual, int(Fraction(1, 10) / time_base)), limit):
            strays.add(row)
        else:
            starts.append(row)
    return Breaks(tuple(starts), tuple(sorted(strays)))


def join(
    table: PacketTable, breaks: Breaks, clock: Clock, time_base: Fraction, turns: Collection[int] = ()
) -> tuple[Piece, ...]:
    """The pieces on one line. At `turns` another stream takes over: joined only where the clock jumps.

    `clock` says how packets without pts are placed; its own pieces are not looked at.
    """
    pieces: list[Piece] = []
    end = 0
    edges = [0, *sorted({*breaks.starts, *turns}), len(table)]
    for first, stop in itertools.pairwise(edges):
        stamp = _first_stamp(table, first, stop, breaks.strays)
        ticks = _piece_ticks(table, first, stop, stamp, breaks.strays, clock)
        known = [tick for tick in ticks if tick is not None]
        begins = next(iter(known), 0)
        shown = sorted(tick for tick in known if tick >= begins) or [0]
        if not pieces:
            shift = stamp
        elif first in breaks.starts:
            shift = end - begins
        else:  # a turn on a clock that goes on
            shift = pieces[-1].tick + centred_one(stamp - pieces[-1].stamp, clock.wrap)
            shift = max(shift, end - begins)
        pieces.append(Piece(first, stamp, shift, shift + begins if pieces else None))
        end = shift + shown[-1] + _last_duration(table, first, ticks, shown)
    return tuple(pieces)


def centred_one(difference: int, wrap: int) -> int:
    """Return what `centred` gives of one number."""
    return (difference + wrap // 2) % wrap - wrap // 2


def _piece_ticks(
    table: PacketTable, first: int, stop: int, stamp: int, strays: Sequence[int], clock: Clock
) -> list[int | None]:
    """Ticks of one piece, counted from its own first stamp."""
    own = Clock(
        (Piece(0, stamp, 0),),
        tuple(row - first for row in strays if first <= row < stop),
        clock.wrap,
        missing=clock.missing,
    )
    return [tick for _, tick in placed(table.rows(first, stop), own)]


def _first_stamp(table: PacketTable, first: int, stop: int, strays: Sequence[int]) -> int:
    for row, stamps in table.rows(first, stop):
        stamp = stamps.dts if stamps.pts is None else stamps.pts
        if stamp is not None and row not in strays:
            return stamp
    return 0


def _last_duration(table: PacketTable, first: int, ticks: list[int | None], shown: list[int]) -> int:
    """How long a piece's last picture stays."""
    by_tick = {tick: table.duration[first + n] for n, tick in enumerate(ticks) if tick is not None}
    times = np.array(sorted(set(shown)))
    said = last_duration(times, np.array([by_tick.get(tick, 0) for tick in times.tolist()]))
    return said or (int(times[-1] - times[-2]) if len(times) > 1 else 1)


def _repaired(table: PacketTable, dts: Int64, pts: Int64, wrap: int, hold: int) -> Int64:
    """Decoding times that FFmpeg made from older pts lag one packet behind a jump.

    A picture may wait long to be shown where pictures are far apart: a few usual distances are no lag.
    """
    waits = np.abs(centred(pts - dts, wrap))
    steps = centred(np.diff(dts), wrap)
    dts = dts.copy()
    for row in np.flatnonzero((pts != NONE) & (waits > hold)).tolist():
        if waits[row] <= _TIMES_USUAL * _usual(steps, row):
            continue
        is_near = row + 1 < len(dts) and abs(centred_one(int(dts[row + 1] - pts[row]), wrap)) < hold
        dts[row] = dts[row + 1] - (table.duration[row] or 1) if is_near else pts[row]
    return dts


def _lagged(row: int, dts: Int64, pts: Int64, wrap: int, time_base: Fraction) -> bool:
    """Whether a piece's first dts still belongs to the piece before: the next one follows its pts."""
    next_after_shown = centred_one(int(dts[row + 1] - pts[row]), wrap)
    return pts[row] != NONE and 0 <= next_after_shown <= int(Fraction(1, 10) / time_base)


def _keys_shown_too_early(is_key: NDArray[np.bool_], pts: Int64, wrap: int, hold: int) -> Int64:
    keys = np.flatnonzero(is_key & (pts != NONE))
    is_early = np.zeros(len(keys), np.bool_)
    for lag in range(1, _BACK_PACKETS + 1):
        before = np.maximum(keys - lag, 0)
        ahead = centred(pts[before] - pts[keys], wrap)
        is_early |= (keys >= lag) & (pts[before] != NONE) & (ahead >= 0) & (ahead < hold)
    return keys[is_early]


def _is_shown_too_early(row: int, start: int, pts: Int64, strays: set[int], wrap: int, hold: int) -> bool:
    """Whether it is so in the key's own piece, without strays, unknown to `_keys_shown_too_early`."""
    before = (n for n in range(max(start, row - _BACK_PACKETS), row) if pts[n] != NONE and n not in strays)
    return any(0 <= centred_one(int(pts[n] - pts[row]), wrap) < hold for n in before)


def _usual(steps: Int64, row: int) -> int:
    """The larger of the medians of the steps before and after the one that leads to `row`."""
    around = (steps[max(0, row - 1 - _AROUND) : row - 1], steps[row : row + _AROUND])
    return max((int(np.median(some[some > 0])) for some in around if (some > 0).any()), default=0)


def _is_held(dts: Int64, row: int, time_base: Fraction, sound: Sound) -> bool:
    return sound.goes_on(int(int(dts[row - 1]) * time_base), int(int(dts[row]) * time_base))


def _is_stray(row: int, dts: Int64, steps: Int64, wrap: int, near: int, limit: int) -> bool:
    """Whether the next packet is back on the line that this one has left."""
    if row + 1 >= len(dts):
        return False
    return 0 <= centred_one(int(dts[row + 1] - dts[row - 1]), wrap) <= near and not 0 <= steps[row] <= limit
