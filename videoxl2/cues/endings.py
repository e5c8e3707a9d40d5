"""Credits and slates, as far as pictures of 64 x 36 tell: candidates for somebody to look at, or for OCR.

Credits are light on something even near the film's end: lines that all move up at one speed, or cards that
last until the end. A slate is a still near the beginning that comes with bars or before black.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from videoxl2.cues.records import Cue
from videoxl2.cues.spans import Span, merged
from videoxl2.frames.reading.small_pictures import SmallPictures

_ENDING, _LONGEST_MS = 0.25, 20 * 60_000  # of a film, in which credits are looked for
_EVERY_MS, _LATER = 500, 2  # how often a picture is looked at; it is compared with the one so many before
_EVEN, _EVEN_SHARE = 10, 0.6  # levels from the median, and pixels that are so near to it
_DETAIL = 4.0  # deviation of what has something on it
_MOST_ROWS = 12  # rows that lines may move in a second
_ALIKE, _BETTER = 0.6, 0.15  # correlation of moved lines, and how much higher than unmoved
_ROLL_MS, _CARDS_MS, _GAP_MS = 5000, 6000, 2500
_SLATE_MS, _SLATES_UNTIL_MS, _NEAR_MS = (1000, 60_000), 120_000, 1500


@dataclass(frozen=True)
class _Look:
    """One picture that was looked at."""

    at_ms: int
    is_rolling: bool  # its lines have moved up since a second ago
    is_card: bool  # light on something even


class CreditCues:
    """Takes small pictures and finds credits in the last quarter of a film."""

    def __init__(self, duration_ms: int) -> None:
        """Of a film that lasts so long."""
        self._from_ms = max(round(duration_ms * (1 - _ENDING)), duration_ms - _LONGEST_MS)
        self._recent: deque[tuple[int, NDArray[np.float32]]] = deque(maxlen=_LATER)
        self._next_ms = self._from_ms
        self._looks: list[_Look] = []

    def small(self, pictures: SmallPictures) -> None:
        """The next ones."""
        starts = pictures.start_ms_N
        while (place := int(np.searchsorted(starts, self._next_ms))) < len(starts):
            at_ms = int(starts[place])
            self._look(at_ms, pictures.luma_N36x64[place].astype(np.float32))
            self._next_ms = at_ms + _EVERY_MS

    def finish(self, end_ms: int, black: Sequence[Span]) -> list[Cue]:
        """Candidates up to the film's end; `black` are its black stretches, which may be part of them."""
        step_ms = _LATER * _EVERY_MS
        rolls = merged(((one.at_ms - step_ms, one.at_ms) for one in self._looks if one.is_rolling), _GAP_MS)
        cards = [(one.at_ms, one.at_ms + _EVERY_MS) for one in self._looks if one.is_card]
        last = merged([*cards, *(span for span in black if span[1] > self._from_ms)], _GAP_MS)[-1:]
        ends = [span for span in last if span[1] >= end_ms - _GAP_MS and span not in black]
        found = [span for span in rolls if span[1] - span[0] >= _ROLL_MS]
        found += [(max(self._from_ms, a), b) for a, b in ends if _lit(a, b, cards) >= _CARDS_MS]
        return [Cue("credits", start, min(stop, end_ms)) for start, stop in merged(found)]

    def _look(self, at_ms: int, luma_HW: NDArray[np.float32]) -> None:
        is_card = _is_light_on_even(luma_HW)
        earlier = self._recent[0] if len(self._recent) == _LATER else None
        is_rolling = False
        if is_card and earlier is not None and at_ms - earlier[0] < 3 * _LATER * _EVERY_MS:
            is_rolling = _have_moved_up(earlier[1], luma_HW)
        self._recent.append((at_ms, luma_HW))
        self._looks.append(_Look(at_ms, is_rolling, is_card))


def slates(freezes: Iterable[Span], bars: Sequence[Span], black: Sequence[Span]) -> Iterator[Cue]:
    """Stills near a film's beginning that follow bars or come before black."""
    for start, end in freezes:
        follows = any(abs(start - stop) <= _NEAR_MS for _, stop in bars)
        precedes = any(abs(begin - end) <= _NEAR_MS for begin, _ in black)
        if end <= _SLATES_UNTIL_MS and _SLATE_MS[0] <= end - start <= _SLATE_MS[1] and (follows or precedes):
            yield Cue("slate", start, end)


def _lit(start_ms: int, end_ms: int, cards: Sequence[Span]) -> int:
    """For how long there is something on screen."""
    return sum(_EVERY_MS for at_ms, _ in cards if start_ms <= at_ms < end_ms)


def _is_light_on_even(luma_HW: NDArray[np.float32]) -> bool:
    """Whether most of a picture is one level up to its edges, and the rest is lighter."""
    level = float(np.median(luma_HW))
    is_even = np.abs(luma_HW - level) <= _EVEN
    if is_even.mean() < _EVEN_SHARE or luma_HW.std() < _DETAIL:
        return False
    sides = np.concatenate([is_even[:, :3].ravel(), is_even[:, -3:].ravel()])
    rest = luma_HW[~is_even]
    return bool(sides.mean() >= 0.95 and (rest > level).mean() >= 0.9)


def _have_moved_up(before_HW: NDArray[np.float32], after_HW: NDArray[np.float32]) -> bool:
    still = _correlation(before_HW, after_HW)
    moved = [_correlation(before_HW[rows:], after_HW[:-rows]) for rows in range(1, _MOST_ROWS + 1)]
    return max(moved) >= _ALIKE and max(moved) >= still + _BETTER


def _correlation(a_HW: NDArray[np.float32], b_HW: NDArray[np.float32]) -> float:
    a, b = a_HW - a_HW.mean(), b_HW - b_HW.mean()
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale > 1 else 0.0
