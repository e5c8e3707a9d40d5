"""ASS and SSA scripts: the events' dialogue, whatever order their fields are in."""

import io
import re
from collections.abc import Iterator

from videoxl2.captions.markup.ass import ass_event
from videoxl2.captions.settling import Written, join_touching

_FIELDS = ("layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text")
_NAMES = {"marked": "layer", "actor": "name"}
_TIME = re.compile(r"(-?)(\d{1,6}):(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,6}))?", re.ASCII)
_UNREADABLE = Written(0, None, "")  # counted as left out


def script_cues(text: str) -> list[Written]:
    """Comments are left out; a text that only changes its looks is one cue."""
    return join_touching(_events(text))


def _events(text: str) -> Iterator[tuple[str, Written]]:
    fields: tuple[str, ...] = _FIELDS
    section = ""
    for line in io.StringIO(text, newline=None):
        word, _, rest = line.strip().partition(":")
        if word.startswith("["):
            section = word.lower()
        elif word == "Format" and section in ("[events]", ""):
            named = [name.strip().lower() for name in rest.split(",")]
            fields = tuple(_NAMES.get(name, name) for name in named)
        elif word == "Dialogue":
            yield _event(rest, fields)


def _event(line: str, fields: tuple[str, ...]) -> tuple[str, Written]:
    values = dict(zip(fields, line.split(",", len(fields) - 1), strict=False))
    start_ms, end_ms = _ms(values.get("start", "")), _ms(values.get("end", ""))
    event = ass_event(
        f"0,0,{values.get('style', '')},{values.get('name', '')},0,0,0,,{values.get('text', '')}"
    )
    if start_ms is None or event is None or "text" not in values:
        return "", _UNREADABLE
    return event.style, Written(start_ms, end_ms, event.text, event.speaker)


def _ms(text: str) -> int | None:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    sign, hours, minutes, seconds, fraction = found.groups()
    ms = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000
    ms += round(int((fraction or "0").ljust(6, "0")) / 1000)
    return -ms if sign else ms
