"""Where the boundaries of timed answers move: to cuts in the picture, so that what follows still holds.

Tiles keep their order and share their borders, the video's first and last instant stay, and no record loses
the last picture that the model saw of it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence

from jobs.answers.analysis import Analysis
from schemas.answers import Tiles, TimedAnswer
from schemas.measured import Shot
from videoxl2.frames.reading.cuts import WITHIN_MS, Cut, snap


def movable_ms(analysis: Analysis) -> set[int]:
    """The instants inside the video at which a timed record starts or ends."""
    return {ms for one in _timed(analysis) for ms in _span(one)} - {0, analysis.info.duration_ms}


def moves_of(analysis: Analysis, cuts: Mapping[int, Cut]) -> dict[int, int]:
    """Return moves from ms to ms, of those instants that move to their cut.

    What is no tile moves with a tile's border at the same instant, and to a cut of its own elsewhere.
    """
    tiled_ms = {ms for one in _timed(analysis) if isinstance(one.layout, Tiles) for ms in _span(one)}
    alone = {ms: cut.at_ms for ms, cut in cuts.items() if ms not in tiled_ms}
    return alone | snap(tiled_ms, cuts, analysis.info.duration_ms, analysis.sampled_ms)


def cuts_by_shots(shots: Sequence[Shot], instants_ms: Collection[int]) -> dict[int, Cut]:
    """The clearest border of shots near each instant, of several alike the nearest; the same as `cuts_near`
    finds in the pictures. One slide after another is no border."""
    borders = sorted(
        (shot.start_ms, shot.score or 0.0) for shot in shots if shot.kind is not None and shot.kind != "slide"
    )
    near = {}
    for ms in instants_ms:
        first = bisect_left(borders, ms - WITHIN_MS, key=lambda border: border[0])
        stop = bisect_right(borders, ms + WITHIN_MS, key=lambda border: border[0])
        if first < stop:
            best = max(borders[first:stop], key=lambda border: (border[1], -abs(border[0] - ms)))
            near[ms] = Cut(*best)
    return near


def _timed(analysis: Analysis) -> Iterator[TimedAnswer]:
    for answer in analysis.answers:
        yield from (r.answer for r in answer.records or () if isinstance(r.answer, TimedAnswer))


def _span(one: TimedAnswer) -> tuple[int, int]:
    return one.start_ms, one.end_ms
