"""What a run came to so far, in numbers."""

from collections import Counter
from dataclasses import dataclass, field

from jobs.attempts.tries import Try
from schemas.tables import Attempt, Failure
from schemas.usage import NO_USAGE, Usage


@dataclass
class Tally:
    """Totals of a run so far."""

    num_indexed: int = 0
    num_partial: int = 0
    num_quarantined: int = 0
    num_elsewhere: int = 0  # settled by another run meanwhile
    committed: Usage = NO_USAGE  # of the videos whose rows this run committed
    spent: Usage = NO_USAGE  # of all tries, those in vain included
    tries: Counter[str] = field(default_factory=Counter)  # by failure class, "none" for those without
    unfinished: list[Failure] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)  # those that no bundle holds

    @property
    def num_settled(self) -> int:
        """Videos that need no further run."""
        return self.num_indexed + self.num_partial + self.num_quarantined + self.num_elsewhere

    def add(self, usage: Usage, is_partial: bool) -> None:
        """Count a video whose rows this run committed."""
        self.num_partial += is_partial
        self.num_indexed += not is_partial
        self.committed += usage

    def add_try(self, tried: Try) -> None:
        """Count a try that is over."""
        self.tries[tried.failure.failure_class if tried.failure else "none"] += 1
        self.spent += tried.usage
