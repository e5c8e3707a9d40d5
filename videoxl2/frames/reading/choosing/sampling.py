"""Which instants of a video are wanted: an even grid from its first picture, in exact rationals."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from videoxl2.frames.probing.media_info import MediaInfo


@dataclass(frozen=True)
class Span:
    """Targets `[first, stop)` of a grid: what one reading task takes."""

    first: int
    stop: int


@dataclass(frozen=True)
class SamplingGrid:
    """Target k is the instant `k * step_s` after the first picture, for k in `[0, num_targets)`."""

    step_s: Fraction
    num_targets: int

    @property
    def effective_fps(self) -> Fraction:
        """Targets per second."""
        return 1 / self.step_s

    def target_s(self, target: int) -> Fraction:
        """Seconds from the first picture to a target."""
        return target * self.step_s

    def of_every(self, nth: int) -> "SamplingGrid":
        """Return the grid of the first of these targets and of every so many from there."""
        return SamplingGrid(self.step_s * nth, -(-self.num_targets // nth))

    def spans(self, frames_per_span: int) -> list[Span]:
        """Yield the grid in consecutive pieces of at most `frames_per_span` targets. ValueError: that is not
        positive."""
        if frames_per_span < 1:
            raise ValueError(f"frames_per_span must be at least 1, not {frames_per_span}")
        return list(self._spans(frames_per_span))

    def _spans(self, size: int) -> Iterator[Span]:
        for first in range(0, self.num_targets, size):
            yield Span(first, min(first + size, self.num_targets))


def plan_sampling(info: MediaInfo, fps: Fraction = Fraction(1), max_frames: int = 2048) -> SamplingGrid:
    """Return targets every `1/fps` seconds; a video too long for that is covered evenly by `max_frames`
    targets.

    Every target lies before the video's end, and there is always at least one. ValueError: a number is not
    positive.
    """
    if fps <= 0 or max_frames < 1:
        raise ValueError(f"fps and max_frames must be positive, not {fps} and {max_frames}")
    duration_s = Fraction(info.duration_ms, 1000)
    step_s = 1 / Fraction(fps)
    num_targets = max(1, ceil(duration_s / step_s))
    if num_targets > max_frames:
        step_s, num_targets = duration_s / max_frames, max_frames
    return SamplingGrid(step_s, num_targets)
