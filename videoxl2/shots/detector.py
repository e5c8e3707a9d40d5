"""The detector: pictures in, transitions out, whatever the portions they come in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from videoxl2.frames.reading.small_pictures import SmallPictures
from videoxl2.shots.cuts import find_cuts
from videoxl2.shots.mixes import find_mixes
from videoxl2.shots.reel import ReelStore
from videoxl2.shots.settling import Unsettled
from videoxl2.shots.transitions import Transition

_BLOCK = 256  # pictures that are looked at together
_AHEAD = 2  # blocks that must have come after one that is looked at
_BEHIND = 4  # blocks that are kept before it: as long as a transition may stay uncertain


class ShotDetector:
    """Finds the transitions of one film.

    Holds the last 2,000 small pictures or fewer, 10 MB with what is measured of them. Pictures are looked at
    in blocks counted from the film's first, so that the answer is the same however they are fed.
    """

    def __init__(self) -> None:
        self._fed: list[SmallPictures] = []  # and not measured yet
        self._num_fed = 0
        self._store = ReelStore((_BEHIND + _AHEAD + 4) * _BLOCK)
        self._done = 0  # pictures in store that have been looked at
        self._unsettled = Unsettled()

    @property
    def num_held(self) -> int:
        """Pictures that are held now."""
        return self._num_fed + len(self._store)

    def feed(self, pictures: SmallPictures) -> list[Transition]:
        """Take the film's next pictures; the transitions that have become certain, in order."""
        self._fed.append(pictures)
        self._num_fed += len(pictures)
        found: list[Transition] = []
        while self._num_fed >= _BLOCK:
            self._measure(_BLOCK)
            if len(self._store) - self._done > _AHEAD * _BLOCK:
                found += self._look(self._done + _BLOCK, is_end=False)
        return found

    def finish(self) -> list[Transition]:
        """The rest of the transitions; the film has ended."""
        found: list[Transition] = []
        if self._num_fed:
            self._measure(self._num_fed)
        while self._done < len(self._store):
            stop = min(len(self._store), self._done + _BLOCK)
            found += self._look(stop, is_end=stop == len(self._store))
        return found

    def _measure(self, count: int) -> None:
        """Put that many of the fed pictures into store."""
        fed = _joined(self._fed)
        self._store.add(_part(fed, 0, count))
        self._fed = [_part(fed, count, self._num_fed)]
        self._num_fed -= count

    def _look(self, stop: int, is_end: bool) -> list[Transition]:
        """What becomes certain by looking at pictures up to `stop`. What is no longer needed is forgotten."""
        reel = self._store.reel
        self._unsettled.cuts += find_cuts(reel, self._done, stop)
        self._unsettled.mixes += find_mixes(reel, self._done, stop)
        found = self._unsettled.settle(reel, stop, is_end)
        old = max(0, stop - _BEHIND * _BLOCK)
        self._store.forget(old)
        self._unsettled.move(-old)
        self._done = stop - old
        return found


def _joined(portions: Sequence[SmallPictures]) -> SmallPictures:
    return SmallPictures(
        np.concatenate([p.luma_N36x64 for p in portions]),
        np.concatenate([p.chroma_N2x18x32 for p in portions]),
        np.concatenate([p.start_ms_N for p in portions]),
    )


def _part(pictures: SmallPictures, first: int, stop: int) -> SmallPictures:
    return SmallPictures(
        pictures.luma_N36x64[first:stop],
        pictures.chroma_N2x18x32[first:stop],
        pictures.start_ms_N[first:stop],
    )
