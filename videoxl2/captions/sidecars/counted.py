"""Cues that count instead of telling the time: MicroDVD counts pictures, MPL2 tenths of a second."""

import io
import re
from collections.abc import Iterator
from fractions import Fraction

from videoxl2.captions.markup.plain import tidy
from videoxl2.captions.settling import Written

_MICRODVD = re.compile(r"\s*\{(\d{1,9})\}\{(\d{0,9})\}(.*)", re.ASCII)
_MPL2 = re.compile(r"\s*\[(\d{1,9})\]\[(\d{0,9})\](.*)", re.ASCII)
_CONTROL = re.compile(r"\{[a-zA-Z]:[^{}]*\}")
_RATE = re.compile(r"\d{1,3}(?:[.,]\d{1,6})?", re.ASCII)
_LEAST_FPS, _MOST_FPS = 5, 240
_EXACT = {  # rates as people write them
    Fraction("23.976"): Fraction(24000, 1001),
    Fraction("23.98"): Fraction(24000, 1001),
    Fraction("29.97"): Fraction(30000, 1001),
    Fraction("59.94"): Fraction(60000, 1001),
}
_TENTHS = 10


def microdvd_cues(text: str, film_fps: Fraction) -> Iterator[Written]:
    """Read cues such as `{25}{50}Two lines|of text`. The first one may say how many pictures a second it
    counts."""
    fps: Fraction | None = None
    for start, end, said in _counted(text, _MICRODVD):
        if fps is None:
            fps = _told_rate(said) or film_fps
            if _told_rate(said):
                continue
        yield _written(start, end, _CONTROL.sub("", said), fps)


def mpl2_cues(text: str) -> Iterator[Written]:
    """Read cues such as `[10][20]/In italics|and not`."""
    for start, end, said in _counted(text, _MPL2):
        lines = (line.lstrip().removeprefix("/") for line in said.split("|"))
        yield _written(start, end, "|".join(lines), Fraction(_TENTHS))


def _counted(text: str, form: re.Pattern[str]) -> Iterator[tuple[str, str, str]]:
    for line in io.StringIO(text, newline=None):
        if found := form.match(line):
            yield found[1], found[2], found[3]


def _written(start: str, end: str, said: str, per_second: Fraction) -> Written:
    end_ms = round(int(end) * 1000 / per_second) if end else None
    return Written(round(int(start) * 1000 / per_second), end_ms, tidy(said.replace("|", "\n")))


def _told_rate(said: str) -> Fraction | None:
    if not _RATE.fullmatch(said.strip()):
        return None
    rate = Fraction(said.strip().replace(",", "."))
    return _EXACT.get(rate, rate) if _LEAST_FPS <= rate <= _MOST_FPS else None
