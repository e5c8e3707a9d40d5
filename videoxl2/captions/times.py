"""Times of captions that are timecode labels."""

from dataclasses import dataclass
from fractions import Fraction

from videoxl2.timecode import close_dropped


@dataclass(frozen=True, slots=True)
class Counting:
    """A way to count pictures: `per_second` labels a second that is `rate` pictures long."""

    per_second: int
    rate: Fraction
    is_drop_frame: bool = False

    def number(self, hours: int, minutes: int, seconds: int, frames: int) -> int:
        """Number of the picture with that label, from 00:00:00:00."""
        counted = ((hours * 60 + minutes) * 60 + seconds) * self.per_second + frames
        return close_dropped(counted, self.per_second) if self.is_drop_frame else counted

    def ms(self, number: int) -> int:
        """Return when that picture is shown, rounded."""
        return round(number * 1000 / self.rate)
