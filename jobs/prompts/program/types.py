"""Fields that a program writes, from an answer type."""

from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from jobs.prompts.answer_text import NO, NOTHING, YES, describe_format
from jobs.prompts.program.fields import (
    ITEM_TOKENS,
    ChoiceField,
    Count,
    Field,
    JsonField,
    ListField,
    PickField,
    TextField,
    most_tokens,
)
from jobs.prompts.program.times import AnswerContext
from schemas.answers import Answer, AsJson, FromRoster, InSteps, Key, MaxTokens, TimedAnswer
from schemas.failures import UsageError

_REMEDY = "Give it one, so that every answer ends."


def fields_of(answer: type[Answer], context: AnswerContext, count: Count) -> tuple[Field, ...]:
    """The labelled fields in writing order. Raises `UsageError` for a field that nothing bounds."""
    names = [name for name in answer.model_fields if name not in TimedAnswer.model_fields]
    lines = describe_format(answer).splitlines()[-len(names) :]
    labels = [line.partition(":")[0] + ":" for line in lines]
    return tuple(
        _field(name, label, answer.model_fields[name], context.roster, count)
        for name, label in zip(names, labels, strict=True)
    )


def _field(name: str, label: str, info: FieldInfo, roster: tuple[str, ...], count: Count) -> Field:
    kind = info.annotation
    if written := [m for m in info.metadata if isinstance(m, AsJson)]:
        return JsonField(name, label, written[0].json_schema, _marker(info.metadata, MaxTokens, name).tokens)
    if get_origin(kind) is Literal:
        return ChoiceField(name, label, get_args(kind))
    if kind is bool:
        return ChoiceField(name, label, (YES, NO))
    if kind is int:
        low, high = _marker(info.metadata, Ge, name).ge, _marker(info.metadata, Le, name).le
        step = next((m.step for m in info.metadata if isinstance(m, InSteps)), 1)
        return ChoiceField(name, label, tuple(str(n) for n in range(low, high + 1, step)))
    tokens = next((m.tokens for m in info.metadata if isinstance(m, MaxTokens)), None)
    if kind is str:
        chars = _max_chars(info.metadata, name)
        is_key = any(isinstance(m, Key) for m in info.metadata)
        return TextField(name, label, tokens or -(-chars // 4), chars, is_key)
    if get_origin(kind) is list and get_origin(get_args(kind)[0]) is Literal:
        max_items = _marker(info.metadata, MaxLen, name).max_length
        costs = {item: most_tokens(count, f" {item}") for item in get_args(get_args(kind)[0])}
        return PickField(name, label, max_items, sum(sorted(costs.values())[-max_items:]), costs)
    if get_origin(kind) is list and get_origin(get_args(kind)[0]) is not None:
        chars = _max_chars(get_args(kind)[0].__metadata__, name)
        max_items = _marker(info.metadata, MaxLen, name).max_length
        tokens = tokens or max_items * ITEM_TOKENS
        if any(isinstance(m, FromRoster) for m in info.metadata):
            costs = {item: most_tokens(count, f" {item}") for item in _nameable(roster, chars)}
            return PickField(name, label, max_items, tokens, costs)
        return ListField(name, label, max_items, tokens, chars)
    raise UsageError(
        f"field {name!r}: {kind} cannot be asked for", "Use text, a number, Literal or a list of texts."
    )


def _marker(metadata: Any, marker: type, name: str) -> Any:
    found = [m for m in metadata if isinstance(m, marker)]
    if not found:
        raise UsageError(
            f"field {name!r} has no bound ({marker.__name__})", "Give it one, so that answers end."
        )
    return found[0]


def _max_chars(metadata: Any, name: str) -> int:
    found = [m.max_length for m in metadata if isinstance(m, StringConstraints | MaxLen)]
    if not found or found[0] is None:
        raise UsageError(f"field {name!r} has no max_length", _REMEDY)
    return int(found[0])


def _nameable(roster: tuple[str, ...], max_chars: int) -> tuple[str, ...]:
    """The labels that a list can hold and that are told apart from each other and from `none`."""
    seen, labels = {NOTHING}, []
    for label in roster:
        is_line = label == label.strip() and len(label.splitlines()) == 1 and "\0" not in label
        if is_line and ";" not in label and len(label) <= max_chars and label.casefold() not in seen:
            seen.add(label.casefold())
            labels.append(label)
    return tuple(labels)
