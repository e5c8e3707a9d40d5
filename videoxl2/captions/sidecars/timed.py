"""Cues under lines of times: SubRip, WebVTT, SBV and SubViewer.

Whatever else is wrong with a file, a line of times begins a cue and the next one ends it.
"""

import io
import re
from collections.abc import Iterator

from videoxl2.captions.markup.subrip import subrip_text
from videoxl2.captions.markup.webvtt import webvtt_texts
from videoxl2.captions.settling import Written

_TIME = r"(-?)(?:(\d{1,6}):)?(\d{1,3}):(\d{1,3})(?:[.,:](\d{1,9}))?"
_ARROW = "-->"
_ARROW_LINE = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?!\S)", re.ASCII)
_BEGINNING = re.compile(r"\s*-?\d+:", re.ASCII)
_COMMA_LINE = re.compile(rf"\s*{_TIME}\s*,\s*{_TIME}\s*$", re.ASCII)
_BREAK = re.compile(r"\[br\]", re.IGNORECASE)
_UNREADABLE = Written(0, None, "")  # counted as left out

_Times = tuple[int, int]


def subrip_cues(text: str) -> Iterator[Written]:
    """Blank lines, numbers and their absence end nothing: only the next line of times does."""
    times: _Times | None = None
    lines: list[str] = []
    is_numbered: bool | None = None
    for line in _lines(text):
        if not _is_of_times(line, _ARROW, _ARROW_LINE):
            lines.append(line)
            continue
        has_number = bool(lines) and lines[-1].strip().isdecimal()
        is_numbered = has_number if is_numbered is None else is_numbered
        if times:
            yield Written(*times, subrip_text("\n".join(lines[:-1] if is_numbered and has_number else lines)))
        lines = []
        times = _times(_ARROW_LINE.match(line))
        if times is None:
            yield _UNREADABLE
    if times:
        yield Written(*times, subrip_text("\n".join(lines)))


def webvtt_cues(text: str) -> Iterator[Written]:
    """Each voice of a cue by itself. Notes, styles and regions have no times."""
    for times, lines in _blocks(text, _ARROW, _ARROW_LINE):
        if times is None:
            yield _UNREADABLE
        else:
            yield from (Written(*times, said, speaker) for speaker, said in webvtt_texts("\n".join(lines)))


def subviewer_cues(text: str) -> Iterator[Written]:
    """SBV and SubViewer, which write two times with a comma between them."""
    for times, lines in _blocks(text, ",", _COMMA_LINE):
        if times is not None:
            yield Written(*times, subrip_text(_BREAK.sub("\n", "\n".join(lines))))


def _blocks(text: str, mark: str, of_times: re.Pattern[str]) -> Iterator[tuple[_Times | None, list[str]]]:
    """Times and the lines below them up to a blank one; without times: a line with the mark has none."""
    times: _Times | None = None
    lines: list[str] | None = None
    for line in _lines(text):
        if _is_of_times(line, mark, of_times):
            if lines is not None:
                yield times, lines
            times, lines = _times(of_times.match(line)), []
        elif lines is not None and line.strip():
            lines.append(line)
        elif lines is not None:
            yield times, lines
            lines = None
    if lines is not None:
        yield times, lines


def _is_of_times(line: str, mark: str, of_times: re.Pattern[str]) -> bool:
    """Also where they are damaged: what begins like one is no text."""
    if mark not in line:
        return False
    return of_times.match(line) is not None or (mark == _ARROW and _BEGINNING.match(line) is not None)


def _lines(text: str) -> Iterator[str]:
    return (line.rstrip("\n") for line in io.StringIO(text, newline=None))


def _times(found: re.Match[str] | None) -> _Times | None:
    if found is None:
        return None
    parts = found.groups()
    return _ms(*parts[:5]), _ms(*parts[5:])


def _ms(sign: str, hours: str | None, minutes: str, seconds: str, fraction: str | None) -> int:
    """A fraction counts from its point, however many digits it has: `1.5` is a second and a half."""
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    ms = whole * 1000 + round(int((fraction or "0")[:9].ljust(9, "0")) / 1e6)
    return -ms if sign else ms
