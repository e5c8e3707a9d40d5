"""The shots of one film, each with a still, found as its pictures pass by."""

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.film import FilePath
from videoxl2.frames.reading.small_pictures import SmallPictures
from videoxl2.frames.reading.stills.keyframes import read_keyframes
from videoxl2.shots import Shot, ShotDetector, Transition, shots_of
from videoxl2.watching.refining import refined
from videoxl2.watching.stills import Still, StillTaker

MOST_STILLS = 4000  # of one film: 50 MB
MOST_LOOKED_UP = 100  # of those that were not copied


class ShotWatcher:
    """Watches a film for its shots."""

    def __init__(
        self, path: FilePath, info: MediaInfo, limits: Limits = DEFAULT_LIMITS, is_draft: bool = False
    ) -> None:
        """Of a film that `probe` described so, all of which is shown, or a draft."""
        self._path, self._info, self._limits, self._is_draft = path, info, limits, is_draft
        self._end_ms = info.duration_ms
        self._shown_ms: list[NDArray[np.int64]] = []  # of a draft
        self._detector, self._taker = ShotDetector(), StillTaker(info.pixel_aspect)
        self._transitions: list[Transition] = []
        self._clear_ms = 0  # from when on nothing is left of the transition before
        self._stills: dict[int, Still] = {}  # by the start of their shots
        self.exact: list[Transition] = []  # once all is over: what opens the shots, where it really is
        self._num_shots, self._every = 0, 1  # shots so far; of how many one keeps its still

    def picture(self, picture: Picture, at_ms: int) -> None:
        """The next picture."""
        self._taker.offer(picture, at_ms)

    def small(self, pictures: SmallPictures) -> None:
        """The next small pictures."""
        if self._is_draft:
            self._shown_ms.append(pictures.start_ms_N.copy())
        for transition in self._detector.feed(pictures):
            self._end_shot(transition)

    def finish(self) -> list[tuple[Shot, Still | None]]:
        """All shots, in order, with stills but for those of many in a film of thousands.

        Cuts of a draft are moved to where they are. What was not copied as it passed by is looked up in the
        file; raises a `MediaError` where that cannot be opened.
        """
        for transition in self._detector.finish():
            self._end_shot(transition)
        last_ms = max((t.at_ms for t in self._transitions), default=0)
        if last_ms < self._end_ms:
            self._take(last_ms, self._end_ms, self._end_ms)
        self.exact = self._refined()
        taken = sorted(self._stills.values(), key=lambda still: still.at_ms)
        found = [(shot, _still_of(shot, taken)) for shot in shots_of(self.exact, self._end_ms)]
        looked_up = self._look_up([shot for shot, still in found if still is None])
        return [(shot, still or looked_up.get(shot.index)) for shot, still in found]

    def _look_up(self, shots: Sequence[Shot]) -> dict[int, Still]:
        """Stills of shots in which no picture was copied, as they are short, by the index of the shot."""
        few = shots[:MOST_LOOKED_UP] if self._every == 1 else ()
        middles = {(shot.start_ms + shot.end_ms) // 2: shot.index for shot in few}
        read = read_keyframes(self._path, self._info, middles, limits=self._limits)
        return {middles[ms]: Still(**vars(one), at_ms=ms) for ms, one in read.items()}

    def _refined(self) -> list[Transition]:
        if not self._is_draft or not self._shown_ms:
            return self._transitions
        shown_ms = np.concatenate(self._shown_ms).tolist()
        return refined(self._path, self._info, self._transitions, shown_ms, self._limits)

    def _end_shot(self, transition: Transition) -> None:
        """Take the still of the shot that a transition ends."""
        start_ms = self._transitions[-1].at_ms if self._transitions else 0
        self._transitions.append(transition)
        if transition.at_ms > start_ms:
            self._take(start_ms, transition.at_ms, transition.start_ms)
        self._clear_ms = transition.end_ms

    def _take(self, start_ms: int, end_ms: int, clear_until_ms: int) -> None:
        still = self._taker.take(start_ms, end_ms, (max(start_ms, self._clear_ms), clear_until_ms))
        if still is not None and self._num_shots % self._every == 0:
            self._stills[start_ms] = still
        self._num_shots += 1
        if len(self._stills) > MOST_STILLS:
            self._every *= 2
            self._stills = dict(list(self._stills.items())[::2])


def _still_of(shot: Shot, stills: Sequence[Still]) -> Still | None:
    """The first of them that lies within a shot; they are in order."""
    place = bisect_left(stills, shot.start_ms, key=lambda still: still.at_ms)
    return stills[place] if place < len(stills) and stills[place].at_ms < shot.end_ms else None
