"""When sound is heard: stamps of a stream against the samples that have come so far.

Stamps are followed only where they leave the accumulated count of samples, because each by itself is rounded
to the ticks of its container; a comparison with the frame before would miss a rate that is wrong by a little
in every frame.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

TOLERANCE_S = Fraction(60, 1000)
RESTART_S = Fraction(10)  # a step back as long as this is a clock that begins anew, not sound given twice
_MOST_JUMPS = 10  # followed within `_WITHIN_S`; more of them are noise in the stamps
_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Placed:
    """The place of a frame of sound. Of its head `skip_s` seconds have been given before."""

    start_s: Fraction
    skip_s: Fraction = Fraction(0)
    is_new: bool = False  # it does not go on from the sound before
    is_left_out: bool = False  # all of it has been given before


@dataclass
class SampleClock:
    """Places frames of sound one after the other.

    `shifts` are seconds that may have to be added to a stamp; of several, the one that lets it go on from the
    sound so far: a film whose clock was joined from pieces has one for each. Stamps count modulo `turn_s`,
    whatever turns FFmpeg adds to them; the first is looked for near `start_s`.
    """

    shifts: Sequence[Fraction] = (Fraction(0),)
    restart_s: Fraction = RESTART_S
    turn_s: Fraction = Fraction(0)  # 0: stamps do not wrap
    start_s: Fraction = Fraction(0)  # of the film
    num_gaps: int = 0
    num_overlaps: int = 0
    is_restless: bool = False  # some jumps were not followed
    _expected: Fraction | None = None
    _restarted: Fraction = Fraction(0)
    _last_gap: Fraction = Fraction(0)
    _jumps: deque[Fraction] = field(default_factory=deque)

    def place(self, stamp_s: Fraction | None, length_s: Fraction) -> Placed:
        """The next frame, which says when it is heard, or nothing."""
        expected = self._expected
        if expected is None:
            return self._begin(Fraction(0) if stamp_s is None else self._first(stamp_s), length_s)
        if stamp_s is None:
            return self._go_on(expected, length_s)
        at = self._nearest(stamp_s, expected)
        if abs(at - expected) <= TOLERANCE_S or self._is_worn(expected):
            return self._go_on(expected, length_s)
        if at > expected:
            self.num_gaps += 1
            self._last_gap = at - expected
            return self._begin(at, length_s)
        if at >= expected - self.restart_s:
            return self._after_overlap(at, expected, length_s)
        before_gap = expected - self._last_gap
        if abs(at - before_gap) <= self.restart_s:  # that one stamp was wrong, not those since
            self._last_gap = Fraction(0)
            return self._begin(at, length_s)
        self._restarted += expected - at
        return self._go_on(expected, length_s)

    def _first(self, stamp_s: Fraction) -> Fraction:
        return self._unwrapped(stamp_s + self.shifts[0], self.start_s)

    def _nearest(self, stamp_s: Fraction, expected: Fraction) -> Fraction:
        stamp_s += self._restarted
        at = (self._unwrapped(stamp_s + shift, expected) for shift in self.shifts)
        return min(at, key=lambda one: abs(one - expected))

    def _unwrapped(self, at: Fraction, near: Fraction) -> Fraction:
        """Of the times that are whole turns apart, the one nearest to another."""
        return at - round((at - near) / self.turn_s) * self.turn_s if self.turn_s else at

    def _go_on(self, expected: Fraction, length_s: Fraction) -> Placed:
        self._expected = expected + length_s
        return Placed(expected)

    def _begin(self, at: Fraction, length_s: Fraction) -> Placed:
        if self._expected is not None:
            self._jumps.append(at)
        self._expected = at + length_s
        return Placed(at, is_new=True)

    def _after_overlap(self, at: Fraction, expected: Fraction, length_s: Fraction) -> Placed:
        skip_s = expected - at
        if skip_s >= length_s:
            return Placed(expected, is_left_out=True)
        self.num_overlaps += 1
        self._jumps.append(expected)
        self._expected = at + length_s
        return Placed(expected, skip_s, is_new=True)

    def _is_worn(self, now: Fraction) -> bool:
        while self._jumps and self._jumps[0] < now - _WITHIN_S:
            self._jumps.popleft()
        is_worn = len(self._jumps) >= _MOST_JUMPS
        self.is_restless |= is_worn
        return is_worn
