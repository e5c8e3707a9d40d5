"""Text in pictures, in milliseconds from the first picture and fractions of a picture's sides."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outline:
    """A level rectangle; fractions of width and height, from the left and from the top."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Share of the picture's area, as a fraction."""
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True, slots=True)
class Seen:
    """A line in one picture; `confidence` is the mean probability of its letters."""

    text: str
    confidence: float
    outline: Outline


@dataclass(frozen=True, slots=True)
class Line:
    """A line on screen; `end_ms` is when the first picture without it begins of those that were looked at.

    `text` is what was read the longest, `confidence` the best that it was read with, `outline` where it
    was read best.
    """

    start_ms: int
    end_ms: int
    text: str
    confidence: float
    outline: Outline
