"""How long and since when: one grammar for all flags and settings.

A duration is `90s`, `20m`, `36h`, `7d`, `2w`, several of them (`1h30m`), or ISO 8601 (`PT36H`, `P1DT12H`,
`P2W`); months and years have no one length, so they are refused. A date is ISO 8601: `2026-11-01`,
`2026-11-01T06:30`, `2026-11-01T06:30+02:00`; UTC where it says no offset.
"""

import re
from datetime import UTC, datetime, timedelta

DURATION_HINT = "Write how long: 90s, 20m, 36h, 7d, 2w, 1h30m, or ISO 8601 as PT36H."
SINCE_HINT = "Write a date like 2026-11-01 or 2026-11-01T06:30, or how long ago: 36h, 7d, 2w."

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PARTS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([smhdw])")
_PLAIN = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?\s*[smhdw]\s*)+")
_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_ISO = re.compile(
    rf"p(?=.)(?:{_NUMBER}w)?(?:{_NUMBER}d)?(?:t(?=.)(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?)?"
)


def parse_duration(text: str) -> timedelta:
    """Raises ValueError, with what would do, for anything that is no duration."""
    words = text.strip().lower()
    try:
        if _PLAIN.fullmatch(words):
            return timedelta(seconds=sum(float(n) * _UNITS_S[unit] for n, unit in _PARTS.findall(words)))
        if iso := _ISO.fullmatch(words):
            amounts = zip(("w", "d", "h", "m", "s"), iso.groups(), strict=True)
            return timedelta(seconds=sum(float(n) * _UNITS_S[unit] for unit, n in amounts if n))
    except OverflowError:
        pass
    raise ValueError(DURATION_HINT)


def parse_instant(text: str) -> datetime:
    """A date, or a date and time. Raises ValueError, with what would do, for anything else."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(SINCE_HINT) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


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
