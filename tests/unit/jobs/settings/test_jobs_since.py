"""`--since`: the ways in which people say when."""

from datetime import UTC, datetime

import pytest

from jobs.settings.config import resolve
from jobs.settings.times import parse_since
from schemas.failures import UsageError

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("36h", "2026-11-20T00:00:00+00:00"),
        ("90m", "2026-11-21T10:30:00+00:00"),
        ("1.5 d", "2026-11-20T00:00:00+00:00"),
        ("2w", "2026-11-07T12:00:00+00:00"),
        ("1d12h", "2026-11-20T00:00:00+00:00"),
        ("PT36H", "2026-11-20T00:00:00+00:00"),
        ("P1DT12H", "2026-11-20T00:00:00+00:00"),
        ("p2w", "2026-11-07T12:00:00+00:00"),
        ("2026-11-01", "2026-11-01T00:00:00+00:00"),
        ("2026-11-01T06:30", "2026-11-01T06:30:00+00:00"),
        ("2026-11-01T06:30+02:00", "2026-11-01T04:30:00+00:00"),
        ("2026-11-01T06:30Z", "2026-11-01T06:30:00+00:00"),
    ],
)
def test_dates_and_durations(text: str, since: str) -> None:
    """Without an offset in UTC, as S3 tells times."""
    assert parse_since(text, NOW) == datetime.fromisoformat(since)


@pytest.mark.parametrize(
    "text",
    [
        *("", "yesterday", "7", "7y", "-3d", "\u0667h", "P", "PT", "P1M", "2026-13-01", "9" * 30 + "d"),
        *("999999999d", "P101000D", "0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00"),
    ],
)
def test_anything_else_is_said_before_the_listing(text: str) -> None:
    """With what would do."""
    with pytest.raises(UsageError, match=r"since.*7d"):
        resolve({"library": "a", "index": "b", "model": "m", "since": text})


def test_a_date_to_come_is_refused() -> None:
    """A mistyped year would list nothing, night after night, and call that done."""
    with pytest.raises(UsageError, match="date that is over"):
        resolve({"library": "a", "index": "b", "model": "m", "since": "2999-01-01"})
