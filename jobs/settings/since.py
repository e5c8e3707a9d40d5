"""`--since`: a date, an instant, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def parse_since(text: str, now: datetime) -> datetime:
    """`36h`, `7d`, `2026-11-01` (midnight) or `2026-11-01T06:30`; UTC where no offset is given.

    Raises ValueError for anything else.
    """
    try:
        if ago := _AGO.fullmatch(text.strip()):
            return now - timedelta(**{_UNITS[ago[2]]: float(ago[1])})
        since = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise ValueError("write a date like 2026-11-01, or how long ago: 36h, 7d, 2w") from None
    return since if since.tzinfo else since.replace(tzinfo=UTC)
