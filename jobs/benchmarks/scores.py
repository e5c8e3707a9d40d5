"""What a benchmark's answers are worth, in the benchmark's own measures."""

from collections.abc import Iterable, Sequence

import numpy as np

from jobs.benchmarks.answers import Answered
from jobs.reports.evaluation.metrics import MIN_IOUS
from jobs.reports.evaluation.tallies import Measure, Numbers, Tally, mean_of, mean_of_means

_DURATIONS = ("short", "medium", "long")
GROUNDING = ("charades-sta", "timelens")


def measures(benchmark: str, answers: Sequence[Answered]) -> list[Measure]:
    """One line of the report each; none for no answers."""
    return [tally.measure() for tally in tallies(benchmark, answers)]


def tallies(benchmark: str, answers: Sequence[Answered]) -> list[Tally]:
    """The measures by video, videos in the order of their names."""
    if not answers:
        return []
    by_video = _ByVideo(answers)
    everything = [(answer, answer.score) for answer in answers]
    if benchmark in GROUNDING:
        return [
            *(
                by_video.mean(f"grounding R@1, IoU {least}", [(a, float(s >= least)) for a, s in everything])
                for least in MIN_IOUS
            ),
            by_video.mean("grounding mIoU", everything),
        ]
    found = [by_video.mean("accuracy", everything)]
    groups = [
        by_video.mean(
            f"accuracy, {kind} {value}", [(a, s) for a, s in everything if (kind, value) in a.categories]
        )
        for kind, value in _categories(answers)
    ]
    if benchmark == "mlvu":
        counts = np.concatenate([group.counts for group in groups], axis=1)
        found.append(Tally("M-Avg", counts, mean_of_means, f"{len(groups)} tasks"))
    return found + groups


class _ByVideo:
    """Sums by video."""

    def __init__(self, answers: Iterable[Answered]) -> None:
        self._rows = {name: row for row, name in enumerate(sorted({answer.video for answer in answers}))}

    def mean(self, name: str, scores: Sequence[tuple[Answered, float]]) -> Tally:
        counts: Numbers = np.zeros((len(self._rows), 2))
        for answer, score in scores:
            counts[self._rows[answer.video]] += (score, 1)
        return Tally(name, counts, mean_of, f"{len(scores)} question{'s' if len(scores) > 1 else ''}")


def _categories(answers: Sequence[Answered]) -> list[tuple[str, str]]:
    """Kinds and values, kinds in the benchmark's order; a question may count in several values."""
    found = dict.fromkeys(category for answer in answers for category in answer.categories)
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    return sorted(found, key=lambda category: (kinds.index(category[0]), *_rank(category[1])))


def _rank(value: str) -> tuple[int, str]:
    """Durations by length, everything else by name."""
    return (_DURATIONS.index(value) if value in _DURATIONS else len(_DURATIONS)), value
