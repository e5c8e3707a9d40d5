"""Which size a model is shown pictures in: a square, or the picture's own shape within a budget of pixels.

Loads no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from itertools import accumulate
from typing import NamedTuple, Protocol

FRAMES_PER_PAIR = 2  # frames of a Qwen-VL model that share their tokens
USUAL_PICTURE = (1920, 1080)  # width and height where a video's own are not known
_EXACT = 512  # frames up to which most tokens are counted one by one
_WIDEST = 200  # times as long as wide: what is longer is squeezed to it


class PictureSize(NamedTuple):
    """Sides in pixels."""

    height: int
    width: int

    @property
    def area(self) -> int:
        """The picture's pixels."""
        return self.height * self.width

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True, slots=True)
class PixelBudget:
    """The most pixels that are wanted of a frame, and of all frames shown at once; None: the model's own."""

    per_frame: int | None = None
    at_once: int | None = None


OWN_PIXELS = PixelBudget()


class PictureRule(Protocol):
    """Interface of the size in which a model takes a video's pictures, and of the tokens they become."""

    @property
    def keeps_shape(self) -> bool:
        """Whether sizes follow the video, and a budget of pixels means anything."""
        ...

    def within(self, wanted: PixelBudget) -> PictureRule:
        """Return the same rule with the wanted budgets in place of the model's own."""
        ...

    def size(self, width: int, height: int, num_frames: int) -> PictureSize:
        """Return the size for pictures shown in `width` by `height`, `num_frames` of them at once."""
        ...

    def tokens(self, size: PictureSize) -> int:
        """Return the tokens of frames of that size that are encoded together."""
        ...


@dataclass(frozen=True, slots=True)
class Squares:
    """A rule that squashes every picture to a square of `side` pixels; a group of frames is `num_tokens`."""

    side: int
    num_tokens: int

    keeps_shape = False

    def within(self, wanted: PixelBudget) -> Squares:
        """Return the rule as it is."""
        return self

    def size(self, width: int, height: int, num_frames: int) -> PictureSize:
        """Return the square."""
        return PictureSize(self.side, self.side)

    def tokens(self, size: PictureSize) -> int:
        """Return the tokens of a group of frames."""
        return self.num_tokens


class _Limit(NamedTuple):
    """Pixels that so many frames may have: of scaled ones `frames`, of rounded ones `even`, as published."""

    most: int
    frames: int
    even: int


@dataclass(frozen=True, slots=True)
class OwnShape:
    """Pictures keep their shape: both sides are multiples of `unit`, and a square of it is a token of a pair.

    `least` pixels are reached by enlarging. It counts for each frame, or for all frames together where
    `is_shared`. A budget is kept whatever `least` says, where the published rule may go beyond it, down to a
    side of one unit.
    """

    unit: int  # pixels
    least: int  # pixels
    is_shared: bool
    most: PixelBudget  # None: any number

    keeps_shape = True

    def within(self, wanted: PixelBudget) -> OwnShape:
        """Return the same rule with the wanted budgets in place of the model's own."""
        most = PixelBudget(wanted.per_frame or self.most.per_frame, wanted.at_once or self.most.at_once)
        return replace(self, most=most)

    def size(self, width: int, height: int, num_frames: int) -> PictureSize:
        """Return the published rule's size: sides rounded, or scaled to the budget and then cut to units."""
        sides = self._enlarged(*_shortened(width, height))
        num_frames = max(num_frames, FRAMES_PER_PAIR)
        frames, even = (num_frames, _even(num_frames)) if self.is_shared else (1, 1)
        limits = self._limits(num_frames)
        least = min([self.least, *(limit.most * even // limit.even for limit in limits)])
        rounded = [round(side / self.unit) * self.unit for side in sides]
        if even * rounded[0] * rounded[1] < least:
            scale = math.sqrt(least / (frames * sides[0] * sides[1]))
            rounded = [math.ceil(side * scale / self.unit) * self.unit for side in sides]
        passed = [one for one in limits if one.even * rounded[0] * rounded[1] > one.most]
        if passed:
            scale = max(math.sqrt(one.frames * sides[0] * sides[1] / one.most) for one in passed)
            rounded = [math.floor(side / scale / self.unit) * self.unit for side in sides]
            rounded = self._narrowed(rounded, min(one.most // one.frames for one in passed))
        return PictureSize(max(self.unit, rounded[1]), max(self.unit, rounded[0]))

    def tokens(self, size: PictureSize) -> int:
        """Return the tokens of a pair of frames."""
        return size.area // self.unit**2

    def most_tokens(self, num_frames: int) -> int:
        """Return the tokens of up to `num_frames` frames, whatever their shape."""
        exact = (0, *_most_tokens(self))
        if num_frames < len(exact):
            return exact[num_frames]
        beyond = self._pair_tokens(_EXACT) * -(-num_frames // FRAMES_PER_PAIR)
        at_once = self.most.at_once
        if at_once is None:
            return beyond
        pixels = FRAMES_PER_PAIR * self.unit**2
        bound = -(-at_once * (_EXACT + 1) // (_EXACT - 1) // pixels)
        return max(exact[-1], min(beyond, bound), -(-num_frames // FRAMES_PER_PAIR))

    def _pair_tokens(self, num_frames: int) -> int:
        """Return the tokens of a pair where so many frames are shown, whatever their shape."""
        limits = self._limits(max(num_frames, FRAMES_PER_PAIR))
        most = min(limit.most // min(limit.frames, limit.even) for limit in limits)
        return max(1, most // self.unit**2)

    def _limits(self, num_frames: int) -> list[_Limit]:
        """Return the budgets: of a frame, and of all, which is one of each where frames do not share it."""
        per_frame, at_once = self.most.per_frame, self.most.at_once
        limits = [_Limit(per_frame, 1, 1)] if per_frame is not None else []
        if at_once is not None:
            shared = _Limit(at_once, num_frames, _even(num_frames))
            limits.append(shared if self.is_shared else _Limit(max(1, at_once // num_frames), 1, 1))
        return limits

    def _narrowed(self, sides: list[int], most: int) -> list[int]:
        """Return sides of which none is nothing: a unit, beside which the other takes what is left."""
        longest = most // self.unit**2 * self.unit
        return [min(side, longest) for side in sides] if min(sides) < self.unit else sides

    def _enlarged(self, width: int, height: int) -> tuple[int, int]:
        """Return sides of which, where frames share a budget, none is less than a unit."""
        if not self.is_shared or min(width, height) >= self.unit:
            return width, height
        scale = max(self.unit / height, self.unit / width)
        return int(width * scale), int(height * scale)


def qwen2_5_pictures(patch_size: int) -> OwnShape:
    """Return the rule of Qwen2.5-VL: 128 to 768 tokens a frame, as its makers' tools sample videos.

    All frames together have what 90 % of its 128,000 tokens show, two frames a token.
    """
    unit = 2 * patch_size
    most = PixelBudget(768 * unit**2, pixels_of_tokens(128_000, unit))
    return OwnShape(unit, 128 * unit**2, is_shared=False, most=most)


def pixels_of_tokens(num_tokens: int, unit: int) -> int:
    """Return the pixels of all frames of Qwen2.5-VL that fill 90 % of a context of so many tokens."""
    return num_tokens * 9 // 10 * unit**2 * FRAMES_PER_PAIR


def qwen3_pictures(patch_size: int, least: int = 4096, most: int = 25_165_824) -> OwnShape:
    """Return the rule of Qwen3-VL: all frames together have `least` to `most` pixels, as published."""
    return OwnShape(2 * patch_size, least, is_shared=True, most=PixelBudget(at_once=most))


@cache
def _most_tokens(rule: OwnShape) -> tuple[int, ...]:
    """Return the tokens of up to 1, 2, 3 … frames, as far as an odd one matters."""
    pairs = ((number, -(-number // FRAMES_PER_PAIR)) for number in range(1, _EXACT + 1))
    return tuple(accumulate((rule._pair_tokens(number) * rows for number, rows in pairs), max))


def _shortened(width: int, height: int) -> tuple[int, int]:
    """Return the sides of a picture that is at most `_WIDEST` times as long as wide."""
    return min(width, height * _WIDEST), min(height, width * _WIDEST)


def _even(num_frames: int) -> int:
    """Return the number as the published rule evens it: of two that are as near, the multiple of four."""
    return round(num_frames / FRAMES_PER_PAIR) * FRAMES_PER_PAIR
