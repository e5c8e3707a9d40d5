"""The same line in several pictures is one line, with its time, and the text that was read the longest."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from videoxl2.screen_text.records import Line, Outline, Seen

_ALIKE = 0.8  # of texts
_LEAST_GROWN = 3  # letters of a text that grows letter by letter
_RIM = 0.01  # of the picture
_OVERLAP = 0.3  # of the smaller box
_SURE, _STANDS_MS = 0.9, 3000  # digits that stood so long and then change make another line; a clock is one
_MISSED = 1  # looks that a line may be overlooked in
_MOST_MISSED_MS = 10_000


@dataclass(slots=True)
class _Open:
    """A line that was there at the last look, or was overlooked in it."""

    start_ms: int
    seen: Seen  # last, at `seen_ms`
    best: Seen
    seen_ms: int
    figures_ms: int  # since when its digits are what they are
    votes: dict[str, float] = field(default_factory=dict)  # milliseconds by text, weighted with confidence
    sure: dict[str, float] = field(default_factory=dict)  # the best confidence that each text was read with
    missed_ms: int | None = None
    num_missed: int = 0

    def add(self, seen: Seen, at_ms: int) -> None:
        self._count(at_ms)
        if figures_of(seen.text) != figures_of(self.seen.text):
            self.figures_ms = at_ms
        self.seen, self.seen_ms, self.missed_ms, self.num_missed = seen, at_ms, None, 0
        if seen.confidence > self.best.confidence:
            self.best = seen

    def has_new_figures(self, seen: Seen, at_ms: int) -> bool:
        """Whether it is over, and another line that differs in digits has taken its place."""
        before, after = figures_of(self.seen.text), figures_of(seen.text)
        is_sure = min(self.seen.confidence, seen.confidence) >= _SURE
        has_stood = at_ms - self.figures_ms >= _STANDS_MS
        return before != after and len(before) == len(after) and is_sure and has_stood

    def line(self, end_ms: int) -> Line:
        self._count(end_ms)
        text = max(self.votes, key=lambda text: (self.votes[text], len(text), text))
        return Line(self.start_ms, end_ms, text, self.sure[text], self.best.outline)

    def _count(self, until_ms: int) -> None:
        text, confidence = self.seen.text, self.seen.confidence
        until_ms = until_ms if self.missed_ms is None else self.missed_ms
        self.votes[text] = self.votes.get(text, 0.0) + confidence * (until_ms - self.seen_ms)
        self.sure[text] = max(confidence, self.sure.get(text, 0.0))


class Lines:
    """Looks in, in order of time; lines out, as soon as they are over."""

    def __init__(self) -> None:
        self._open: list[_Open] = []

    def add(self, seen: Sequence[Seen], at_ms: int) -> list[Line]:
        """Add what a look at `at_ms` found; return the lines that are over."""
        unmatched, over = list(self._open), list[Line]()
        for one in seen:
            match = max(unmatched, key=lambda line: _likeness(line.seen, one), default=None)
            if match is not None and _likeness(match.seen, one) > 0:
                unmatched.remove(match)
                if not match.has_new_figures(one, at_ms):
                    match.add(one, at_ms)
                    continue
                over.append(match.line(at_ms if match.missed_ms is None else match.missed_ms))
                self._open.remove(match)
            self._open.append(_Open(at_ms, one, one, at_ms, at_ms))
        return over + self._without(unmatched, at_ms)

    def finish(self, end_ms: int) -> list[Line]:
        """The lines that are there when the film ends."""
        over = [line.line(end_ms if line.missed_ms is None else line.missed_ms) for line in self._open]
        self._open = []
        return over

    def _without(self, missing: list[_Open], at_ms: int) -> list[Line]:
        over = []
        for line in missing:
            line.num_missed += 1
            line.missed_ms = at_ms if line.missed_ms is None else line.missed_ms
            if line.num_missed > _MISSED or at_ms - line.missed_ms > _MOST_MISSED_MS:
                over.append(line.line(line.missed_ms))
                self._open.remove(line)
        return over


def letters_of(text: str) -> str:
    """Letters and digits alone, of no case and without accents, which are what readings differ in."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in plain if letter.isalnum())


def figures_of(text: str) -> str:
    """Return the digits of a text, in order."""
    return "".join(letter for letter in text if letter.isdecimal())


def _likeness(before: Seen, after: Seen) -> float:
    """How surely both are the same line, above 1 where it stays in its place; 0: they are not."""
    a, b = letters_of(before.text), letters_of(after.text)
    alike = 1.0 if a == b else SequenceMatcher(None, a, b, autojunk=False).ratio()
    overlap = _overlap(before.outline, after.outline)
    if overlap < _OVERLAP:
        return alike / 2 if alike >= _ALIKE and _moves(before.outline, after.outline) else 0.0
    shorter, longer = sorted((a, b), key=len)
    is_prefix = len(shorter) >= _LEAST_GROWN and longer.startswith(shorter)
    has_grown = is_prefix and _begins_alike(before.outline, after.outline)
    return 1 + alike if alike >= _ALIKE or has_grown else 0.0


def _overlap(a: Outline, b: Outline) -> float:
    width = min(a.right, b.right) - max(a.left, b.left)
    height = min(a.bottom, b.bottom) - max(a.top, b.top)
    smaller = min(a.area, b.area)
    return width * height / smaller if width > 0 and height > 0 and smaller > 0 else 0.0


def _begins_alike(a: Outline, b: Outline) -> bool:
    """Whether one may be the other, written on: letters as high, in one row, from one place on."""
    slack = 0.4 * (a.bottom - a.top)
    return max(abs(a.top - b.top), abs(a.bottom - b.bottom), abs(a.left - b.left)) < slack


def _moves(a: Outline, b: Outline) -> bool:
    """Whether one may be the other, rolled up or down or crept along: in one column or row, and as large
    unless it comes in or goes out."""
    width, height = a.right - a.left, a.bottom - a.top
    is_cut = min(a.top, b.top) < _RIM or max(a.bottom, b.bottom) > 1 - _RIM
    is_as_large = is_cut or abs(b.bottom - b.top - height) < 0.4 * height
    rolls = abs(a.left - b.left) < 0.5 * height and abs(b.right - b.left - width) < 0.2 * width
    creeps = abs(a.top - b.top) < 0.5 * height
    return is_as_large and (rolls or creeps)
