"""Which runs a report is about. Run ids sort by start time, so a period is two of them."""

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.settings.times import parse_since
from schemas.failures import UsageError
from storage.query.catalog import Catalog

_KNOWN = "SELECT run_id FROM runs UNION SELECT run_id FROM attempts"
_LAST = "~"  # after every run id
_SHOWN = 3


@dataclass(frozen=True)
class Period:
    """Runs with ids from `first` to `last`, both included. `since` where it is a stretch of time."""

    first: str
    last: str
    since: datetime | None = None


def find_period(catalog: Catalog, run_id: str | None, since: str | None) -> Period:
    """One run, everything since then, or the latest run. UsageError: no such run, no such date."""
    if run_id is not None and since is not None:
        raise UsageError("--run and --since together", "Give one of them.")
    if since is not None:
        return since_period(since)
    if run_id is not None:
        _check_run(catalog, run_id)
        return Period(run_id, run_id)
    [(latest,)] = catalog.query(f"SELECT max(run_id) FROM ({_KNOWN})").rows
    return Period(latest or "", latest or "")


def since_period(text: str) -> Period:
    """Return the time since a date, a date and time, or so long ago; UTC where it names no zone. UsageError:
    it is none of them."""
    try:
        since = parse_since(text, datetime.now(UTC)).astimezone(UTC)
    except ValueError as error:
        raise UsageError(f"{text!r} is no date", str(error)) from None
    return Period(f"{since:%Y%m%dT%H%M%SZ}", _LAST, since)


def _check_run(catalog: Catalog, run_id: str) -> None:
    known = [row[0] for row in catalog.query(f"FROM ({_KNOWN}) ORDER BY run_id DESC").rows]
    if run_id not in known:
        close = difflib.get_close_matches(run_id, known[:1000], n=_SHOWN) or known[:_SHOWN]
        hint = (
            f"Did you mean {', '.join(close)}?"
            if close
            else "There was no run yet: `media-index run` makes one."
        )
        raise UsageError(f"there is no run {run_id!r} in this index", hint)
