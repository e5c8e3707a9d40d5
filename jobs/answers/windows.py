"""A long video in windows, and how the answers of neighbouring windows join.

Windows meet at sampled times. What ends where a window ends may have been cut there, so the records on both
sides of a seam are asked for again, in a window that spans them both: no time is lost and none is doubled.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from schemas.answers import Answer, TimedAnswer

WindowMs = tuple[int, int]


def cut_windows(span: WindowMs, window_ms: int | None, times_ms: Sequence[int]) -> list[WindowMs]:
    """The span in windows of about `window_ms`, all alike, each ending at one of the (sorted) times."""
    first, last = span
    number = max(1, round((last - first) / window_ms)) if window_ms else 1
    ends = [first + (last - first) * k // number for k in range(1, number)]
    borders = sorted({_nearest(times_ms, end) for end in ends})
    inner = [border for border in borders if first < border < last]
    return list(zip([first, *inner], [*inner, last], strict=True))


def _nearest(times_ms: Sequence[int], wanted: int) -> int:
    at = bisect_left(times_ms, wanted)
    return min(times_ms[max(0, at - 1) : at + 1], key=lambda time: abs(time - wanted))


@dataclass(frozen=True)
class Seam:
    """A window over the border of two others (or more, where one record fills a whole window).

    `replaced` are the records, by window and place in its answer, that its own answer stands for.
    """

    window: WindowMs
    border_ms: int
    replaced: frozenset[tuple[int, int]]

    def is_crossed_by(self, answer: Answer) -> bool:
        """Whether it lies on both sides of the border."""
        return isinstance(answer, TimedAnswer) and answer.start_ms < self.border_ms < answer.end_ms


def seams_of(answers: Sequence[Sequence[Answer]], longest_ms: int) -> list[Seam]:
    """Return the seams where records of consecutive windows touch. None grows over `longest_ms`: there a
    border stays."""
    seams: list[Seam] = []
    for number, (left, right) in enumerate(pairwise(answers)):
        if not (seam := _seam(number, left, right)):
            continue
        if not seams or not seams[-1].replaced & seam.replaced:
            seams.append(seam)
            continue
        start_ms, end_ms = seams[-1].window[0], seam.window[1]
        if end_ms - start_ms <= longest_ms:
            seams[-1] = Seam((start_ms, end_ms), seam.border_ms, seams[-1].replaced | seam.replaced)
    return seams


def _seam(number: int, left: Sequence[Answer], right: Sequence[Answer]) -> Seam | None:
    ends = [(place, r) for place, r in enumerate(left) if isinstance(r, TimedAnswer)]
    starts = [(place, r) for place, r in enumerate(right) if isinstance(r, TimedAnswer)]
    border = max((r.end_ms for _, r in ends), default=None)
    ends = [(place, r) for place, r in ends if r.end_ms == border]
    starts = [(place, r) for place, r in starts if r.start_ms == border]
    if border is None or not starts:
        return None
    start_ms = min(r.start_ms for _, r in ends)
    end_ms = max(r.end_ms for _, r in starts)
    replaced = {(number, place) for place, _ in ends} | {(number + 1, place) for place, _ in starts}
    return Seam((start_ms, end_ms), border, frozenset(replaced))
