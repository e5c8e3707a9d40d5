"""Which times an answer may name, in tenths of a second: those of sampled frames, and the window's ends."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from schemas.answers import Moments, SceneAnswer, Tiles

_FEW_TILES = 4  # that even a short window may hold
_LONGEST = 864_000  # a day, which is as far as answers reach


@dataclass(frozen=True)
class AnswerContext:
    """What an answer must fit: the video, the frames the model saw, the characters known, the tokens allowed.

    `window_ms` limits timed answers to a part of the video. `max_tokens` ends the list of records early.
    """

    duration_ms: int
    times_ms: tuple[int, ...]
    roster: tuple[str, ...] = ()
    window_ms: tuple[int, int] | None = None
    max_tokens: int | None = None
    scenes: tuple[SceneAnswer, ...] = ()  # found before, for prompts that speak of them

    def __post_init__(self) -> None:
        first, last = self.window_ms or (0, self.duration_ms)
        if not 0 <= first < last <= self.duration_ms and self.window_ms is not None:
            raise ValueError(f"a window of {first} - {last} ms in a video of {self.duration_ms} ms")
        if self.duration_ms < 0:
            raise ValueError(f"a video of {self.duration_ms} ms")


def tenths(ms: int) -> int:
    """Rounded as the stamps are that the model sees (`videoxl2.network.tokens.stamp_text`)."""
    return round(round(ms / 1000, 1) * 10)


@dataclass(frozen=True)
class Times:
    """The window `[first, last]` and the sampled times inside it, `first` among them."""

    first: int
    last: int
    stamps: tuple[int, ...]

    @classmethod
    def of(cls, context: AnswerContext) -> "Times":
        first_ms, last_ms = context.window_ms or (0, context.duration_ms)
        first = min(tenths(first_ms), _LONGEST - 1)
        last = min(max(tenths(last_ms), first + 1), _LONGEST)
        inside = {tenths(ms) for ms in context.times_ms}
        return cls(first, last, tuple(sorted({first} | {t for t in inside if first < t < last})))

    def max_tiles(self, tiles: Tiles) -> int:
        """How many records may cover the window."""
        usual = round(tiles.usual_s * 10)
        return min(tiles.at_most, max(_FEW_TILES, -(-(self.last - self.first) // usual)))

    def tile_ends(self, tiles: Tiles, start: int, is_last: bool) -> tuple[int, ...]:
        """Where a record that starts at `start` may end, leaving room for another or none."""
        if is_last:
            return (self.last,)
        shortest = round(tiles.shortest_s * 10)
        return (*self._between(start + shortest, self.last - shortest), self.last)

    def moment_ends(self, moments: Moments, start: int) -> tuple[int, ...]:
        """Where a moment may end; the next time there is where frames are further apart than its length."""
        limit = start + round(moments.longest_s * 10)
        ends = self._between(start + 1, limit) + ((self.last,) if self.last <= limit else ())
        return ends or (*self.stamps, self.last)[bisect_right(self.stamps, start) :][:1]

    def _between(self, first: int, last: int) -> tuple[int, ...]:
        return self.stamps[bisect_left(self.stamps, first) : bisect_right(self.stamps, last)]


def seconds(time: int) -> str:
    """As answers write it."""
    return f"{time // 10}.{time % 10}"
