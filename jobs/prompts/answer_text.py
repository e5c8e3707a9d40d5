"""How an answer is written: labelled lines, one block per record, blocks parted by a blank line.

    12.0 - 34.5 seconds
    Title: Two friends meet
    Time of day: night
    Actions: waving; running

The format shown to the model and the parser both derive from the answer type's fields. Labelled lines
cost fewer tokens than JSON, and the field's name stands before its value where the model needs it.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from jobs.prompts.json_shape import shape
from jobs.prompts.stamps import span_text
from schemas.answers import Answer, AsJson, TimedAnswer
from videoxl2.constrained.json_schema import rules_of

NOTHING = "none"  # how an empty list, or an answer without records, is written
YES, NO = "yes", "no"

_SPAN = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,3}))? - ([0-9]{1,9})(?:\.([0-9]{1,3}))? seconds")
_BLANK_LINES = re.compile(r"\n\s*\n")


class InvalidAnswerError(Exception):
    """The text is no valid answer; the message says where and why, in one line."""


def describe_format(answer: type[Answer]) -> str:
    """The block of labelled lines that a prompt shows to the model."""
    lines = ["<start> - <end> seconds"] if issubclass(answer, TimedAnswer) else []
    return "\n".join(lines + [f"{_label(name)}: {_placeholder(answer, name)}" for name in _labelled(answer)])


def parse_records(
    answer: type[Answer], text: str, instant_ms: Callable[[int], int] | None = None
) -> list[Answer]:
    """The records in `text`. Raises `InvalidAnswerError`; nothing is repaired or skipped.

    `instant_ms` tells which instant a time that is written means, in ms both; without it they are the same.
    """
    text = text.strip()
    if not text:
        raise InvalidAnswerError("the answer is empty")
    if text.lower() == NOTHING:
        return []
    blocks = _BLANK_LINES.split(text)
    return [
        _parse_record(answer, number, block, instant_ms or int)
        for number, block in enumerate(blocks, start=1)
    ]


def write_records(records: Sequence[Answer]) -> str:
    """The text that `parse_records` reads back."""
    return "\n\n".join(_write_record(record) for record in records) or NOTHING


def _parse_record(answer: type[Answer], number: int, block: str, instant_ms: Callable[[int], int]) -> Answer:
    lines = [line.strip() for line in block.splitlines()]
    values: dict[str, Any] = {}
    if issubclass(answer, TimedAnswer):
        span = _SPAN.fullmatch(lines[0])
        if not span:
            raise InvalidAnswerError(f"record {number}: expected a span of seconds, not {lines[0][:60]!r}")
        try:
            start_ms, end_ms = (instant_ms(_ms(*span.groups()[n : n + 2])) for n in (0, 2))
        except ValueError as error:
            raise InvalidAnswerError(f"record {number}: {error}") from None
        values = {"start_ms": start_ms, "end_ms": end_ms}
        lines = lines[1:]
    names = _labelled(answer)
    if len(lines) != len(names):
        raise InvalidAnswerError(f"record {number}: {len(lines)} labelled lines where {len(names)} belong")
    for name, line in zip(names, lines, strict=True):
        label, colon, value = line.partition(":")
        if not colon or label.strip().lower() != _label(name).lower():
            raise InvalidAnswerError(f"record {number}: expected `{_label(name)}:`, not {line[:60]!r}")
        try:
            values[name] = _read(answer.model_fields[name], value)
        except (ValueError, RecursionError) as error:
            raise InvalidAnswerError(f"record {number}, {_label(name)}: no JSON: {error}") from None
    try:
        return answer.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = _label(str(problem["loc"][0])) if problem["loc"] else "span"
        raise InvalidAnswerError(f"record {number}, {where}: {problem['msg']}") from None


def _ms(whole: str, decimals: str | None) -> int:
    """Seconds as written, in ms."""
    return int(whole) * 1000 + int((decimals or "").ljust(3, "0"))


def _read(field: FieldInfo, value: str) -> Any:
    if _is_json(field):
        return json.loads(value)
    return _split_list(value) if _is_list(field) else value.strip()


def _write_record(record: Answer) -> str:
    is_timed = isinstance(record, TimedAnswer)
    lines = [f"{span_text(record.start_ms, record.end_ms)} seconds"] if is_timed else []  # type: ignore[attr-defined]
    values = record.model_dump()
    for name in _labelled(type(record)):
        lines.append(f"{_label(name)}: {_write(type(record).model_fields[name], values[name])}")
    return "\n".join(lines)


def _write(field: FieldInfo, value: Any) -> str:
    if _is_json(field):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, bool):
        return YES if value else NO
    return ("; ".join(value) or NOTHING) if isinstance(value, list) else str(value)


def _labelled(answer: type[Answer]) -> list[str]:
    return [name for name in answer.model_fields if name not in TimedAnswer.model_fields]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _is_json(field: FieldInfo) -> bool:
    return any(isinstance(marker, AsJson) for marker in field.metadata)


def _is_list(field: FieldInfo) -> bool:
    return get_origin(field.annotation) is list


def _split_list(value: str) -> list[str]:
    items = [item.strip() for item in value.split(";")]
    return [] if value.strip().lower() in ("", NOTHING) else items


def _placeholder(answer: type[Answer], name: str) -> str:
    field = answer.model_fields[name]
    annotation = field.annotation
    markers = {type(marker): marker for marker in field.metadata}
    if _is_json(field):
        return shape(rules_of(markers[AsJson].json_schema))
    if get_origin(annotation) is Literal:
        return " | ".join(get_args(annotation))
    if annotation is bool:
        return f"{YES} | {NO}"
    if annotation is int and Ge in markers and Le in markers:
        return f"<number from {markers[Ge].ge} to {markers[Le].le}>"
    if not _is_list(field):
        return "<text>"
    [item] = get_args(annotation)
    if get_origin(item) is Literal:
        return f"<any of {' | '.join(get_args(item))}, parted by ;>, or {NOTHING}"
    return f"<item>; <item>, or {NOTHING}"
