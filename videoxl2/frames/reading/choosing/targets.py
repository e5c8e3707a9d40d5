"""The targets of one reading task as ticks of the stream, and the rule for pictures that stand still."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntFlag
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from videoxl2.frames.clocks.clock import Edit
from videoxl2.frames.files.container import Limits
from videoxl2.frames.files.decoder import Picture
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.reading.choosing.sampling import SamplingGrid, Span


class FrameFlag(IntFlag):
    """Flaws of one frame."""

    HELD = 1  # an earlier target already shows this picture
    ESTIMATED = 2  # its time was counted, not read
    CORRUPT = 4  # damaged, or built on a damaged picture
    SUBSTITUTE = 8  # the picture due at the target was lost; this is its neighbour


@dataclass(frozen=True)
class Due:
    """One target and its instant in ticks."""

    target: int
    tick: int


@dataclass(frozen=True)
class Pick:
    """The picture that answers a target."""

    target: int
    tick: int  # when the picture begins to be shown
    pts_ms: int  # the same from the first picture, nearest millisecond
    picture: Picture
    flags: FrameFlag


@dataclass(frozen=True)
class Miss:
    """A target without a picture, and the warning that says why."""

    target: int
    warning: Literal["missing_frames", "long_hold"]


Answer = Pick | Miss


class Targets:
    """The targets still to be answered, in order, on the pictures' clock (`time_base`, `first_pts`)."""

    def __init__(
        self,
        info: MediaInfo,
        grid: SamplingGrid,
        spans: Sequence[Span],
        time_base: Fraction,
        limits: Limits,
        part: Edit | None = None,
        until_s: Fraction | None = None,
    ):
        """Take those that `part` of a film with edits shows, up to `until_s`, when the next part begins."""
        self.is_estimated = info.timestamps == "estimated"
        # A counted picture's tick is its number.
        self.time_base = 1 / info.fps if info.clock.counts_pictures else time_base
        self.first_pts = 0 if info.clock.counts_pictures else info.first_pts
        self._clock = info.clock
        self._begins_s = Fraction(0)  # when `first_pts` is on the film's clock
        self._end: int | None = None
        self._grid = grid
        self._max_hold_s = limits.max_hold_s
        # Nothing is shown at or after the video's end.
        start, stop = 0, max(1, ceil(Fraction(info.duration_ms, 1000) / grid.step_s))
        if part is not None:
            self.first_pts, self._begins_s, self._end = part.media, part.start_s, part.end
            start = self._first_from(part.start_s)
            stop = stop if until_s is None else min(stop, self._first_from(until_s))
        self._spans = [
            Span(first, min(span.stop, stop))
            for span in spans
            if (first := max(span.first, start)) < span.stop
        ]
        self.next = self._spans[0].first if self._spans else stop  # nothing before it is wanted any more

    def _first_from(self, instant_s: Fraction) -> int:
        return max(0, ceil((instant_s - self._slack * self.time_base) / self._grid.step_s))

    @property
    def _slack(self) -> Fraction:
        """Slack in ticks."""
        return min(Fraction(1, 2), Fraction(1, 2000) / self.time_base)

    @property
    def are_answered(self) -> bool:
        """Whether every target of every span has its picture."""
        return not self._spans or self.next >= self._spans[-1].stop

    def due(self, target: int) -> Due:
        """A target on the pictures' clock.

        Half a tick of slack, because a muxer rounds too (Matroska to whole milliseconds), but no more than
        half a millisecond: where a tick lasts a whole picture, the nearest one may not have begun.
        """
        ticks = (self._grid.target_s(target) - self._begins_s) / self.time_base
        tick = self.first_pts + floor(ticks + self._slack)
        return Due(target, tick if self._end is None else min(tick, self._end - 1))

    def before(self, end: int | None) -> Iterator[Due]:
        """The unanswered targets before tick `end` (all of them for None)."""
        for span in self._spans:
            for target in range(max(self.next, span.first), span.stop):
                due = self.due(target)
                if end is not None and due.tick >= end:
                    return
                yield due

    def holds_too_long(self, due: Due, tick: int) -> bool:
        """Whether the picture of `tick` is not to be repeated at `due`.

        A picture answers every target it is on screen for, up to `max_hold_s` after it appeared, so that a
        slide keeps its weight in time and an hour of nothing does not become thousands of copies. The rule
        looks at this target alone, so spans read apart agree with the video read at once.
        """
        held = due.tick - max(tick, self.first_pts)
        return self.is_held(due, tick) and held * self.time_base > self._max_hold_s

    def is_held(self, due: Due, tick: int) -> bool:
        """Whether the target before this one shows the same picture."""
        return due.target > 0 and self.due(due.target - 1).tick >= max(tick, self.first_pts)

    def answer(self, due: Due, tick: int, picture: Picture) -> Answer:
        """The picture of `tick` as the answer to `due`, with its flags."""
        if self.holds_too_long(due, tick):
            return Miss(due.target, "long_hold")
        flags = FrameFlag.ESTIMATED if self.is_estimated else FrameFlag(0)
        if tick > due.tick or self._is_lost(due, tick):
            flags |= FrameFlag.SUBSTITUTE
        elif self.is_held(due, tick):
            flags |= FrameFlag.HELD
        if picture.is_damaged or self._clock.loss_at(tick):
            flags |= FrameFlag.CORRUPT
        # What is on screen when a part begins may have begun before it.
        shown_s = self._begins_s + (max(tick, self.first_pts) - self.first_pts) * self.time_base
        pts_ms = floor(shown_s * 1000 + Fraction(1, 2))
        return Pick(due.target, tick, pts_ms, picture, flags)

    def _is_lost(self, due: Due, tick: int) -> bool:
        """Whether the picture of `tick` stands for others that are missing from the file."""
        loss = self._clock.loss_at(due.tick)
        return loss is not None and tick < loss.first
