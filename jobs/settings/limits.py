"""Limits that end a run before its plan does: too many failures, or too late."""

import math
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from jobs.settings.times import parse_duration, parse_instant

JUDGED_FROM = 20  # settled videos; before, a share of failures may be an accident

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::00)?")


class Ending(StrEnum):
    """Reasons why a run began no more videos."""

    DONE = "done"
    STOPPED = "stopped"  # by the user
    DEADLINE = "deadline"
    NO_MACHINES = "no_machines"  # that it lacked came in time
    FAILURES = "failures"  # more than its budget


@dataclass(frozen=True)
class FailureLimit:
    """The most failures that a run bears: a number of videos, or a share of the planned ones."""

    text: str
    count: int | None
    share: Fraction | None

    @classmethod
    def parse(cls, text: object) -> "FailureLimit":
        """Parse `20` or `1%`. ValueError for anything else."""
        if isinstance(text, FailureLimit):
            return text
        found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(%?)", str(text).strip())
        if found is None or (not found[2] and "." in found[1]):
            raise ValueError("Give a number of videos, e.g. 20, or a share of the planned ones, e.g. 1%.")
        if not found[2]:
            return cls(found[1], int(found[1]), None)
        if Fraction(found[1]) > 100:
            raise ValueError("A share is at most 100%; e.g. 1% of the planned videos.")
        return cls(f"{found[1]}%", None, Fraction(found[1]) / 100)

    def is_exceeded(self, num_failures: int, num_planned: int) -> bool:
        """Whether there are more than allowed."""
        allowed = self.count if self.share is None else self.share * num_planned
        return num_failures > (allowed or 0)


@dataclass(frozen=True)
class Deadline:
    """A duration from the start, a time of day (this machine's, its next occurrence), or a date and time."""

    text: str

    @classmethod
    def parse(cls, text: object) -> "Deadline":
        """Parse `6h`, `1h30m`, `07:00` or `2026-11-30T07:00Z`. ValueError for anything else."""
        if isinstance(text, Deadline):
            return text
        deadline = cls(str(text).strip())
        now = datetime.now(UTC)
        try:
            at = deadline.at(now)
        except ValueError:
            raise ValueError(
                "Give a duration, e.g. 6h, 90m or PT6H, a time of day, e.g. 07:00, or a date, "
                "e.g. 2026-11-30T07:00."
            ) from None
        if at == now:
            raise ValueError("Give a duration of more than 0, e.g. 6h.")
        return deadline

    def at(self, started_at: datetime) -> datetime:
        """The instant, for a run that began at `started_at` (with a time zone)."""
        clock = _CLOCK.fullmatch(self.text)
        if clock is None:
            try:
                return started_at + parse_duration(self.text)
            except (ValueError, OverflowError):
                return parse_instant(self.text)
        here = started_at.astimezone()
        naive = here.replace(tzinfo=None)
        wanted = naive.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        if wanted <= naive:
            wanted += timedelta(days=1)
        return wanted.astimezone()  # that day's offset: clocks may change during the night


@dataclass(frozen=True)
class CostLimit:
    """The most that one video may cost, in seconds of an actor, money, or pictures shown: one of them is
    given."""

    text: str
    seconds: float | None = None
    usd: float | None = None
    frames: int | None = None

    @classmethod
    def parse(cls, text: object) -> "CostLimit":
        """Parse `20m`, `1.50usd` or `600frames`. ValueError for anything else."""
        if isinstance(text, CostLimit):
            return text
        words = "".join(str(text).lower().split())
        limit = cls._read(words)
        if not (limit.seconds or limit.usd or limit.frames):
            raise ValueError("Give more than 0, e.g. 20m.")
        return limit

    @classmethod
    def _read(cls, words: str) -> "CostLimit":
        with suppress(ValueError):
            return cls(words, seconds=parse_duration(words).total_seconds())
        if found := re.fullmatch(r"(\d+(?:\.\d+)?)usd", words):
            return cls(words, usd=float(found[1]))
        if found := re.fullmatch(r"(\d+)frames", words):
            return cls(words, frames=int(found[1]))
        raise ValueError(
            "Give a time, e.g. 20m, an amount, e.g. 1.50usd, or a number of pictures, e.g. 600frames."
        )


@dataclass(frozen=True)
class Duration:
    """A length of time."""

    text: str
    seconds: int

    @classmethod
    def parse(cls, text: object) -> "Duration":
        """Parse `36h`, `7d` or `1h30m`, at least a second. ValueError for anything else."""
        if isinstance(text, Duration):
            return text
        words = str(text).strip()
        seconds = int(parse_duration(words).total_seconds())
        if seconds < 1:
            raise ValueError("Give at least a second, e.g. 10m.")
        return cls(words, seconds)


def _text(value: Any) -> str:
    return str(value.text)


FailureLimitSetting = Annotated[FailureLimit, BeforeValidator(FailureLimit.parse), PlainSerializer(_text)]
CostLimitSetting = Annotated[CostLimit, BeforeValidator(CostLimit.parse), PlainSerializer(_text)]
DurationSetting = Annotated[Duration, BeforeValidator(Duration.parse), PlainSerializer(_text)]
DeadlineSetting = Annotated[Deadline, BeforeValidator(Deadline.parse), PlainSerializer(_text)]


@dataclass(frozen=True)
class Limits:
    """The limits of one run, resolved."""

    num_planned: int
    max_failures: FailureLimit | None = None
    deadline: datetime | None = None
    wait_s: float = math.inf  # for machines that lack

    def reached(self, now: datetime, num_settled: int, num_failures: int) -> Ending | None:
        """Return why no more videos should begin; None: they may."""
        if num_settled >= min(JUDGED_FROM, self.num_planned) and self.is_over_budget(num_failures):
            return Ending.FAILURES
        if self.deadline and now >= self.deadline:
            return Ending.DEADLINE
        return None

    def is_over_budget(self, num_failures: int) -> bool:
        """Whether more videos failed than the run bears."""
        return self.max_failures is not None and self.max_failures.is_exceeded(num_failures, self.num_planned)
