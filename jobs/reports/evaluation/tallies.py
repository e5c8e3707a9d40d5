"""Measures as functions of numbers that add up over videos, so that they can be taken of any sample of them.

Shapes: V videos, K numbers a video, S samples.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

NUM_SAMPLES = 2000
_INTERVAL = (2.5, 97.5)  # percentiles
_SEED = 20_260_101  # of the samples: the same answers always have the same intervals


@dataclass(frozen=True)
class Measure:
    """One line of the report. `over` counts what the value was averaged over."""

    name: str
    value: float
    over: str


@dataclass(frozen=True)
class Difference:
    """One line of a comparison: a measure of the first, of another, and what the other has more.

    `low` and `high` bound the 95 % interval of `difference` over samples of the videos; None: one video alone
    says nothing of others.
    """

    name: str
    first: float
    other: float
    difference: float
    low: float | None
    high: float | None
    over: str


@dataclass(frozen=True)
class Tally:
    """A measure by video: `value_of` makes it of the sums `[…, K]` of `counts` over videos."""

    name: str
    counts: Numbers  # [V, K]
    value_of: Callable[[Numbers], Numbers]
    over: str

    def measure(self) -> Measure:
        """Return the measure over everything counted so far."""
        return Measure(self.name, float(self.value_of(self.counts.sum(0))), self.over)


def mean_of(sums: Numbers) -> Numbers:
    """Make a mean of K = 2: a sum and how many it is of."""
    total, number = np.moveaxis(sums, -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Numbers = total / number
    return mean


def mean_of_means(sums: Numbers) -> Numbers:
    """Make the mean over groups of the mean of each, K = 2 a group; groups without anything do not count."""
    groups = sums.reshape(*sums.shape[:-1], -1, 2)
    means = mean_of(groups)
    has_some = groups[..., 1] > 0
    mean: Numbers = np.where(has_some, means, 0).sum(-1) / np.maximum(has_some.sum(-1), 1)
    return mean


def f1_of(sums: Numbers) -> Numbers:
    """Make F1 of K = 3: matched, predicted, true; 1 where nothing is true and nothing is said."""
    matched, predicted, true = np.moveaxis(sums, -1, 0)
    both = predicted + true
    f1: Numbers = np.where(both > 0, 2 * matched / np.maximum(both, 1), 1.0)
    return f1


def compare(first: Sequence[Tally], other: Sequence[Tally]) -> list[Difference]:
    """Compare the measures that both have of the same videos, in the first's order.

    Videos are drawn with replacement, the same for both (paired bootstrap): questions about one video are
    not independent, and a hard video is hard for both.
    """
    others = {tally.name: tally for tally in other}
    pairs = [(tally, others[tally.name]) for tally in first if tally.name in others]
    if not pairs:
        return []
    num_videos = len(first[0].counts)
    draws_SV = np.random.default_rng(_SEED).multinomial(
        num_videos, np.full(num_videos, 1 / num_videos), NUM_SAMPLES
    )
    return [_difference(ours, theirs, draws_SV.astype(np.float64)) for ours, theirs in pairs]


def _difference(first: Tally, other: Tally, draws_SV: Numbers) -> Difference:
    a, b = first.measure().value, other.measure().value
    if np.count_nonzero(first.counts.any(1) | other.counts.any(1)) < 2:
        return Difference(first.name, a, b, b - a, None, None, first.over)
    samples = other.value_of(draws_SV @ other.counts) - first.value_of(draws_SV @ first.counts)
    low, high = np.nanpercentile(samples, _INTERVAL)  # a sample may have none of a rare kind
    return Difference(first.name, a, b, b - a, float(low), float(high), first.over)
