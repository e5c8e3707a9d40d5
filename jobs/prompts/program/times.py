"""Which times an answer may name: those of sampled frames, and the window's ends.

Times are milliseconds of the video. In an answer's text they are tenths of a second at the model's pace, as
in the stamps that it reads; `Times` knows which instant each of those tenths means.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from jobs.prompts.said import SaidLine
from jobs.prompts.stamps import STAMP_MS, seconds, tenths
from schemas.answers import Moments, SceneAnswer, Tiles
from videoxl2.network.configs.pace import REAL_TIME, Pace

_FEW_TILES = 4  # that even a short window may hold


@dataclass(frozen=True)
class AnswerContext:
    """The limits of an answer: the video, the frames the model saw, the characters known, the tokens allowed.

    `window_ms` limits timed answers to a part of the video. `max_tokens` ends the list of records early.
    """

    duration_ms: int
    times_ms: tuple[int, ...]
    roster: tuple[str, ...] = ()
    window_ms: tuple[int, int] | None = None
    max_tokens: int | None = None
    scenes: tuple[SceneAnswer, ...] = ()  # found before, for prompts that speak of them
    said: tuple[SaidLine, ...] = ()  # in the captions, for prompts that tell it
    pace: Pace = REAL_TIME  # at which the model is told times

    def __post_init__(self) -> None:
        first, last = self.window_ms or (0, self.duration_ms)
        if not 0 <= first < last <= self.duration_ms and self.window_ms is not None:
            raise ValueError(f"a window of {first} - {last} ms in a video of {self.duration_ms} ms")
        if self.duration_ms < 0:
            raise ValueError(f"a video of {self.duration_ms} ms")

    def told(self, ms: int) -> int:
        """Return an instant as the model is told it, in tenths of a second."""
        return tenths(self.pace.told_ms(ms))


@dataclass(frozen=True)
class Times:
    """The window `[first, last]` and the sampled times inside it, `first` among them, in told tenths.

    No two are alike: of frames with the same stamp the first counts, and of those that bear the stamp of the
    window's start or end neither.
    """

    first: int
    last: int
    stamps: tuple[int, ...]
    instants_ms: tuple[int, ...]  # of the stamps, in order, and of `last`

    @classmethod
    def of(cls, context: AnswerContext) -> "Times":
        """Return the times that an answer may name: its window's frames, in tenths of a second."""
        first_ms, last_ms = context.window_ms or (0, context.duration_ms)
        last_ms = max(last_ms, first_ms + 1)
        first = context.told(first_ms)
        last = max(context.told(last_ms), first + 1)
        instants_ms = {first: first_ms}
        for ms in sorted(context.times_ms):
            if first_ms < ms < last_ms and first < context.told(ms) < last:
                instants_ms.setdefault(context.told(ms), ms)
        return cls(first, last, tuple(instants_ms), (*instants_ms.values(), last_ms))

    def instant_ms(self, time: int) -> int:
        """The instant that a time of this window means. Raises `ValueError` for another."""
        if time == self.last:
            return self.instants_ms[-1]
        at = bisect_left(self.stamps, time)
        if self.stamps[at : at + 1] != (time,):
            raise ValueError(f"{seconds(time)} s is not among the times to choose from")
        return self.instants_ms[at]

    def meant_ms(self, written_ms: int) -> int:
        """The instant that a time in an answer's text means; a whole number of tenths, in ms."""
        return self.instant_ms(written_ms // STAMP_MS)

    def max_tiles(self, tiles: Tiles) -> int:
        """Return how many records may cover the window."""
        usual = round(tiles.usual_s * 10)
        length = max(1, tenths(self.instants_ms[-1]) - tenths(self.instants_ms[0]))
        return min(tiles.at_most, max(_FEW_TILES, -(-length // usual)))

    def tile_ends(self, tiles: Tiles, start: int, is_last: bool) -> tuple[int, ...]:
        """Return the ends of a record that starts at `start`, leaving room for another unless it
        `is_last`."""
        if is_last:
            return (self.last,)
        shortest_ms = round(tiles.shortest_s * 1000)
        least_ms = self.instant_ms(start) + shortest_ms
        return (*self._between(start, least_ms, self.instants_ms[-1] - shortest_ms), self.last)

    def moment_ends(self, moments: Moments, start: int) -> tuple[int, ...]:
        """Return where a moment may end; the next time there is where frames are further apart than its
        length."""
        start_ms = self.instant_ms(start)
        limit_ms = start_ms + round(moments.longest_s * 1000)
        ends = self._between(start, start_ms + 1, limit_ms)
        ends += (self.last,) if self.instants_ms[-1] <= limit_ms else ()
        return ends or (*self.stamps, self.last)[bisect_right(self.stamps, start) :][:1]

    def _between(self, start: int, least_ms: int, most_ms: int) -> tuple[int, ...]:
        """The stamps behind `start` whose instants lie in `[least_ms, most_ms]`."""
        inner_ms = self.instants_ms[:-1]
        first = max(bisect_left(inner_ms, least_ms), bisect_right(self.stamps, start))
        return self.stamps[first : bisect_right(inner_ms, most_ms)]
