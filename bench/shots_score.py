"""How right found borders are: cuts to the picture, graduals by overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shots_edits import Truth

_CUT_SLACK, _GRADUAL_SLACK = 1, 2  # pictures

Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Found:
    """What a detector says of one film: cuts by the new shot's first picture, graduals by first and last."""

    cuts: Sequence[int]
    graduals: Spans = ()


@dataclass(frozen=True)
class Score:
    """Counts that add up over films. `touched` are true graduals with anything found at them, a cut or more;
    `events` are false cuts at things that are none, such as flashes."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    gradual_right: int = 0
    gradual_wrong: int = 0
    gradual_missed: int = 0
    touched: int = 0
    events: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(*(a + b for a, b in zip(vars(self).values(), vars(other).values(), strict=True)))

    @property
    def cut_f1(self) -> float:
        return _f1(self.right, self.wrong, self.missed)

    @property
    def gradual_f1(self) -> float:
        return _f1(self.gradual_right, self.gradual_wrong, self.gradual_missed)


def score(truth: Truth, found: Found) -> Score:
    """A point inside a true gradual or gap is no false cut; each true cut takes the nearest found one."""
    left = list(found.cuts)
    for cut in truth.cuts:
        near = min(left, key=lambda at: abs(at - cut), default=None)
        if near is not None and abs(near - cut) <= _CUT_SLACK:
            left.remove(near)
    right = len(found.cuts) - len(left)
    graduals = [(first, last) for first, last, _ in truth.graduals]
    free = [*graduals, *truth.gaps]
    wrong = [at for at in left if not _touches((at, at), free)]
    hit = [gradual for gradual in graduals if _touches(gradual, found.graduals)]
    points = [*found.graduals, *((at, at) for at in found.cuts)]
    events = [(first, last) for first, last, _ in truth.events]
    return Score(
        right,
        len(wrong),
        len(truth.cuts) - right,
        len(hit),
        sum(not _touches(gradual, free) for gradual in found.graduals),
        len(graduals) - len(hit),
        sum(_touches(gradual, points) for gradual in graduals),
        sum(_touches((at, at), events) for at in wrong),
    )


def _touches(span: tuple[int, int], others: Spans) -> bool:
    first, last = span
    return any(first <= b + _GRADUAL_SLACK and last >= a - _GRADUAL_SLACK for a, b in others)


def _f1(right: int, wrong: int, missed: int) -> float:
    return 2 * right / max(1, 2 * right + wrong + missed)
