"""One line of an examination, and how it came out."""

from dataclasses import dataclass
from enum import StrEnum


class Health(StrEnum):
    """Outcome of a check."""

    OK = "ok"
    WARNING = "warning"  # a run works, perhaps not as well as it might
    FAILED = "failed"  # a run would not work


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the examination. `hint` is there where something is to be done."""

    name: str
    health: Health
    detail: str
    hint: str | None = None


def enough(name: str, free: int, wanted: int, said: str, hint: str) -> Check:
    """Warn where less than `wanted` bytes is free."""
    if free < wanted:
        return Check(name, Health.WARNING, said, hint)
    return Check(name, Health.OK, said)
