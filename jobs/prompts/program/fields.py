"""The slots of a record's fields.

A field writes what stands behind its label: ` a value` and one of the ends it is given. Which end it was
tells what follows: another line, another record, or nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from jobs.prompts.answer_text import NOTHING
from videoxl2.constrained.json_schema import json_bound
from videoxl2.constrained.slots import Back, Choice, Got, Json, Literal, Program, Text, text_bound

Count = Callable[[str], int]  # tokens of a text
Ends = tuple[str, ...]

ITEM_TOKENS = 10  # of one item in a list of free texts
_LAST_ITEM_TOKENS = 4  # with fewer left, a list takes no further item
_KEY_FORBIDS = ";|"  # a key is written into lists, and into prompts, where `<|` could open a control token


@dataclass(frozen=True)
class FieldAnswer:
    """The text written for a field: its value or items, and which end."""

    texts: tuple[str, ...]
    end: int
    slots: tuple[Got, ...]  # the last one says how long the answer is now


@dataclass(frozen=True)
class TextField:
    """A text of the model's own, within bounds of tokens and characters."""

    name: str
    label: str
    max_tokens: int
    max_chars: int
    is_key: bool

    def write(self, ends: Ends) -> Program[FieldAnswer]:
        """Ask for a text."""
        got = yield Text(self.max_tokens, self.max_chars, ends, _KEY_FORBIDS if self.is_key else "")
        return FieldAnswer((got.text,), got.index, (got,))

    def bound(self, count: Count) -> int:
        """Return the most tokens of a text."""
        return text_bound(self.max_tokens, most_tokens(count, ""))


@dataclass(frozen=True)
class ChoiceField:
    """One of a few words or numbers."""

    name: str
    label: str
    options: tuple[str, ...]

    def write(self, ends: Ends) -> Program[FieldAnswer]:
        """Ask for one of the options."""
        got = yield Choice(tuple(f" {option}{end}" for option in self.options for end in ends))
        option, end = divmod(got.index, len(ends))
        return FieldAnswer((self.options[option],), end, (got,))

    def bound(self, count: Count) -> int:
        """Return the most tokens of an option."""
        return max(most_tokens(count, f" {option}") for option in self.options)


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
        """Ask for texts one by one, until an end is chosen or one is said again."""
        start = yield Literal("")
        items: list[Got] = []
        seen = {NOTHING}
        while True:
            left = self.max_tokens - ((items[-1] if items else start).num_spent - start.num_spent)
            tokens = min(ITEM_TOKENS, left)
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
        """Return the most tokens of a list."""
        return text_bound(self.max_tokens, most_tokens(count, "") + most_tokens(count, f" {NOTHING}"))


@dataclass(frozen=True)
class PickField:
    """Words out of a list or names out of a roster, each at most once, as far as the tokens go."""

    name: str
    label: str
    max_items: int
    max_tokens: int
    costs: dict[str, int]  # tokens of each of them

    def write(self, ends: Ends) -> Program[FieldAnswer]:
        """Ask for names one by one, each at most once, as far as the tokens reach."""
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
        """Return the most tokens of a list of names."""
        return max(most_tokens(count, f" {NOTHING}"), self.max_tokens)


@dataclass(frozen=True)
class JsonField:
    """A value in JSON."""

    name: str
    label: str
    schema: str
    max_tokens: int

    def write(self, ends: Ends) -> Program[FieldAnswer]:
        """Ask for a value that keeps to the schema."""
        got = yield Json(self.schema, self.max_tokens, ends)
        return FieldAnswer((got.text,), got.index, (got,))

    def bound(self, count: Count) -> int:
        """Return the most tokens of a value."""
        return json_bound(self.schema, self.max_tokens, most_tokens(count, ""))


Field = TextField | ChoiceField | ListField | PickField | JsonField


def most_tokens(count: Count, text: str) -> int:
    """Tokens of a text with the end that takes most.

    Behind the model's stop the host may write the blank line, which is a piece of its own. No text is the
    longer for being part of another, but a vocabulary may have one token for both and many for the first.
    """
    return max(count(text) + count("\n\n"), *(count(text + end) for end in ("\n", "\n\n", ";")))
