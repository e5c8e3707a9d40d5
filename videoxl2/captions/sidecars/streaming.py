"""WebVTT as streaming cuts it: a line `X-TIMESTAMP-MAP` says which time of a transport stream a cue's is."""

import re
from collections.abc import Iterator

from videoxl2.frames.probing.media_info import MediaInfo

_SECTION = re.compile(r"^\ufeff?(?=WEBVTT\b)", re.MULTILINE)
_MAP = re.compile(r"^X-TIMESTAMP-MAP=(.*)$", re.MULTILINE)
_LOCAL = re.compile(r"\bLOCAL:(?:(\d+):)?(\d{1,2}):(\d{1,2})\.(\d{3})\b", re.ASCII)
_STREAM = re.compile(r"\bMPEGTS:(\d{1,12})\b", re.ASCII)
_TICKS = 90  # a millisecond
_WRAP = 2**33 / _TICKS  # milliseconds after which a transport stream counts from 0 again


def sections_of(text: str) -> Iterator[tuple[str, int | None]]:
    """The files that one was put together from, each with the milliseconds that its map adds to its times;
    None: it has no map, or one that says nothing."""
    for section in filter(None, _SECTION.split(text)):
        yield section, _added_ms(section)


def has_stream_clock(film: MediaInfo) -> bool:
    """Whether such a map speaks of the film's own clock."""
    return film.container == "mpegts" and film.timestamps == "exact"


def taken_off_ms(added_ms: int, film: MediaInfo) -> int:
    """Return what is to be taken off a cue's time, so that it counts from the film's first picture."""
    offset_ms = film.start_ms - added_ms
    return round(offset_ms - _WRAP * round(offset_ms / _WRAP))


def _added_ms(section: str) -> int | None:
    found = _MAP.search(section.partition("-->")[0])
    if found is None:
        return None
    local, stream = _LOCAL.search(found[1]), _STREAM.search(found[1])
    if local is None or stream is None:
        return None
    hours, minutes, seconds, ms = (int(part or 0) for part in local.groups())
    return round(int(stream[1]) / _TICKS) - ((hours * 60 + minutes) * 60 + seconds) * 1000 - ms
