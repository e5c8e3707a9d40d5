"""What a file shows, and when: the writer's knowledge."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from oddfilms.recipe import Recipe


@dataclass(frozen=True)
class Shown:
    """A picture from `start_s` on, in seconds from the film's first picture, until the next one."""

    number: int
    start_s: Fraction
    slack_s: Fraction  # how far off a right reading may be


@dataclass(frozen=True)
class Film:
    """A file and its truth."""

    path: Path
    recipe: Recipe
    shown: tuple[Shown, ...]  # in order of `start_s`
    end_s: Fraction
    end_slack_s: Fraction  # not every file says how long the last of uneven pictures, or the only one, stays
    num_pictures: int | None  # in the file, shown or not; None where it was cut
