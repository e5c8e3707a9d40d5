"""ASS and SSA: overrides and drawings out, breaks in, the speaker from an event's Name field."""

import re
from typing import NamedTuple

from videoxl2.captions.markup.plain import tidy

_PART = re.compile(r"\{([^{}]*)\}|([^{]+|\{)")
_DRAWING = re.compile(r"\\p(\d+)")
_BREAKS = {"\\N": "\n", "\\n": " ", "\\h": " "}
_BREAK = re.compile(r"\\[Nnh]")
_NUM_FIELDS = 9  # of an event as Matroska stores it: ReadOrder,Layer,Style,Name,three margins,Effect,Text


class Event(NamedTuple):
    """One line of dialogue."""

    style: str
    speaker: str | None
    text: str


def ass_event(stored: str) -> Event | None:
    """An event as Matroska and FFmpeg have it, without times; None: it has too few fields."""
    fields = stored.split(",", _NUM_FIELDS - 1)
    if len(fields) < _NUM_FIELDS:
        return None
    style, name = fields[2].strip(), tidy(fields[3])
    return Event(style, name if name and name != style else None, ass_text(fields[-1]))


def ass_text(text: str) -> str:
    """The words of an event's text."""
    words, is_drawing = [], False
    for command, plain in _PART.findall(text):
        if command:
            for size in _DRAWING.findall(command):
                is_drawing = bool(size.strip("0"))
        elif not is_drawing:
            words.append(plain)
    return tidy(_BREAK.sub(lambda mark: _BREAKS[mark[0]], "".join(words)))
