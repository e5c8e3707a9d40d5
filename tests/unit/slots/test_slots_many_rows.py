"""Programs on the rows of one batch: the same answers as one by one, whichever rows end together."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from videoxl2.constrained.drive import Sampling, fill, fill_each, fill_rows
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.slots import STOP, Back, Choice, Json, Literal, Program, Text
from videoxl2.errors import NonFiniteError

PLATES = json.dumps(
    {"type": "array", "maxItems": 2, "items": {"type": "string", "maxLength": 3}}, separators=(",", ":")
)


class Mirror:
    """Logits that follow from the tokens behind the prefix, and from nothing else."""

    def __init__(self, table: TokenTable, breaks_at: int | None = None) -> None:
        self.token_ids: list[int] = []
        self._vocab_size = table.vocab_size
        self._breaks_at = breaks_at

    def push(self, token_ids: Sequence[int]) -> Tensor:
        assert token_ids
        self.token_ids += token_ids
        seed = hash(tuple(self.token_ids)) % 2**31
        logits_V = torch.randn(self._vocab_size, generator=torch.Generator().manual_seed(seed))
        if self._breaks_at is not None and len(self.token_ids) >= self._breaks_at:
            logits_V[seed % self._vocab_size] = torch.nan
        return logits_V

    def back_to(self, num_tokens: int) -> None:
        del self.token_ids[num_tokens:]


class MirrorRows:
    """Rows of them. A program whose prompt begins with `breaks` gets NaN some tokens later."""

    def __init__(self, table: TokenTable, num_rows: int, breaks: int | None = None) -> None:
        self.table, self.num_rows, self._breaks = table, num_rows, breaks
        self._rows = [Mirror(table) for _ in range(num_rows)]
        self._logits_BV = torch.zeros(num_rows, table.vocab_size)

    def push(self, token_ids: Sequence[Sequence[int]]) -> Tensor:
        self._logits_BV = self._logits_BV.clone()
        for row, ids in enumerate(token_ids):
            if ids:
                if not self._rows[row].token_ids and ids[0] == self._breaks:
                    self._rows[row] = Mirror(self.table, breaks_at=len(ids) + 3)
                self._logits_BV[row] = self._rows[row].push(ids)
        return self._logits_BV

    def back_to(self, row: int, num_tokens: int) -> None:
        self._rows[row].back_to(num_tokens)

    def restart(self, row: int, prompt: int) -> None:
        self._rows[row] = Mirror(self.table)


def program(length: int, kind: str) -> Program[int]:
    """Ends after so many slots; a length of 0 asks nothing of the model."""
    start = yield Literal("a:")
    for number in range(length):
        if kind == "text":
            yield Text(1 + number % 3, 9, ("\n", STOP))
        elif kind == "json":
            yield Json(PLATES, 2 + number % 5, ("\n",))
        else:
            yield Choice(("yes\n", "no\n", "none\n"))
    if kind == "back":
        yield Back(start.num_tokens)
        yield Choice(("b", "c"))
    return length


KINDS = ("text", "json", "choice", "back")


@pytest.mark.parametrize("num_rows", [1, 2, 3, 8])
def test_rows_end_together_or_apart_whatever_waits(num_rows: int, table: TokenTable) -> None:
    """As many answers as programs, each that of its program alone, for any number of rows, programs and ends.

    With equal lengths many rows end in one step, with fewer programs waiting than there are rows.
    """
    for seed in range(25):
        rng = random.Random(f"{num_rows} {seed}")
        same = rng.choice([None, rng.randrange(4)])
        asked = [
            (
                rng.randrange(5) if same is None else same,
                rng.choice(KINDS),
                [1 + n, *rng.sample(range(200), 3)],
            )
            for n in range(rng.randrange(2 * num_rows + 3))
        ]
        sampling = Sampling(rng.choice([0.0, 1.0]), seed)
        width = rng.choice([1, 2, 8])
        rows = MirrorRows(table, num_rows)
        fillings = fill_rows([(program(n, k), ids) for n, k, ids in asked], table, rows, sampling, width)
        assert len(fillings) == len(asked)
        for place, ((length, kind, ids), filling) in enumerate(zip(asked, fillings, strict=True)):
            alone = Sampling(sampling.temperature, sampling.seed + place)
            assert filling == fill(program(length, kind), table, Mirror(table), ids, alone)


def test_two_rows_end_in_one_step_with_one_program_waiting(table: TokenTable) -> None:
    """Three programs alike on two rows: the third takes one of them, the other stays idle."""
    asked = [(program(1, "choice"), [n, 5]) for n in range(3)]
    assert len(fill_rows(asked, table, MirrorRows(table, 2))) == 3


@pytest.mark.parametrize("temperature", [0.0, 0.5, 30.0])
def test_a_row_of_nan_costs_its_own_answer(temperature: float, table: TokenTable) -> None:
    """The others are what they are without it, and later programs take the row again."""
    prompts = [[n, 5] for n in range(7)]
    asked = [(program(6, "text"), ids) for ids in prompts]
    found = fill_each(asked, table, MirrorRows(table, 3, breaks=2), Sampling(temperature, 4))
    assert isinstance(found[2], NonFiniteError)
    for place, (ids, filling) in enumerate(zip(prompts, found, strict=True)):
        if place != 2:
            assert filling == fill(
                program(6, "text"), table, Mirror(table), ids, Sampling(temperature, 4 + place)
            )
    with pytest.raises(NonFiniteError):
        fill_rows([(program(6, "text"), ids) for ids in prompts], table, MirrorRows(table, 3, breaks=2))
