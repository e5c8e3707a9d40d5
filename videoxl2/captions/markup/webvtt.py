"""WebVTT cue text: its tags are left out, what a `<v Name>` holds is said by that name."""

import re
from html import unescape

from videoxl2.captions.markup.plain import tidy

# A tag, its name and what follows it; or a time at which the next words are lit up.
_MARK = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z]+)(?P<rest>[^<>]*)(?:>|\Z)|<\d[\d:.]*(?:>|\Z)")
_ENDLESS_NUMBER = re.compile(r"&#(?:[0-9]{9,}|[xX][0-9A-Fa-f]{9,});?")  # of no letter
_RUBY = "rt"  # stands above other words and says how they are read
_VOICE = "v"


def webvtt_texts(cue: str) -> list[tuple[str | None, str]]:
    """Return speakers (None: not told) and words of one cue, in order; nothing where it has no words."""
    voices: list[tuple[str | None, list[str]]] = [(None, [])]
    ruby_depth = at = 0
    for mark in _MARK.finditer(cue):
        if not ruby_depth:
            voices[-1][1].append(cue[at : mark.start()])
        at = mark.end()
        if mark["name"] == _RUBY:
            ruby_depth = max(0, ruby_depth - 1) if mark["close"] else ruby_depth + 1
        elif mark["name"] == _VOICE:
            voices.append((None if mark["close"] else _annotation(mark["rest"]), []))
    if not ruby_depth:
        voices[-1][1].append(cue[at:])
    said = ((speaker, _words("".join(parts))) for speaker, parts in voices)
    return [(speaker, text) for speaker, text in said if text]


def _annotation(rest: str) -> str | None:
    """What follows a tag's name and classes: `.loud Mary Ann` is Mary Ann."""
    return _words("".join(rest.split(maxsplit=1)[1:] if rest.startswith(".") else rest)) or None


def _words(text: str) -> str:
    return tidy(unescape(_ENDLESS_NUMBER.sub("", text)))
