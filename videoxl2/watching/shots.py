"""The shots of one film, each with a still, found as its pictures pass by."""

from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.small_pictures import SmallPictures
from videoxl2.shots import Shot, ShotDetector, Transition, shots_of
from videoxl2.watching.stills import Still, StillTaker

MOST_STILLS = 4000  # of one film: 50 MB


class ShotWatcher:
    """Watches a film for its shots."""

    def __init__(self, info: MediaInfo) -> None:
        """Of a film that `probe` described so."""
        self._end_ms = info.duration_ms
        self._detector, self._taker = ShotDetector(), StillTaker(info.pixel_aspect)
        self._transitions: list[Transition] = []
        self._clear_ms = 0  # from when on nothing is left of the transition before
        self._stills: dict[int, Still] = {}  # by the start of their shots
        self._num_shots, self._every = 0, 1  # shots so far; of how many one keeps its still

    def picture(self, picture: Picture, at_ms: int) -> None:
        """The next picture."""
        self._taker.offer(picture, at_ms)

    def small(self, pictures: SmallPictures) -> None:
        """The next small pictures."""
        for transition in self._detector.feed(pictures):
            self._end_shot(transition)

    def finish(self) -> list[tuple[Shot, Still | None]]:
        """All shots, in order; without a still where no picture of one was copied, or there are too many."""
        for transition in self._detector.finish():
            self._end_shot(transition)
        shots = shots_of(self._transitions, self._end_ms)
        if shots:
            self._take(shots[-1].start_ms, self._end_ms, self._end_ms)
        return [(shot, self._stills.get(shot.start_ms)) for shot in shots]

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
