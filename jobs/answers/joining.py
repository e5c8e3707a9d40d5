"""Written rules for what construction cannot rule out: records that repeat their neighbour."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from jobs.answers.overlap import iou
from jobs.answers.records import Record
from jobs.answers.repetition import repeats, says_the_same
from jobs.prompts.checks import marked
from schemas.answers import Answer, Key, Layout, Moments, One, Several, Tiles, TimedAnswer

JOINED = "joined_to_repeat"
DOUBLED_IOU = 0.5


def joined(layout: Layout, records: Sequence[Record]) -> tuple[list[Record], int]:
    """The records of several windows or sections as those of one, and how many moments were dropped."""
    match layout:
        case Tiles():
            return join_repeats(records), 0
        case Moments():
            kept = drop_doubles(records)
            return kept, len(records) - len(kept)
        case Several() | One():
            return without_same_key(records), 0


def join_repeats(records: Iterable[Record]) -> list[Record]:
    """Join scenes in a row in the same words: the first lasts as long as all."""
    joined: list[Record] = []
    for record in records:
        before = joined[-1] if joined else None
        if before and _goes_on(before.answer, record.answer):
            longer = before.answer.model_copy(update={"end_ms": record.answer.end_ms})  # type: ignore[attr-defined]
            joined[-1] = replace(before, answer=longer).repaired(JOINED)
        else:
            joined.append(record)
    return joined


def _goes_on(before: Answer, after: Answer) -> bool:
    assert isinstance(before, TimedAnswer)
    assert isinstance(after, TimedAnswer)
    return before.end_ms == after.start_ms and repeats([before, after], 1)


def drop_doubles(records: Iterable[Record]) -> list[Record]:
    """Moments without those that say of the same time what another said before."""
    kept: list[Record] = []
    for record in records:
        if not any(_is_double(record.answer, other.answer) for other in kept):
            kept.append(record)
    return kept


def without_same_key(records: Iterable[Record]) -> list[Record]:
    """Each key once, as it was first described; all of a type without a key."""
    kept: dict[object, Record] = {}
    for number, record in enumerate(records):
        keys = marked(type(record.answer), Key)
        kept.setdefault(getattr(record.answer, keys[0]).casefold() if keys else number, record)
    return list(kept.values())


def _is_double(answer: Answer, other: Answer) -> bool:
    assert isinstance(answer, TimedAnswer)
    assert isinstance(other, TimedAnswer)
    overlap = iou((answer.start_ms, answer.end_ms), (other.start_ms, other.end_ms))
    return overlap >= DOUBLED_IOU and says_the_same(answer, other)
