"""How long and since when: one grammar for all flags and settings.

A duration is `90s`, `20m`, `36h`, `7d`, `2w`, several of them (`1h30m`), or ISO 8601 (`PT36H`, `P1DT12H`,
`P2W`), a century at most; months and years have no one length, so they are refused. A date is ISO 8601:
`2026-11-01`, `2026-11-01T06:30`, `2026-11-01T06:30+02:00`; UTC where it says no offset.
"""

import re
from datetime import UTC, datetime, timedelta

DURATION_HINT = "Write how long: 90s, 20m, 36h, 7d, 2w, 1h30m, or ISO 8601 as PT36H."
SINCE_HINT = "Write a date like 2026-11-01 or 2026-11-01T06:30, or how long ago: 36h, 7d, 2w."

_LONGEST = timedelta(days=36_525)
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PARTS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])")
_PLAIN = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?\s*[smhdw]\s*)+")
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_ISO = re.compile(
    rf"p(?=.)(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:t(?=.)(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?)?"
)


def parse_duration(text: str) -> timedelta:
    """Parse a length of time, such as `36h`. ValueError: it is none; the error says what would do."""
    duration = _read_duration(text.strip().lower())
    if duration is None or duration > _LONGEST:
        raise ValueError(DURATION_HINT)
    return duration


def _read_duration(words: str) -> timedelta | None:
    if _PLAIN.fullmatch(words):
        amounts = [(unit, n) for n, unit in _PARTS.findall(words)]
    elif iso := _ISO.fullmatch(words):
        amounts = list(zip(("w", "d", "h", "m", "s"), iso.groups(), strict=True))
    else:
        return None
    try:
        return timedelta(seconds=sum(float(n) * _UNITS_S[unit] for unit, n in amounts if n))
    except OverflowError:
        return None


def parse_instant(text: str) -> datetime:
    """A date, or a date and time. Raises ValueError, with what would do, for anything else."""
    try:
        instant = datetime.fromisoformat(text.strip())
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        instant.astimezone(UTC)
    except (ValueError, OverflowError):  # the second one: a day that UTC has not
        raise ValueError(SINCE_HINT) from None
    return instant


def parse_since(text: str, now: datetime) -> datetime:
    """A date, an instant, or how long ago. Raises ValueError, with what would do, for anything else."""
    try:
        return now - parse_duration(text)
    except (ValueError, OverflowError):
        pass
    try:
        return parse_instant(text)
    except ValueError:
        raise ValueError(SINCE_HINT) from None
