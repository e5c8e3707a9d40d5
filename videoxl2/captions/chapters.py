"""Chapters that a file marks."""

from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING

from videoxl2.captions.markup.plain import tidy
from videoxl2.captions.placing import Placing
from videoxl2.captions.records import Chapter

if TYPE_CHECKING:
    from av.container.core import Chapter as Marked

MAX_CHAPTERS = 10_000


def read_chapters(marked: "Iterable[Marked]", placing: Placing, film_ms: int) -> tuple[Chapter, ...]:
    """Read the chapters inside a film of `film_ms`, in order; one without an end lasts up to the next."""
    found = sorted((mark for mark in map(_read, marked, [placing] * MAX_CHAPTERS) if mark), key=itemgetter(0))
    starts = [start_ms for start_ms, *_ in found] + [film_ms]
    chapters = []
    for number, (start_ms, end_ms, title) in enumerate(found):
        is_said = end_ms is not None and end_ms > start_ms
        until_ms = end_ms if is_said and end_ms is not None else starts[number + 1]
        chapters.append(Chapter(max(0, start_ms), min(until_ms, film_ms), title))
    return tuple(chapter for chapter in chapters if chapter.start_ms < chapter.end_ms)


def _read(mark: "Marked", placing: Placing) -> tuple[int, int | None, str | None] | None:
    base = mark["time_base"]
    if not base:
        return None
    title = next((text for name, text in mark["metadata"].items() if name.lower() == "title"), "")
    placed = placing.placed(mark["start"] * base, mark["end"] * base)
    return next(((start_ms, end_ms, tidy(title) or None) for start_ms, end_ms in placed), None)
