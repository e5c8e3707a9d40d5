"""Decoding: text behind a prefilled cache, one token after another.

Shapes: B rows, T tokens, D language width, V vocabulary.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from videoxl2.errors import NonFiniteError
from videoxl2.generate.decoding.batch_decode import Rows
from videoxl2.generate.decoding.one_row import OneRow
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.transformer import LanguageModel

FinishReason = Literal["stop", "length"]


class Continuation:
    """Tokens appended behind a prefilled cache; closing it cuts them off again.

    The prefilled rows are never written, so after `close` the cache is bit for bit what it was. A caller
    that chooses tokens itself (constrained answers) pushes them here and reads the logits.
    """

    def __init__(self, language: LanguageModel, cache: KVCache) -> None:
        self._language = language
        self._cache = cache
        self._base = cache.length

    @property
    def num_tokens(self) -> int:
        """Return the number of tokens pushed so far."""
        return self._cache.length - self._base

    @torch.inference_mode()
    def push(self, token_ids: Sequence[int]) -> Tensor:
        """Append tokens; return float32 logits `[V]` of the one that follows."""
        return self.push_all(token_ids, last=1)[-1]

    @torch.inference_mode()
    def push_all(self, token_ids: Sequence[int], last: int | None = None) -> Tensor:
        """Append tokens; return logits `[T, V]` after each of the `last` (default: all) of them."""
        hidden_TD = self._language.extend(self._language.embed(list(token_ids)), self._cache)
        return self._language.logits(hidden_TD if last is None else hidden_TD[-last:])

    def back_to(self, num_tokens: int) -> None:
        """Forget the tokens pushed after the first `num_tokens`."""
        self._cache.truncate(self._base + num_tokens)

    def close(self) -> None:
        """Forget the prompt and what was decoded after it."""
        self.back_to(0)

    def __enter__(self) -> Continuation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Decoded:
    """Greedy answer: tokens without the stop token; of each its log-probability and its lead."""

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    margins: tuple[float, ...]  # logits
    finish_reason: FinishReason


@torch.inference_mode()
def greedy_rows(
    rows: Rows | OneRow, prompts: Sequence[Sequence[int]], limits: Sequence[int], stop_ids: frozenset[int]
) -> list[Decoded]:
    """Decode the most likely token each step until a stop token or the prompt's limit; answers in order.

    All rows take a step together; one that has finished starts on the next prompt or gets no more tokens.
    Raises `NonFiniteError` when the logits are NaN or infinite.
    """
    answers = [_Answer(limit, stop_ids) for limit in limits]
    waiting = deque(range(len(prompts)))
    working: dict[int, int] = {}  # row -> prompt
    while waiting or working:
        pushed: list[Sequence[int]] = [[] for _ in range(rows.num_rows)]
        for row, prompt in working.items():
            pushed[row] = answers[prompt].token_ids[-1:]
        for row in range(rows.num_rows):
            if row not in working and waiting:
                working[row] = waiting.popleft()
                rows.restart(row, working[row])
                pushed[row] = prompts[working[row]]
        for row, best in enumerate(_best(rows.push(pushed))):
            if row in working and answers[working[row]].add(*best):
                del working[row]
    return [answer.decoded() for answer in answers]


class _Answer:
    """Greedy answer that is being decoded."""

    def __init__(self, limit: int, stop_ids: frozenset[int]) -> None:
        self.token_ids: list[int] = []
        self._logprobs: list[float] = []
        self._margins: list[float] = []
        self._limit = limit
        self._stop_ids = stop_ids
        self._stopped = False

    def add(self, token: int, logprob: float, margin: float) -> bool:
        """Append a token; return True if the answer ends with it."""
        if token in self._stop_ids:
            self._stopped = True
            return True
        self.token_ids.append(token)
        self._logprobs.append(logprob)
        self._margins.append(margin)
        return len(self.token_ids) == self._limit

    def decoded(self) -> Decoded:
        reason: FinishReason = "stop" if self._stopped else "length"
        return Decoded(tuple(self.token_ids), tuple(self._logprobs), tuple(self._margins), reason)


def _best(logits_BV: Tensor) -> list[tuple[int, float, float]]:
    """Return each row's best token, its log-probability and its lead, in one transfer from the device."""
    top_B2, at_B2 = logits_BV.topk(2)
    normaliser_B1 = logits_BV.logsumexp(-1, keepdim=True)
    is_finite_B1 = logits_BV.isfinite().all(-1, keepdim=True)
    columns = torch.cat([x.double() for x in (at_B2[:, :1], top_B2, normaliser_B1, is_finite_B1)], dim=1)
    found: list[tuple[int, float, float]] = []
    for token, best, second, total, is_finite in columns.tolist():
        if not is_finite:
            raise NonFiniteError.of_logits()
        found.append((int(token), best - total, best - second))
    return found
