"""Pieces of speech: runs that the decoder hears at once, as half a window costs what a full one does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from videoxl2.speech.runs.runs import LONGEST_S, Run
from videoxl2.speech.sound.channels import Samples
from videoxl2.speech.sound.sound import RATE

_MOST_SAMPLES = round(LONGEST_S * RATE)
_WIDEST_S = 120  # from a piece's first run to its last one, so that its words are near each other


@dataclass(frozen=True, slots=True)
class Piece:
    """Runs of one take, in order, one behind the other without the silences between them."""

    runs: tuple[Run, ...]

    @property
    def sound(self) -> Samples:
        """The sound that is heard at once."""
        return np.concatenate([run.sound for run in self.runs])

    @property
    def speech_s(self) -> float:
        """Seconds of speech in it."""
        return sum(run.length_s for run in self.runs)

    def halves(self) -> "tuple[Piece, Piece] | None":
        """Part the piece at its longest silence; None: there is none inside."""
        if len(self.runs) < 2:
            return None
        silences = [
            after.start_s - before.end_s for before, after in zip(self.runs, self.runs[1:], strict=False)
        ]
        at = silences.index(max(silences)) + 1
        return Piece(self.runs[:at]), Piece(self.runs[at:])


def join_runs(runs: Iterable[Run]) -> Iterator[Piece]:
    """Join runs into as few pieces as their order allows."""
    joined: list[Run] = []
    for run in runs:
        if joined and not _fits(run, joined):
            yield Piece(tuple(joined))
            joined = []
        joined.append(run)
    if joined:
        yield Piece(tuple(joined))


def _fits(run: Run, joined: list[Run]) -> bool:
    first = joined[0]
    samples = sum(len(one.sound) for one in joined) + len(run.sound)
    return run.take == first.take and samples <= _MOST_SAMPLES and run.end_s - first.start_s <= _WIDEST_S
