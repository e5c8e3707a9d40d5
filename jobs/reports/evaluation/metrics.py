"""How right an index is: spans, boundaries, rankings and names against the truth. Pure arithmetic."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from jobs.answers.overlap import Span, iou

MIN_IOUS = (0.3, 0.5, 0.7)  # of a span, to count as found


@dataclass(frozen=True)
class Matches:
    """Counts of a one-to-one matching; they add up over videos (micro average)."""

    num_matched: int = 0
    num_predicted: int = 0
    num_true: int = 0

    def __add__(self, other: "Matches") -> "Matches":
        return Matches(
            self.num_matched + other.num_matched,
            self.num_predicted + other.num_predicted,
            self.num_true + other.num_true,
        )

    @property
    def precision(self) -> float:
        """Share of what is said that is true; 1 where nothing is said."""
        return self.num_matched / self.num_predicted if self.num_predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of what is true that is said; 1 where nothing is true."""
        return self.num_matched / self.num_true if self.num_true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of both; 1 where nothing is true and nothing is said."""
        both = self.num_predicted + self.num_true
        return 2 * self.num_matched / both if both else 1.0


def match_boundaries(predicted: Sequence[float], true: Sequence[float], tolerance_s: float) -> Matches:
    """The most pairs no farther apart than `tolerance_s`, each boundary in one pair at most.

    Walking both sorted lists and pairing the first two that fit is optimal on a line.
    """
    ours, theirs = sorted(predicted), sorted(true)
    matched = i = j = 0
    while i < len(ours) and j < len(theirs):
        if abs(ours[i] - theirs[j]) <= tolerance_s:
            matched, i, j = matched + 1, i + 1, j + 1
        elif ours[i] < theirs[j]:
            i += 1
        else:
            j += 1
    return Matches(matched, len(ours), len(theirs))


def inner_boundaries(scenes: Iterable[Span]) -> list[float]:
    """Instants where one scene gives way to the next: every start but the first."""
    return sorted(start for start, _ in scenes)[1:]


def mean_best_iou(predicted: Sequence[Span], true: Sequence[Span]) -> float:
    """Each span with its best counterpart, averaged per side, then over both sides (Miou)."""
    if not predicted or not true:
        return float(not predicted and not true)
    ours = sum(max(iou(p, t) for t in true) for p in predicted) / len(predicted)
    theirs = sum(max(iou(p, t) for p in predicted) for t in true) / len(true)
    return (ours + theirs) / 2


def average_precision(ranked: Sequence[Span], true: Sequence[Span], min_iou: float) -> float:
    """Area under precision over recall; each true span is found once, by the best-ranked that fits."""
    if not true:
        return float(not ranked)
    open_truths = list(true)
    found, precisions = 0, 0.0
    for rank, span in enumerate(ranked, start=1):
        best = max(open_truths, key=lambda t: iou(span, t), default=None)
        if best is not None and iou(span, best) >= min_iou:
            open_truths.remove(best)
            found += 1
            precisions += found / rank
    return precisions / len(true)


def ndcg(gains: Sequence[float], all_gains: Iterable[float], k: int) -> float:
    """The first `k` gains, each divided by log2(rank + 1), over the same of the best order there is.

    `gains` are what is shown, best first; `all_gains` those of everything that could be shown, in any order.
    Source: Järvelin and Kekäläinen 2002, with the discount from rank 1 on. Without any gain to be had: 1
    where nothing is shown.
    """
    best = _discounted(sorted(all_gains, reverse=True)[:k])
    return _discounted(gains[:k]) / best if best else float(not gains)


def _discounted(gains: Sequence[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


def match_pairs(fits: Callable[[int, int], bool], num_predicted: int, num_true: int) -> Matches:
    """The most one-to-one pairs for which `fits(predicted, true)` (augmenting paths)."""
    holder: dict[int, int] = {}  # true -> predicted

    def place(ours: int, tried: set[int]) -> bool:
        for theirs in range(num_true):
            if theirs not in tried and fits(ours, theirs):
                tried.add(theirs)
                if theirs not in holder or place(holder[theirs], tried):
                    holder[theirs] = ours
                    return True
        return False

    matched = sum(place(ours, set()) for ours in range(num_predicted))
    return Matches(matched, num_predicted, num_true)
