"""Where the boundaries of timed answers move: to cuts in the picture, so that what follows still holds.

Tiles keep their order and share their borders, the video's first and last instant stay, and no record loses
the last picture that the model saw of it.
"""

from collections.abc import Iterator, Mapping

from jobs.answers.analysis import Analysis
from schemas.answers import Tiles, TimedAnswer
from videoxl2.frames.reading.cuts import Cut, snap


def movable_ms(analysis: Analysis) -> set[int]:
    """The instants inside the video at which a timed record starts or ends."""
    return {ms for one in _timed(analysis) for ms in _span(one)} - {0, analysis.info.duration_ms}


def moves_of(analysis: Analysis, cuts: Mapping[int, Cut]) -> dict[int, int]:
    """Moves from ms to ms, of those instants that move to their cut.

    What is no tile moves with a tile's border at the same instant, and to a cut of its own elsewhere.
    """
    tiled_ms = {ms for one in _timed(analysis) if isinstance(one.layout, Tiles) for ms in _span(one)}
    alone = {ms: cut.at_ms for ms, cut in cuts.items() if ms not in tiled_ms}
    return alone | snap(tiled_ms, cuts, analysis.info.duration_ms, analysis.sampled_ms)


def _timed(analysis: Analysis) -> Iterator[TimedAnswer]:
    for answer in analysis.answers:
        yield from (r.answer for r in answer.records or () if isinstance(r.answer, TimedAnswer))


def _span(one: TimedAnswer) -> tuple[int, int]:
    return one.start_ms, one.end_ms
