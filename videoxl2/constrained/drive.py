"""Programs on a model: picks the tokens. Greedy unless a temperature is given.

Shapes: B rows (programs), V vocabulary.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from videoxl2.constrained.fill import Ask, Filling, Picked, asks
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.picking import pick
from videoxl2.constrained.slots import Program
from videoxl2.errors import ModelInputError, NonFiniteError
from videoxl2.network.transfer import to_device

T = TypeVar("T")


class Pushes(Protocol):
    """Interface that a program is filled on, such as `Continuation`."""

    def push(self, token_ids: Sequence[int]) -> Tensor:
        """Append tokens; return logits `[V]` of the one that follows."""

    def back_to(self, num_tokens: int) -> None:
        """Forget the tokens pushed after the first `num_tokens`."""


class PushesRows(Protocol):
    """Interface that many programs are filled on at once, such as `Rows` of `videoxl2.generate.decoding`."""

    @property
    def num_rows(self) -> int:
        """The count of rows that are decoded together."""

    def push(self, token_ids: Sequence[Sequence[int]]) -> Tensor:
        """Append to each row its tokens, or none; return logits `[B, V]`."""

    def back_to(self, row: int, num_tokens: int) -> None:
        """Forget what a row has after its first `num_tokens`."""

    def restart(self, row: int, prompt: int) -> None:
        """Empty a row for the prompt of this number."""


@dataclass(frozen=True)
class Sampling:
    """Sampling of a token: greedy at temperature 0, else drawn among the legal ones, by seed."""

    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.temperature != 0.0 and not 1e-6 <= self.temperature <= 1e6:  # NaN fails this
            raise ModelInputError(
                f"a temperature of {self.temperature}", "Use 0 for greedy, or a number around 1."
            )


def fill(
    program: Program[T],
    table: TokenTable,
    continuation: Pushes,
    prompt_ids: Sequence[int],
    sampling: Sampling = Sampling(),
) -> Filling[T]:
    """Run one program behind a prompt on a fresh continuation, all known tokens at once.

    Raises `NonFiniteError` when the logits are NaN or infinite.
    """
    return fill_rows([(program, prompt_ids)], table, _AsRows(continuation), sampling, 1 << 30)[0]


class _AsRows:
    """A fresh continuation, or anything that pushes like one, as rows of which there is one."""

    num_rows = 1

    def __init__(self, continuation: Pushes) -> None:
        self._continuation = continuation
        self._length = 0

    def push(self, token_ids: Sequence[Sequence[int]]) -> Tensor:
        self._length += len(token_ids[0])
        return self._continuation.push(token_ids[0])[None]

    def back_to(self, row: int, num_tokens: int) -> None:
        if num_tokens < self._length:
            self._continuation.back_to(num_tokens)
            self._length = num_tokens

    def restart(self, row: int, prompt: int) -> None: ...


def fill_rows(
    programs: Sequence[tuple[Program[T], Sequence[int]]],
    table: TokenTable,
    rows: PushesRows,
    sampling: Sampling = Sampling(),
    width: int = 1,
) -> list[Filling[T]]:
    """Run many programs as `fill_each` does, but raise if one answer has no finite logits.

    Raises `NonFiniteError` then.
    """
    fillings: list[Filling[T]] = []
    for filling in fill_each(programs, table, rows, sampling, width):
        if isinstance(filling, NonFiniteError):
            raise filling
        fillings.append(filling)
    return fillings


def fill_each(
    programs: Sequence[tuple[Program[T], Sequence[int]]],
    table: TokenTable,
    rows: PushesRows,
    sampling: Sampling = Sampling(),
    width: int = 1,
) -> list[Filling[T] | NonFiniteError]:
    """Run many programs, each behind its prompt ids; a row that is done takes the next one.

    A program whose logits are not finite ends with that error, and the others go on. Tokens behind a prompt
    are fed `width` at a time even where more are known, as steps of one token each are the fast ones. The
    n-th program draws with the seed `sampling.seed + n`.
    """
    done: dict[int, Filling[T] | NonFiniteError] = {}
    waiting = deque(
        _Row(n, asks(program, table, prompt_ids), sampling.seed + n, table.device)
        for n, (program, prompt_ids) in enumerate(programs)
    )
    running: dict[int, _Row[T]] = {}
    while waiting or running:
        for row in range(rows.num_rows):
            while row not in running and waiting:
                state = waiting.popleft()
                if is_done := state.begin():
                    done[state.index] = is_done
                else:
                    rows.restart(row, state.index)
                    running[row] = state
        for row, ended in _step(running, rows, sampling.temperature, width):
            done[running.pop(row).index] = ended
    return [done[index] for index in range(len(programs))]


def _step(
    running: Mapping[int, _Row[T]], rows: PushesRows, temperature: float, width: int
) -> list[tuple[int, Filling[T] | NonFiniteError]]:
    """Feed every row and pick where all is fed; return the rows whose program ended, and how."""
    if not running:
        return []
    feeds: list[Sequence[int]] = [()] * rows.num_rows
    for row, state in running.items():
        rows.back_to(row, state.ask.keep)
        feeds[row] = state.next_feed(width)
    logits_BV = rows.push(feeds)
    ready = [row for row, state in running.items() if not state.ask.feed]
    if not ready:
        return []
    states = [running[row] for row in ready]
    if ready != list(range(len(logits_BV))):
        logits_BV = logits_BV[to_device(torch.tensor(ready), logits_BV.device)]
    picked = pick(logits_BV, [s.ask for s in states], [s.generator for s in states], temperature)
    ends = [
        (row, NonFiniteError.of_logits() if token is None else state.send(token))
        for row, state, token in zip(ready, states, picked, strict=True)
    ]
    return [(row, end) for row, end in ends if end is not None]


class _Row(Generic[T]):
    """Program on its row; `ask.feed` shrinks as it is fed."""

    def __init__(
        self, index: int, questions: Generator[Ask, Picked, Filling[T]], seed: int, device: torch.device
    ) -> None:
        self.index = index
        self.generator = torch.Generator(device).manual_seed(seed)
        self.ask = Ask(0, (), ())
        self._questions = questions

    def begin(self) -> Filling[T] | None:
        """Start the program; return its filling if the model has nothing to decide."""
        return self._go_on(lambda: next(self._questions))

    def next_feed(self, width: int) -> tuple[int, ...]:
        ask = self.ask
        size = len(ask.feed) if ask.keep == 0 else width  # a prompt goes in whole
        self.ask = replace(ask, keep=ask.keep + len(ask.feed[:size]), feed=ask.feed[size:])
        return ask.feed[:size]

    def send(self, picked: Picked) -> Filling[T] | None:
        """Give the program a picked token; return its filling if it ends with it."""
        return self._go_on(lambda: self._questions.send(picked))

    def _go_on(self, step: Callable[[], Ask]) -> Filling[T] | None:
        try:
            self.ask = step()
        except StopIteration as end:
            filling: Filling[T] = end.value
            return filling
        return None
