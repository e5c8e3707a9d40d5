"""What a benchmark's answers are worth, in the benchmark's own measures."""

from collections import defaultdict
from collections.abc import Sequence

from jobs.benchmarks.answers import Answered
from jobs.reports.evaluation.truth import MIN_IOUS, Measure

_DURATIONS = ("short", "medium", "long")


def measures(benchmark: str, answers: Sequence[Answered]) -> list[Measure]:
    """One line of the report each; none for no answers."""
    if not answers:
        return []
    scores = [answer.score for answer in answers]
    if benchmark == "charades-sta":
        return _grounding(scores)
    found = [Measure("accuracy", _mean(scores), _count(scores))]
    by_category = _by_category(answers)
    if benchmark == "mlvu":
        means = [_mean(group) for group in by_category.values()]
        found.append(Measure("M-Avg", _mean(means), f"{len(means)} tasks"))
    for (kind, value), group in by_category.items():
        found.append(Measure(f"accuracy, {kind} {value}", _mean(group), _count(group)))
    return found


def _grounding(ious: list[float]) -> list[Measure]:
    found = [
        Measure(f"grounding R@1, IoU {least}", _mean([float(value >= least) for value in ious]), _count(ious))
        for least in MIN_IOUS
    ]
    return [*found, Measure("grounding mIoU", _mean(ious), _count(ious))]


def _by_category(answers: Sequence[Answered]) -> dict[tuple[str, str], list[float]]:
    """Scores by kind and value, kinds in the benchmark's order; a question may count in several values."""
    groups: dict[tuple[str, str], list[float]] = defaultdict(list)
    for answer in answers:
        for kind, value in answer.categories:
            groups[kind, value].append(answer.score)
    kinds = list(dict.fromkeys(kind for kind, _ in groups))
    return dict(sorted(groups.items(), key=lambda item: (kinds.index(item[0][0]), *_rank(item[0][1]))))


def _rank(value: str) -> tuple[int, str]:
    """Durations by length, everything else by name."""
    return (_DURATIONS.index(value) if value in _DURATIONS else len(_DURATIONS)), value


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _count(values: Sequence[float]) -> str:
    return f"{len(values)} question{'s' if len(values) > 1 else ''}"
