"""The slots of a record's fields, derived from the answer type.

A field writes what stands behind its label: ` a value` and one of the ends it is given. Which end it was
tells what follows: another line, another record, or nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le, MaxLen
from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from jobs.program_times import AnswerContext
from jobs.wire import NOTHING, describe_format
from schemas.answers import Answer, FromRoster, InSteps, Key, MaxTokens, TimedAnswer
from schemas.failures import UsageError
from videoxl2.slots import Back, Choice, Got, Program, Text, text_bound
from videoxl2.slots import Literal as Written

Count = Callable[[str], int]  # tokens of a text
Ends = tuple[str, ...]

_ITEM_TOKENS = 10  # of one item in a list of free texts
_LAST_ITEM_TOKENS = 4  # with fewer left, a list takes no further item
_REMEDY = "give it one, so that every answer ends"
_KEY_FORBIDS = ";|"  # a key is written into lists, and into prompts, where `<|` could open a control token


@dataclass(frozen=True)
class FieldAnswer:
    """What was written for a field: its value or items, and which end."""

    texts: tuple[str, ...]
    end: int
    slots: tuple[Got, ...]  # the last one says how long the answer is now


@dataclass(frozen=True)
class TextField:
    name: str
    label: str
    max_tokens: int
    max_chars: int
    is_key: bool

    def write(self, ends: Ends) -> Program[FieldAnswer]:
        got = yield Text(self.max_tokens, self.max_chars, ends, _KEY_FORBIDS if self.is_key else "")
        return FieldAnswer((got.text,), got.index, (got,))

    def bound(self, count: Count) -> int:
        return text_bound(self.max_tokens, _most(count, ""))


@dataclass(frozen=True)
class ChoiceField:
    """One of a few words or numbers."""

    name: str
    label: str
    options: tuple[str, ...]

    def write(self, ends: Ends) -> Program[FieldAnswer]:
        got = yield Choice(tuple(f" {option}{end}" for option in self.options for end in ends))
        option, end = divmod(got.index, len(ends))
        return FieldAnswer((self.options[option],), end, (got,))

    def bound(self, count: Count) -> int:
        return max(_most(count, f" {option}") for option in self.options)


@dataclass(frozen=True)
class ListField:
    """Free texts parted by `;`. An item too many, or one that was there before, is taken back.

    A `;` is legal to the last: a model that wants one and may not would only wander on in its item.
    """

    name: str
    label: str
    max_items: int
    max_tokens: int
    max_chars: int

    def write(self, ends: Ends) -> Program[FieldAnswer]:
        start = yield Written("")
        items: list[Got] = []
        seen = {NOTHING}
        while True:
            left = self.max_tokens - ((items[-1] if items else start).num_spent - start.num_spent)
            tokens = min(_ITEM_TOKENS, left)
            more = len(items) + 1 < self.max_items and left - text_bound(tokens, 1) >= _LAST_ITEM_TOKENS
            got = yield Text(tokens, self.max_chars, (*ends, ";"), ";")
            if got.text.casefold() in seen:
                return (yield from self._close(ends, start, items, got))
            seen.add(got.text.casefold())
            items.append(got)
            if got.index < len(ends):
                return FieldAnswer(tuple(item.text for item in items), got.index, tuple(items))
            if not more:
                return (yield from self._close(ends, start, items, got))

    def _close(self, ends: Ends, start: Got, items: list[Got], refused: Got) -> Program[FieldAnswer]:
        """End the list behind the last of `items`."""
        if not items and refused.text == NOTHING and refused.index < len(ends):
            return FieldAnswer((), refused.index, (refused,))
        yield Back(items[-1].num_tokens - 1 if items else start.num_tokens)  # `;` is one token
        got = yield Choice(tuple(("" if items else f" {NOTHING}") + end for end in ends))
        return FieldAnswer(tuple(item.text for item in items), got.index, (*items, got))

    def bound(self, count: Count) -> int:
        return text_bound(self.max_tokens, _most(count, "") + _most(count, f" {NOTHING}"))


@dataclass(frozen=True)
class PickField:
    """Names out of a roster, each at most once, as far as the tokens go."""

    name: str
    label: str
    max_items: int
    max_tokens: int
    costs: dict[str, int]  # tokens of each name in the roster

    def write(self, ends: Ends) -> Program[FieldAnswer]:
        left, room = dict(self.costs), self.max_tokens
        slots: list[Got] = []
        picked: list[str] = []
        while True:
            left = {item: cost for item, cost in left.items() if cost <= room}
            finals = left if slots else [NOTHING, *left]
            options = [(item, n, f" {item}{end}") for item in finals for n, end in enumerate(ends)]
            options += [(item, len(ends), f" {item};") for item in self._followed(left, room, len(slots) + 1)]
            slots.append((yield Choice(tuple(text for _, _, text in options))))
            item, end, _ = options[slots[-1].index]
            if item in left:
                picked.append(item)
                room -= left.pop(item)
            if end < len(ends):
                return FieldAnswer(tuple(picked), end, tuple(slots))

    def _followed(self, left: dict[str, int], room: int, number: int) -> list[str]:
        """The names behind which there is room for another."""
        if number >= self.max_items:
            return []
        cheapest = sorted(left.values())[:2]
        return [
            item
            for item, cost in left.items()
            if len(left) > 1 and cost + cheapest[cost == cheapest[0]] <= room
        ]

    def bound(self, count: Count) -> int:
        return max(_most(count, f" {NOTHING}"), self.max_tokens)


def _most(count: Count, text: str) -> int:
    """Tokens of a text with the end that takes most."""
    return max(count(text + end) for end in ("\n", "\n\n", ";"))


Field = TextField | ChoiceField | ListField | PickField


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
    if get_origin(kind) is Literal:
        return ChoiceField(name, label, get_args(kind))
    if kind is int:
        low, high = _marker(info.metadata, Ge, name).ge, _marker(info.metadata, Le, name).le
        step = next((m.step for m in info.metadata if isinstance(m, InSteps)), 1)
        return ChoiceField(name, label, tuple(str(n) for n in range(low, high + 1, step)))
    tokens = next((m.tokens for m in info.metadata if isinstance(m, MaxTokens)), None)
    if kind is str:
        chars = _max_chars(info.metadata, name)
        is_key = any(isinstance(m, Key) for m in info.metadata)
        return TextField(name, label, tokens or -(-chars // 4), chars, is_key)
    if get_origin(kind) is list and get_origin(get_args(kind)[0]) is not None:
        chars = _max_chars(get_args(kind)[0].__metadata__, name)
        max_items = _marker(info.metadata, MaxLen, name).max_length
        tokens = tokens or max_items * _ITEM_TOKENS
        if any(isinstance(m, FromRoster) for m in info.metadata):
            costs = {item: _most(count, f" {item}") for item in _nameable(roster, chars)}
            return PickField(name, label, max_items, tokens, costs)
        return ListField(name, label, max_items, tokens, chars)
    raise UsageError(
        f"field {name!r}: {kind} cannot be asked for", "use text, a number, Literal or a list of texts"
    )


def _marker(metadata: Any, marker: type, name: str) -> Any:
    found = [m for m in metadata if isinstance(m, marker)]
    if not found:
        raise UsageError(
            f"field {name!r} has no bound ({marker.__name__})", "give it one, so that answers end"
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
