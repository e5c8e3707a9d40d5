"""Dates as cameras and muxers write them. What is no date, or only a year, is none."""

import re
from datetime import UTC, datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ZONE = r"(?:\s*(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
_TIME = rf"(?P<hour>\d{{1,2}}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d{{1,9}}))?)?{_ZONE}"
_FORMS = tuple(
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        rf"(?P<year>\d{{4}})(?P<mark>[-:/.])(?P<month>\d\d)(?P=mark)(?P<day>\d\d)(?:[T\s]\s*{_TIME})?",
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)"
        rf"(?:T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)(?:[.,](?P<part>\d{{1,9}}))?{_ZONE})?",
        # As C's ctime writes it, and as mail does.
        rf"(?:[a-z]{{3,9}},?\s+)?(?P<name>[a-z]{{3}})[a-z]*\s+(?P<day>\d{{1,2}})\s+{_TIME}\s+(?P<year>\d{{4}})",
        rf"(?:[a-z]{{3,9}},?\s+)?(?P<day>\d{{1,2}})\s+(?P<name>[a-z]{{3}})[a-z]*\s+(?P<year>\d{{4}})\s+{_TIME}",
    )
)
_FIRST_FILM = 1888
# Where clocks begin: what they say that were never set.
_UNSET = {datetime(year, 1, 1, tzinfo=UTC) for year in (1904, 1970)}


def parse_date(text: str) -> datetime | None:
    """The instant, in UTC; also where no zone is given. A day is its midnight.

    None: no such date, no date at all, one that no film can be of, or of a clock that was never set.
    """
    text = text.strip().rstrip("\0").strip()
    match = next((found for form in _FORMS if (found := form.fullmatch(text))), None)
    if match is None:
        return None
    said = match.groupdict()
    try:
        month = _MONTHS.index(said["name"].lower()) + 1 if said.get("name") else int(said["month"])
        moment = datetime(
            int(said["year"]),
            month,
            int(said["day"]),
            int(said["hour"] or 0),
            int(said["minute"] or 0),
            int(said["second"] or 0),
            int((said["part"] or "0")[:6].ljust(6, "0")),
        )
        moment = datetime.fromisoformat(f"{moment.isoformat()}{_offset(said['zone'])}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return moment if is_plausible(moment) else None


def is_plausible(moment: datetime) -> bool:
    """Whether something can have been recorded then: not before there were films, nor after today."""
    is_past = moment <= datetime.now(UTC) + timedelta(days=1)  # clocks of cameras go wrong by a zone
    return moment.year >= _FIRST_FILM and moment not in _UNSET and is_past


def _offset(zone: str | None) -> str:
    return zone if zone and zone[0] in "+-" else "+00:00"
