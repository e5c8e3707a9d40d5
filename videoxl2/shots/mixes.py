"""Stretches in which one picture turns into another by mixing: dissolves and fades.

Every picture of a dissolve is a mix of the one before it and the one after it, with a share that grows.
Whether that holds can be read off scalar products, so that stretches of many lengths, from nearly every
picture on, cost little more than one matrix product per block of coarse pictures.

Shapes: S pictures of a block, W stretches, L pictures between the ends of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoxl2.shots.reel import COARSE, Reel
from videoxl2.shots.tiles import pairs_changed

_LENGTHS_MS = (160, 240, 400, 640, 960, 1440, 2000, 2800)
_MOST_PER_S = 30  # pictures looked at; faster film is thinned
_SLOWEST_MS = 500  # pictures shown longer than that are stills, and mix into nothing
_BLOCK = 256  # starts whose products are taken at once
_FLAT = 6.0  # levels of deviation of an empty picture
_LEAST_CHANGE = 60.0  # mean square levels between the ends
_MOST_OFF_HALF_WAY = 0.35  # a wipe is 0.25 off
_UNLIKE = 0.4  # share of the structure that must have changed between the ends


@dataclass(frozen=True)
class Mix:
    """Pictures `first` to `last` look like mixes of the one before and the one after.

    `residual` is the part of the change that is no mix, `uneven` how far the shares are from growing evenly,
    `middle` how many of them are neither 0 nor 1.
    """

    first: int
    last: int
    is_fade: bool
    is_wipe: bool
    residual: float
    uneven: float
    middle: float

    @property
    def fault(self) -> float:
        """Smaller is a better mix."""
        return self.residual + 0.3 * self.uneven + 0.2 * (1 - self.middle)

    @property
    def length(self) -> int:
        return self.last - self.first + 1

    def overlap(self, other: Mix) -> int:
        """Pictures in both; negative across a gap."""
        return min(self.last, other.last) - max(self.first, other.first) + 1


def find_mixes(reel: Reel, first: int, stop: int) -> list[Mix]:
    """Mixes whose picture before is one of `first` to `stop`; the reel should hold three seconds more."""
    step_ms = reel.step_ms(first, stop)
    if step_ms > _SLOWEST_MS:
        return []
    thin = max(1, round(1000 / step_ms / _MOST_PER_S))
    lengths = sorted({max(3, round(ms / step_ms / thin)) for ms in _LENGTHS_MS})
    found: list[Mix] = []
    for begin in range(first, stop, _BLOCK * thin):
        end = min(stop, begin + _BLOCK * thin)
        shown = np.arange(begin, min(len(reel), end + (lengths[-1] + 1) * thin), thin)
        block = _Block.of(reel, shown, num_starts=len(range(begin, end, thin)))
        for length in lengths:
            found += block.mixes(length)
    return _between_others(reel, found)


def _between_others(reel: Reel, mixes: list[Mix]) -> list[Mix]:
    """Fades, and mixes between pictures that are not alike."""
    if not mixes:
        return []
    before = np.array([mix.first - 1 for mix in mixes])
    after = np.array([mix.last + 1 for mix in mixes])
    change = pairs_changed(reel.luma, before, after)
    return [mix for mix, share in zip(mixes, change, strict=True) if mix.is_fade or share > _UNLIKE]


@dataclass(frozen=True)
class _Block:
    """Pictures at equal distances and their scalar products; stretches begin at the first `num_starts`."""

    shown_S: NDArray[np.intp]  # noqa: N815
    is_flat_S: NDArray[np.bool_]  # noqa: N815
    products_SS: NDArray[np.float32]  # noqa: N815
    num_starts: int

    @classmethod
    def of(cls, reel: Reel, shown_S: NDArray[np.intp], num_starts: int) -> _Block:
        coarse = reel.coarse[shown_S]
        coarse = coarse - coarse.mean(axis=0)  # smaller numbers, of which differences are exact
        return cls(shown_S, reel.spread[shown_S] < _FLAT, coarse @ coarse.T, num_starts)

    def mixes(self, length: int) -> list[Mix]:
        """Those with so many pictures between the ends."""
        starts = np.arange(0, min(self.num_starts, len(self.shown_S) - length - 1), max(1, length // 6))
        square = self._square(starts, starts + length + 1)
        is_change = square > _LEAST_CHANGE * COARSE
        starts, square = starts[is_change], square[is_change]
        if not len(starts):
            return []
        half_way, off = self._projected(starts, np.array([length // 2]), length, square)
        is_near = (np.abs(half_way[:, 0] - 0.5) < 0.6) & (off[:, 0] < _MOST_OFF_HALF_WAY)
        starts, square = starts[is_near], square[is_near]
        if not len(starts):
            return []
        share, off = self._projected(starts, np.arange(length), length, square)
        residual = off.mean(axis=1)
        of_a_wipe = np.abs(off - share * (1 - share)).mean(axis=1)
        steps = np.diff(share, axis=1, prepend=0, append=1)
        back = -np.minimum(steps, 0).sum(axis=1)
        middle = ((share > 0.1) & (share < 0.9)).mean(axis=1)
        uneven = np.abs(share - np.arange(1, length + 1) / (length + 1)).mean(axis=1)
        hop = np.maximum(steps.max(axis=1), self._longest_hop(starts, length, square))
        is_even = (back <= 0.4) & (middle >= 0.4) & (hop <= _most_hop(length))
        is_flat = self.is_flat_S[starts], self.is_flat_S[starts + length + 1]
        is_even &= ~(is_flat[0] & is_flat[1])
        is_mix = (residual <= 0.06) & is_even
        is_wipe = (of_a_wipe <= 0.03) & is_even & (back < 0.1) & ~is_mix
        is_fade = (is_flat[0] | is_flat[1]) & (residual <= 0.03)
        return [
            Mix(
                int(self.shown_S[starts[w] + 1]),
                int(self.shown_S[starts[w] + length]),
                bool(is_fade[w]),
                bool(is_wipe[w]),
                float((of_a_wipe if is_wipe[w] else residual)[w]),
                float(uneven[w]),
                float(middle[w]),
            )
            for w in np.flatnonzero(is_mix | is_wipe)
        ]

    def _projected(
        self,
        starts_W: NDArray[np.intp],
        between_L: NDArray[np.intp],
        length: int,
        square_W: NDArray[np.float32],
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """How far each picture between is on the way from the first to the last, and the square that it lies
        off that way, as a share of the whole way's; [W, L] both."""
        own = self.products_SS.diagonal()
        start = starts_W[:, None]
        between, stop = start + 1 + between_L, start + length + 1
        to_start = self.products_SS[between, start]
        along = self.products_SS[between, stop] - to_start - self.products_SS[start, stop] + own[start]
        share = along / square_W[:, None]
        apart = own[between] + own[start] - 2 * to_start
        return share, (apart - share * along) / square_W[:, None]

    def _longest_hop(
        self, starts_W: NDArray[np.intp], length: int, square_W: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The largest difference between neighbours, as a share of that between the ends."""
        hops = self._square(np.arange(len(self.shown_S) - 1), np.arange(1, len(self.shown_S)))
        longest: NDArray[np.float32] = hops[starts_W[:, None] + np.arange(length + 1)].max(axis=1)
        return np.sqrt(np.maximum(longest, 0) / square_W)

    def _square(self, a: NDArray[np.intp], b: NDArray[np.intp]) -> NDArray[np.float32]:
        """Square distances between pictures."""
        own = self.products_SS.diagonal()
        return own[a] + own[b] - 2 * self.products_SS[a, b]


def _most_hop(length: int) -> float:
    """The share of the whole change that may happen between two pictures."""
    return max(0.45, 2.6 / (length + 1))
