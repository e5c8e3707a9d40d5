"""MPEG program streams (VOB, MPG): most pictures carry no stamp and have to be counted.

Only a picture that begins a PES packet has a stamp; FFmpeg counts on from it, sometimes from the wrong one.
So the count is made again: by the durations that the pictures' own headers state (soft telecine included),
from stamp to stamp, and evenly where the two do not meet.
"""

from __future__ import annotations  # array[int] exists for type checkers only before Python 3.12

import itertools
from array import array
from dataclasses import dataclass
from fractions import Fraction
from statistics import median_low

from videoxl2.frames.clocks.clock import Piece, centred, is_held_back
from videoxl2.frames.clocks.columns import NONE, PacketTable

_WRAP = 1 << 33
_HOLD = 900_000  # ticks, 10 s
_LOOKED_BACK = 4  # stamps
_BESIDE = 2  # rows; pictures so near each other are of one packet, or of two with one stamp
_ERROR = 45  # ticks, half a millisecond, that a count may be off before it is set right


@dataclass(frozen=True)
class Stretch:
    """Rows from `first` on that follow each other at one pace; None: by their durations."""

    first: int
    pace: Fraction | None


class Recount:
    """The decoding times of all packets, counted again, and from where on which rule holds."""

    def __init__(self, table: PacketTable, period: int) -> None:
        self.durations = [duration or period for duration in table.duration]
        self.dts = array("q", table.dts)
        self.stretches: list[Stretch] = []
        self._period = period
        self._total = [0]
        for duration in self.durations:
            self._total.append(self._total[-1] + duration)
        self._count(self._anchors(table))

    @property
    def is_estimated(self) -> bool:
        """Whether stretches were spread evenly, or pictures last differently: those may be a field off."""
        is_spread = any(stretch.pace is not None for stretch in self.stretches)
        return is_spread or len(set(self.durations)) > 1

    def apply(self, table: PacketTable, said: array[int], has_references: bool) -> None:
        """Put the times on the table, of whose packets the file has `said` these dts.

        References lose their pts, which the next one's dts will say better.
        """
        for (row, stamps), dts in zip(table.rows(), said, strict=True):
            is_reference = has_references and is_held_back(stamps._replace(dts=dts))
            table.pts[row] = NONE if is_reference else self.dts[row]
        table.dts = self.dts

    def pieces(self, joined: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """Return `joined` pieces of the applied table as counts: one wherever counting on would be off."""
        coming, rules = list(joined), {stretch.first: stretch.pace for stretch in self.stretches}
        counts: list[Piece] = []
        at, piece = 0, joined[0]
        for row, dts in enumerate(self.dts):
            begins = bool(coming) and coming[0].first == row
            if begins:
                piece = coming.pop(0)
            tick = piece.tick + centred(dts - piece.stamp, _WRAP)
            if not begins and row not in rules and counts[-1].pace is None:
                at += self.durations[row - 1]
            if begins or row in rules or (counts[-1].pace is None and abs(at - tick) > _ERROR):
                pace = rules[row] if row in rules else counts[-1].pace
                counts.append(Piece(row, dts, tick, piece.shown_from, pace))
                at = tick
        return tuple(counts)

    def _gap(self, first: int, stop: int) -> int:
        return centred(self.dts[stop] - self.dts[first], _WRAP)

    def _miss(self, first: int, stop: int) -> int:
        """How far the count from one stamp lies from the next."""
        return self._gap(first, stop) - (self._total[stop] - self._total[first])

    def _anchors(self, table: PacketTable) -> list[int]:
        """The rows with stamps that can be believed.

        FFmpeg's dts for a stamped picture after unstamped ones can be stale. Where most stamps meet the
        count, those that miss it by a picture or two are not looked at.
        """
        stamped = _without_repeats(
            [row for row in range(len(table)) if table.begins_pes[row] or row == 0], table
        )
        misses = [self._miss(a, b) for a, b in itertools.pairwise(stamped)]
        near, far = self._period // 2 + 2, 3 * self._period
        num_met = sum(abs(miss) <= near for miss in misses)
        if 2 * num_met < len(misses) - sum(abs(miss) > far for miss in misses):
            return stamped
        kept, off = stamped[:1], 0
        for row, miss in zip(stamped[1:], misses, strict=True):
            off = 0 if abs(miss) > far else off + miss
            if abs(off) <= near:
                kept.append(row)
        return kept

    def _count(self, anchors: list[int]) -> None:
        pairs = list(zip(anchors, [*anchors[1:], len(self.dts)], strict=True))
        rates: list[Fraction] = [
            Fraction(gap, b - a) for a, b in pairs if b < len(self.dts) and (gap := self._gap(a, b)) > 0
        ]
        usual = median_low(rates) if rates else Fraction(0)
        pace: Fraction | None = None
        for first, stop in pairs:
            num = stop - first
            miss = self._miss(first, stop) if stop < len(self.dts) else 0
            gap = self._gap(first, stop) if stop < len(self.dts) else 0
            goes_on = 0 < gap <= max(Fraction(_HOLD), 8 * usual * num)
            is_even = goes_on and abs(miss) > max(num, self._period + self._period // 4)
            if goes_on:
                pace = Fraction(gap, num) if is_even else None
            if not self.stretches or self.stretches[-1].pace != pace or pace is not None:
                self.stretches.append(Stretch(first, pace))
            base = self.dts[first]
            for row in range(first + 1, stop):
                counted = self._total[row] - self._total[first]
                self.dts[row] = base + (counted if pace is None else int(pace * (row - first)))


def _without_repeats(rows: list[int], table: PacketTable) -> list[int]:
    """Drop those that have the stamp of one of the last few: FFmpeg hands it out twice.

    A key with the stamp of a key further back begins a recording whose clock began alike.
    """
    kept: list[int] = []
    for row in rows:
        alike = [before for before in kept[-_LOOKED_BACK:] if table.dts[before] == table.dts[row]]
        if not alike or (table.is_key[row] and table.is_key[alike[-1]] and row - alike[-1] > _BESIDE):
            kept.append(row)
    return kept
