"""How an answer is written: labelled lines, one block per record, blocks parted by a blank line.

    12.0 - 34.5 seconds
    Title: Two friends meet
    Time of day: night
    Actions: waving; running

The format shown to the model and the parser both derive from the answer type's fields. Labelled lines
cost fewer tokens than JSON, and the field's name stands before its value where the model needs it.
"""

import re
from collections.abc import Sequence
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError

from schemas.answers import Answer, TimedAnswer

NOTHING = "none"  # how an empty list, or an answer without records, is written

_SPAN = re.compile(r"(\d+(?:\.\d+)?) - (\d+(?:\.\d+)?) seconds")
_BLANK_LINES = re.compile(r"\n\s*\n")


class InvalidAnswerError(Exception):
    """The text is no valid answer; the message says where and why, in one line."""


def describe_format(answer: type[Answer]) -> str:
    """The block of labelled lines that a prompt shows to the model."""
    lines = ["<start> - <end> seconds"] if issubclass(answer, TimedAnswer) else []
    return "\n".join(lines + [f"{_label(name)}: {_placeholder(answer, name)}" for name in _labelled(answer)])


def parse_records(answer: type[Answer], text: str) -> list[Answer]:
    """The records in `text`. Raises `InvalidAnswerError`; nothing is repaired or skipped."""
    text = text.strip()
    if not text:
        raise InvalidAnswerError("the answer is empty")
    if text.lower() == NOTHING:
        return []
    blocks = _BLANK_LINES.split(text)
    return [_parse_record(answer, number, block) for number, block in enumerate(blocks, start=1)]


def write_records(records: Sequence[Answer]) -> str:
    """The text that `parse_records` reads back."""
    return "\n\n".join(_write_record(record) for record in records) or NOTHING


def _parse_record(answer: type[Answer], number: int, block: str) -> Answer:
    lines = [line.strip() for line in block.splitlines()]
    values: dict[str, Any] = {}
    if issubclass(answer, TimedAnswer):
        span = _SPAN.fullmatch(lines[0])
        if not span:
            raise InvalidAnswerError(f"record {number}: expected a span of seconds, not {lines[0][:60]!r}")
        values = {"start_s": float(span[1]), "end_s": float(span[2])}
        lines = lines[1:]
    names = _labelled(answer)
    if len(lines) != len(names):
        raise InvalidAnswerError(f"record {number}: {len(lines)} labelled lines where {len(names)} belong")
    for name, line in zip(names, lines, strict=True):
        label, colon, value = line.partition(":")
        if not colon or label.strip().lower() != _label(name).lower():
            raise InvalidAnswerError(f"record {number}: expected `{_label(name)}:`, not {line[:60]!r}")
        values[name] = _split_list(value) if _is_list(answer, name) else value.strip()
    try:
        return answer.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = _label(str(problem["loc"][0])) if problem["loc"] else "span"
        raise InvalidAnswerError(f"record {number}, {where}: {problem['msg']}") from None


def _write_record(record: Answer) -> str:
    lines = [f"{record.start_s} - {record.end_s} seconds"] if isinstance(record, TimedAnswer) else []
    for name in _labelled(type(record)):
        value = getattr(record, name)
        lines.append(f"{_label(name)}: {('; '.join(value) or NOTHING) if isinstance(value, list) else value}")
    return "\n".join(lines)


def _labelled(answer: type[Answer]) -> list[str]:
    return [name for name in answer.model_fields if name not in TimedAnswer.model_fields]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _is_list(answer: type[Answer], name: str) -> bool:
    return get_origin(answer.model_fields[name].annotation) is list


def _split_list(value: str) -> list[str]:
    items = [item.strip() for item in value.split(";")]
    return [] if value.strip().lower() in ("", NOTHING) else items


def _placeholder(answer: type[Answer], name: str) -> str:
    annotation = answer.model_fields[name].annotation
    if get_origin(annotation) is Literal:
        return " | ".join(get_args(annotation))
    if annotation is int:
        return "<number from 0 to 100>"
    return f"<item>; <item>, or {NOTHING}" if _is_list(answer, name) else "<text>"
