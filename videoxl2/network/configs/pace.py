"""How fast time goes for a model: as in the video, or by the frames it is shown. Loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class Pace:
    """The seconds that a model is told of for each second of the video, and which frames it is shown.

    Stamps, prompts and answers have told times; everything else has those of the video. One frame of `every`
    is shown, `held` times; `frame_s` are told from one that is shown to the next.
    """

    factor: Fraction = Fraction(1)
    every: int = 1
    held: int = 1
    frame_s: Fraction = Fraction(0)

    @classmethod
    def counting(cls, frame_s: Fraction, step_s: Fraction) -> Pace:
        """Return the pace of a model that takes a frame for `frame_s`, where they are `step_s` apart.

        Where that is longer, a frame is shown once for each `frame_s` that it stands for; where it is
        shorter, the frames between are left out.
        """
        every, held = max(1, round(frame_s / step_s)), max(1, round(step_s / frame_s))
        return cls(held * frame_s / (every * step_s), every, held, frame_s)

    def num_shown(self, num_frames: int) -> int:
        """Return how many times a frame is shown, of so many frames."""
        return -(-num_frames // self.every) * self.held

    def told_ms(self, ms: int, number: int = 0) -> int:
        """Return what the model is told of an instant of the video, both in ms.

        `number` is that of a frame shown then, among all that are shown: one that is held is told later.
        """
        return round(ms * self.factor + 1000 * (number % self.held) * self.frame_s)

    def video_s(self, told_s: float) -> float:
        """Return the seconds of the video that so many told ones are."""
        return told_s / float(self.factor)


REAL_TIME = Pace()
