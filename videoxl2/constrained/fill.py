"""A program as a sequence of questions to the model: feed these tokens, pick one of those.

`asks` is a generator, so one loop can keep many programs going on one batch: it yields an `Ask` and receives
the `Picked` token. Tokens that leave no choice are fed along with the next question and cost no step.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import numpy as np
from torch import Tensor

from videoxl2.constrained.masks import TextState, TokenTable
from videoxl2.constrained.slots import (
    Back,
    Choice,
    Decision,
    Got,
    Json,
    Literal,
    Program,
    Slot,
    SlotStats,
    Text,
)
from videoxl2.constrained.token_bytes import Utf8

LOOP_PERIOD = 24  # tokens; longer repetitions are not looked for
LOOP_REPEATS = 3
LOOP_TOKENS = 12

T = TypeVar("T")


@dataclass(frozen=True)
class Ask:
    """Request to keep the first `keep` tokens behind the video, append `feed`, and pick among `allowed`."""

    keep: int
    feed: tuple[int, ...]
    allowed: Tensor | tuple[int, ...]  # bool [V] on the logits' device, or ids


@dataclass(frozen=True)
class Picked:
    """Picked token with its raw log-probability, that among the allowed tokens, and the mass of those."""

    token: int
    logprob: float
    allowed_logprob: float
    allowed_mass: float


@dataclass(frozen=True)
class Filling(Generic[T]):
    """Finished answer; `num_spent` also counts tokens that were taken back."""

    text: str
    token_ids: tuple[int, ...]
    num_spent: int
    result: T


def asks(
    program: Program[T], table: TokenTable, prompt_ids: Sequence[int]
) -> Generator[Ask, Picked, Filling[T]]:
    """Drive a program: yields what to ask of the model, receives its picks, returns the filling."""
    draft = _Draft(table, list(prompt_ids), len(prompt_ids))
    got: Got | None = None
    while True:
        try:
            slot = next(program) if got is None else program.send(got)
        except StopIteration as end:
            answer_ids = tuple(draft.ids[draft.num_prompt :])
            return Filling(table.decode(answer_ids), answer_ids, draft.num_spent, end.value)
        got = yield from _fill(slot, draft)


def is_looping(token_ids: Sequence[int]) -> bool:
    """Whether the tail repeats: at most 24 tokens, three times or more, over 12 tokens or more."""
    size = len(token_ids)
    for period in range(1, min(LOOP_PERIOD, size // LOOP_REPEATS) + 1):
        if token_ids[-1] != token_ids[-1 - period]:
            continue
        tail = max(LOOP_REPEATS * period, LOOP_TOKENS)
        if size >= tail and token_ids[size - tail + period :] == token_ids[size - tail : size - period]:
            return True
    return False


@dataclass
class _Draft:
    """Tokens written so far, prompt included, and how many of them the model has read."""

    table: TokenTable
    ids: list[int]
    num_prompt: int
    num_read: int = 0
    num_spent: int = 0

    def write(self, ids: Sequence[int]) -> None:
        ids = [i for i in ids if i != self.table.stop_id]
        self.ids += ids
        self.num_spent += len(ids)

    def take_back(self, num_tokens: int) -> None:
        del self.ids[self.num_prompt + num_tokens :]
        self.num_read = min(self.num_read, len(self.ids))

    def ask(self, allowed: Tensor | tuple[int, ...]) -> Ask:
        keep = min(self.num_read, len(self.ids) - 1)  # after taking back, the last token is read once more
        self.num_read = len(self.ids)
        return Ask(keep, tuple(self.ids[keep:]), allowed)

    def got(self, text: str = "", index: int = 0, stats: SlotStats | None = None) -> Got:
        return Got(text, index, len(self.ids) - self.num_prompt, self.num_spent, stats or SlotStats())


@dataclass
class _Picks:
    """Decisions of one slot."""

    picked: list[Picked] = field(default_factory=list)
    places: list[int] = field(default_factory=list)

    def ask(self, draft: _Draft, allowed: Tensor | tuple[int, ...]) -> Generator[Ask, Picked, int]:
        """Ask for a token and return the one picked."""
        self.places.append(len(draft.ids) - draft.num_prompt)
        self.picked.append((yield draft.ask(allowed)))
        return self.picked[-1].token

    def stats(self, truncated: bool = False, looped: bool = False) -> SlotStats:
        if not self.picked:
            return SlotStats(truncated=truncated, looped=looped)
        logprobs = [p.logprob for p in self.picked]
        masses = [p.allowed_mass for p in self.picked]
        return SlotStats(
            decisions=tuple(
                Decision(place, p.token, p.logprob) for place, p in zip(self.places, self.picked, strict=True)
            ),
            mean_logprob=sum(logprobs) / len(logprobs),
            min_logprob=min(logprobs),
            allowed_mass=sum(masses) / len(masses),
            min_allowed_mass=min(masses),
            probability=math.exp(sum(p.allowed_logprob for p in self.picked)),
            truncated=truncated,
            looped=looped,
        )


def _fill(slot: Slot, draft: _Draft) -> Generator[Ask, Picked, Got]:
    match slot:
        case Literal(text):
            draft.write(draft.table.encode([text])[0])
            return draft.got(text)
        case Back(num_tokens):
            draft.take_back(num_tokens)
            return draft.got()
        case Choice(options):
            picks = _Picks()
            index = yield from _choose(options, draft, picks)
            return draft.got(options[index], index, picks.stats())
        case Text():
            return (yield from _fill_text(slot, draft))
        case Json():
            return (yield from _fill_json(slot, draft))


def _choose(options: tuple[str, ...], draft: _Draft, picks: _Picks) -> Generator[Ask, Picked, int]:
    """Walk down the options' common beginnings; a token on which all agree is written without asking."""
    left = list(enumerate(draft.table.encode(options)))
    depth = 0
    while len(left) > 1:
        if min(len(ids) for _, ids in left) <= depth:
            raise ValueError(f"one option begins with another: {[options[i] for i, _ in left][:4]}")
        nexts = {ids[depth] for _, ids in left}
        token = next(iter(nexts))
        if len(nexts) > 1:
            token = yield from picks.ask(draft, tuple(sorted(nexts)))
            left = [(index, ids) for index, ids in left if ids[depth] == token]
        draft.write([token])
        depth += 1
    index, ids = left[0]
    draft.write(ids[depth:])
    return index


def _fill_text(slot: Text, draft: _Draft) -> Generator[Ask, Picked, Got]:
    table, state, picks = draft.table, TextState(), _Picks()
    first = len(draft.ids)
    looped = False
    while state.num_tokens < slot.max_tokens and state.num_chars < slot.max_chars and not looped:
        token = yield from picks.ask(draft, table.legal_V(slot, state))
        if closer := table.closer(slot, token):
            draft.write([token, *closer.rest])
            text = (state.text + closer.content).decode("utf-8")
            return draft.got(text.strip(), closer.end, picks.stats())
        draft.write([token])
        table.advance(state, token)
        looped = is_looping(draft.ids[first:])
    while state.utf8 is not Utf8.START or state.is_blank:
        token = yield from picks.ask(draft, table.finishing_V(slot, state))
        draft.write([token])
        table.advance(state, token)
    index = yield from _choose(slot.ends, draft, picks)
    return draft.got(state.text.decode("utf-8").strip(), index, picks.stats(not looped, looped))


def _fill_json(slot: Json, draft: _Draft) -> Generator[Ask, Picked, Got]:
    from videoxl2.constrained.json_slots import JsonValue  # loads llguidance

    table, value, picks = draft.table, JsonValue(slot, draft.table), _Picks()
    most = len(draft.ids) + slot.max_tokens
    legal_V = value.legal_V()
    while len(draft.ids) < most:
        if np.count_nonzero(legal_V) == 1:
            token = int(legal_V.argmax())
        else:
            token = yield from picks.ask(draft, table.on_device(legal_V))
        if closer := table.closer(slot, token):
            draft.write([token, *closer.rest])
            text = (value.text + closer.content).decode("utf-8")
            return draft.got(text.strip(), closer.end, picks.stats())
        draft.write([token])
        value.advance(token)
        legal_V = value.legal_V()
    truncated = not value.is_whole(legal_V)
    while not value.is_whole(legal_V):
        token = value.soonest(legal_V)
        draft.write([token])
        value.advance(token)
        legal_V = value.legal_V()
    index = yield from _choose(slot.ends, draft, picks)
    return draft.got(value.text.decode("utf-8").strip(), index, picks.stats(truncated))
