"""What a file shows, and when: the writer's knowledge."""

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from oddfilms.recipe import Recipe


@dataclass(frozen=True)
class Shown:
    """A picture from `start_s` on, in seconds from the film's first picture, until the next one."""

    number: int
    start_s: Fraction


@dataclass(frozen=True)
class Film:
    """A file and its truth."""

    path: Path
    recipe: Recipe
    shown: tuple[Shown, ...]  # in order of `start_s`
    end_s: Fraction
    slack_s: Fraction  # how far off a right reading may be
    end_slack_s: Fraction  # not every file says how long the last of uneven pictures, or the only one, stays
    num_pictures: int | None  # in the file, shown or not; None where it was cut

    def on_screen(self, at_s: Fraction) -> list[Shown]:
        """The pictures that may be read for an instant: where one ends within the slack, two or more."""
        first = max(0, bisect_right(self._starts_s, at_s - self.slack_s) - 1)
        last = max(first + 1, bisect_right(self._starts_s, at_s + self.slack_s))
        return list(self.shown[first:last])

    @cached_property
    def _starts_s(self) -> list[Fraction]:
        return [shown.start_s for shown in self.shown]
