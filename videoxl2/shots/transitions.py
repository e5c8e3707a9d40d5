"""Transitions, and the shots that lie between them. Times are milliseconds on the film's clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Kind = Literal["cut", "dissolve", "fade", "slide"]


@dataclass(frozen=True)
class Transition:
    """The change from one shot to the next.

    A cut or a slide is one instant: the first millisecond of the new picture. A dissolve or a fade reaches
    from its first mixed picture to the end of its last one. `at_ms` is where the new shot begins: the cut
    itself, or the middle. `score`, 0 to 1, says how clear the transition is.
    """

    kind: Kind
    start_ms: int
    end_ms: int
    at_ms: int
    score: float


@dataclass(frozen=True)
class Shot:
    """A shot: the pictures between two transitions, half-open. `kind` and `score` are of the one that opens
    it; the film's first shot is opened by none."""

    index: int
    start_ms: int
    end_ms: int
    kind: Kind | None
    score: float | None


def shots_of(transitions: Iterable[Transition], duration_ms: int) -> list[Shot]:
    """All shots of a film that lasts so long, in order and without a gap; none of a film without duration.

    Transitions at the film's very beginning or end, such as a fade-in, open no shot.
    """
    inside = [t for t in transitions if 0 < t.at_ms < duration_ms]
    inside.sort(key=lambda t: t.at_ms)
    opening = {t.at_ms: t for t in inside}
    borders = sorted({0, duration_ms, *opening}) if duration_ms > 0 else []
    return [
        _shot(index, start_ms, end_ms, opening.get(start_ms))
        for index, (start_ms, end_ms) in enumerate(pairwise(borders))
    ]


def _shot(index: int, start_ms: int, end_ms: int, opened: Transition | None) -> Shot:
    if opened is None:
        return Shot(index, start_ms, end_ms, None, None)
    return Shot(index, start_ms, end_ms, opened.kind, opened.score)
