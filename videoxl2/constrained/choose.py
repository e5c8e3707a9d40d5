"""The model's choice among a few options, for many prompts at once, with the probability of every option.

Equal to a `Choice` slot behind the prompt; a slot tells the probability of what was chosen only.
Shapes: B rows, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from videoxl2.constrained.masks import TokenTable
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.finite import finite
from videoxl2.generate.decoding.one_row import OneRow


@dataclass(frozen=True)
class Chosen:
    """Chosen option, the probability of each option among all, and of all options among all tokens."""

    index: int
    probabilities: tuple[float, ...]
    allowed_mass: float


@torch.inference_mode()
def choose_rows(
    questions: Sequence[tuple[Sequence[int], Sequence[str]]], table: TokenTable, rows: Rows | OneRow
) -> list[Chosen]:
    """Choose among each prompt's options, as many prompts at a time as there are rows.

    Options must differ in their first token (as letters do): that is the one compared. Raises `ValueError`
    where they do not, and `NonFiniteError`.
    """
    chosen: list[Chosen] = []
    for first in range(0, len(questions), rows.num_rows):
        batch = questions[first : first + rows.num_rows]
        for row in range(len(batch)):
            rows.restart(row, first + row)
        idle: list[Sequence[int]] = [()] * (rows.num_rows - len(batch))
        logits_BV = rows.push([prompt_ids for prompt_ids, _ in batch] + idle)[: len(batch)]
        logprobs_BV = finite(logits_BV).double().log_softmax(-1)
        for row, (_, options) in enumerate(batch):
            chosen.append(_among(logprobs_BV[row, _first_tokens(options, table)].tolist()))
    return chosen


def _first_tokens(options: Sequence[str], table: TokenTable) -> list[int]:
    firsts = [ids[0] for ids in table.encode(options)]
    if len(set(firsts)) < len(firsts):
        raise ValueError(f"options that begin with the same token: {list(options)[:4]}")
    return firsts


def _among(logprobs: list[float]) -> Chosen:
    values = torch.tensor(logprobs, dtype=torch.float64)
    return Chosen(int(values.argmax()), tuple(values.softmax(-1).tolist()), float(values.exp().sum()))
