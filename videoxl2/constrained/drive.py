"""Programs on a model: picks the tokens. Greedy unless a temperature is given.

Shapes: B rows (programs), V vocabulary.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from videoxl2.constrained.fill import Ask, Filling, Picked, asks
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.slots import Program
from videoxl2.errors import NonFiniteError

T = TypeVar("T")


class Pushes(Protocol):
    """What a program is filled on; a `Continuation` is one."""

    def push(self, token_ids: Sequence[int]) -> Tensor:
        """Append tokens; logits `[V]` for the one that follows."""

    def back_to(self, num_tokens: int) -> None:
        """Forget the tokens pushed after the first `num_tokens`."""


class PushesRows(Protocol):
    """What many programs are filled on at once; `videoxl2.generate.batch_decode.Rows` is one."""

    @property
    def num_rows(self) -> int: ...

    def push(self, token_ids: Sequence[Sequence[int]]) -> Tensor:
        """Append to each row its tokens, or none; logits `[B, V]`."""

    def back_to(self, row: int, num_tokens: int) -> None: ...

    def restart(self, row: int) -> None: ...


@dataclass(frozen=True)
class Sampling:
    """Greedy at temperature 0; else drawn among the legal tokens, the same for the same seed."""

    temperature: float = 0.0
    seed: int = 0


def fill(
    program: Program[T],
    table: TokenTable,
    continuation: Pushes,
    prompt_ids: Sequence[int],
    sampling: Sampling = Sampling(),
) -> Filling[T]:
    """Run a program behind a prompt on a fresh continuation.

    Raises `NonFiniteError` when the logits are NaN or infinite.
    """
    questions = asks(program, table, prompt_ids)
    generator = torch.Generator(table.device).manual_seed(sampling.seed)
    length = 0
    try:
        ask = next(questions)
        while True:
            if ask.keep < length:
                continuation.back_to(ask.keep)
            logits_V = continuation.push(ask.feed)
            length = ask.keep + len(ask.feed)
            [picked] = pick(logits_V[None], [ask], [generator], sampling.temperature)
            ask = questions.send(picked)
    except StopIteration as end:
        filling: Filling[T] = end.value
        return filling


def fill_rows(
    programs: Sequence[tuple[Program[T], Sequence[int]]],
    table: TokenTable,
    rows: PushesRows,
    sampling: Sampling = Sampling(),
    width: int = 1,
) -> list[Filling[T]]:
    """Run many programs, each behind its prompt ids; a row that is done takes the next one.

    Tokens behind a prompt are fed `width` at a time even where more are known, as steps of one token each
    are the fast ones. The n-th program draws with the seed `sampling.seed + n`.
    """
    done: dict[int, Filling[T]] = {}
    waiting = list(enumerate(programs))[::-1]
    running: dict[int, _Row[T]] = {}
    while waiting or running:
        for row in [r for r in range(rows.num_rows) if r not in running and waiting]:
            index, (program, prompt_ids) = waiting.pop()
            rows.restart(row)
            running[row] = _Row(index, asks(program, table, prompt_ids), sampling.seed + index, table.device)
        feeds: list[Sequence[int]] = [()] * rows.num_rows
        for row, state in running.items():
            rows.back_to(row, state.ask.keep)
            feeds[row] = state.next_feed(width)
        logits_BV = rows.push(feeds)
        ready = [row for row, state in running.items() if not state.ask.feed]
        if not ready:
            continue
        states = [running[row] for row in ready]
        logits_BV = logits_BV[torch.tensor(ready, device=logits_BV.device)]
        picked = pick(logits_BV, [s.ask for s in states], [s.generator for s in states], sampling.temperature)
        for row, state, token in zip(ready, states, picked, strict=True):
            if filling := state.send(token):
                done[state.index] = filling
                del running[row]
    return [done[index] for index in range(len(programs))]


class _Row(Generic[T]):
    """A program on its row; `ask.feed` shrinks as it is fed."""

    def __init__(
        self, index: int, questions: Generator[Ask, Picked, Filling[T]], seed: int, device: torch.device
    ) -> None:
        self.index = index
        first = next(questions, None)
        if first is None:
            raise ValueError("a program that leaves the model nothing to decide")
        self.ask = first
        self.generator = torch.Generator(device).manual_seed(seed)
        self._questions = questions

    def next_feed(self, width: int) -> tuple[int, ...]:
        ask = self.ask
        size = len(ask.feed) if ask.keep == 0 else width  # a prompt goes in whole
        self.ask = replace(ask, keep=ask.keep + len(ask.feed[:size]), feed=ask.feed[size:])
        return ask.feed[:size]

    def send(self, picked: Picked) -> Filling[T] | None:
        try:
            self.ask = self._questions.send(picked)
        except StopIteration as end:
            filling: Filling[T] = end.value
            return filling
        return None


@torch.inference_mode()
def pick(
    logits_BV: Tensor, asked: Sequence[Ask], generators: Sequence[torch.Generator], temperature: float = 0.0
) -> list[Picked]:
    """One legal token per row, with one transfer from the device."""
    legal_BV = logits_BV.masked_fill(~_allowed(asked, logits_BV), -torch.inf)
    total_B = logits_BV.logsumexp(-1)
    legal_total_B = legal_BV.logsumexp(-1)
    if temperature == 0.0:
        token_B = legal_BV.argmax(-1)
    else:
        chances_BV = (legal_BV.float() / temperature).softmax(-1)
        rows = zip(chances_BV, generators, strict=True)
        drawn_B = torch.cat([torch.multinomial(row, 1, generator=g) for row, g in rows])
        is_legal_B = legal_BV.gather(-1, drawn_B[:, None])[:, 0] > -torch.inf  # rounding can draw a zero
        token_B = torch.where(is_legal_B, drawn_B, legal_BV.argmax(-1))
    logprob_B = logits_BV.gather(-1, token_B[:, None])[:, 0]
    columns = (token_B, logprob_B - total_B, logprob_B - legal_total_B, (legal_total_B - total_B).exp())
    table = torch.stack([column.double() for column in columns], -1).tolist()
    if any(value - value != 0.0 for row in table for value in row):  # true of NaN and infinity
        raise NonFiniteError(
            "the logits are not finite",
            "Check the weights for NaN; with float16, try bfloat16 or float32.",
        )
    return [Picked(int(token), logprob, legal, mass) for token, logprob, legal, mass in table]


def _allowed(asked: Sequence[Ask], logits_BV: Tensor) -> Tensor:
    """Bool `[B, V]`; the ids of all choices cross to the device together."""
    none_V = torch.zeros(logits_BV.shape[-1], dtype=torch.bool, device=logits_BV.device)
    allowed_BV = torch.stack([a.allowed if isinstance(a.allowed, Tensor) else none_V for a in asked])
    pairs = [(n, i) for n, a in enumerate(asked) if not isinstance(a.allowed, Tensor) for i in a.allowed]
    if pairs:
        rows, ids = torch.tensor(pairs, device=logits_BV.device).unbind(1)
        allowed_BV[rows, ids] = True
    return allowed_BV
