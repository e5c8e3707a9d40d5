"""What an answer type cannot say by itself: an answer must fit the video and the answers before it."""

from collections.abc import Sequence
from itertools import pairwise

from jobs.prompts.answer_text import InvalidAnswerError
from schemas.answers import Answer, FromRoster, Key, Marker, Tiles, TimedAnswer


def check_records(records: Sequence[Answer], duration_ms: int, roster: Sequence[str]) -> None:
    """Check records against the video and the roster. InvalidAnswerError: for the first one that contradicts
    them."""
    known = {label.casefold() for label in roster}
    keys: set[str] = set()
    for number, record in enumerate(records, start=1):
        if isinstance(record, TimedAnswer):
            _check_span(number, record, duration_ms)
        for name in marked(type(record), FromRoster):
            if unknown := [item for item in getattr(record, name) if item.casefold() not in known]:
                raise InvalidAnswerError(f"record {number}: {unknown[0]!r} is not among the characters")
        for name in [] if isinstance(record, TimedAnswer) else marked(type(record), Key):
            key = getattr(record, name).casefold()
            if key in keys:
                raise InvalidAnswerError(f"record {number}: another one has the {name} {key!r}")
            keys.add(key)
    _check_tiles([r for r in records if isinstance(r, TimedAnswer) and isinstance(r.layout, Tiles)])


def marked(answer: type[Answer], marker: type[Marker]) -> list[str]:
    """The fields that carry the marker."""
    fields = answer.model_fields.items()
    return [name for name, info in fields if any(isinstance(m, marker) for m in info.metadata)]


def _check_span(number: int, record: TimedAnswer, duration_ms: int) -> None:
    if record.end_ms > max(duration_ms, 1):
        raise InvalidAnswerError(
            f"record {number}: ends at {record.end_ms} ms, the video at {duration_ms} ms"
        )


def _check_tiles(tiles: Sequence[TimedAnswer]) -> None:
    for number, (before, after) in enumerate(pairwise(tiles), start=2):
        if after.start_ms < before.end_ms:
            raise InvalidAnswerError(f"record {number}: starts at {after.start_ms} ms, inside the one before")
