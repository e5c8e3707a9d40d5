"""Decoding: text behind a prefilled cache, one token after another.

Shapes: T tokens, D language width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

import torch
from torch import Tensor

from videoxl2.cache import KVCache
from videoxl2.decode_step import DecodeStep
from videoxl2.errors import NonFiniteError
from videoxl2.language import LanguageModel

FinishReason = Literal["stop", "length"]


class Continuation:
    """Tokens appended behind a prefilled cache; closing it cuts them off again.

    The prefilled rows are never written, so after `close` the cache is bit for bit what it was. A caller
    that chooses tokens itself (constrained answers) pushes them here and reads the logits.
    """

    def __init__(self, language: LanguageModel, cache: KVCache, step: DecodeStep | None = None) -> None:
        self._language = language
        self._cache = cache
        self._step = step  # a faster way to push one token
        self._base = cache.length

    @property
    def num_tokens(self) -> int:
        """Tokens pushed so far."""
        return self._cache.length - self._base

    @torch.inference_mode()
    def push(self, token_ids: Sequence[int]) -> Tensor:
        """Append tokens; float32 logits `[V]` for the one that follows."""
        if self._step is not None and len(token_ids) == 1:
            return self._step.run(token_ids[0], self._cache)
        return self.push_all(token_ids, last=1)[-1]

    @torch.inference_mode()
    def push_all(self, token_ids: Sequence[int], last: int | None = None) -> Tensor:
        """Append tokens; logits `[T, V]` after each of the `last` (default: all) of them."""
        hidden_TD = self._language.extend(self._language.embed(list(token_ids)), self._cache)
        return self._language.logits(hidden_TD if last is None else hidden_TD[-last:])

    def back_to(self, num_tokens: int) -> None:
        """Forget the tokens pushed after the first `num_tokens`."""
        self._cache.truncate(self._base + num_tokens)

    def close(self) -> None:
        self.back_to(0)

    def __enter__(self) -> Continuation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True)
class Decoded:
    """Greedy tokens without the stop token; log-probability and lead over the runner-up of each."""

    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    margins: tuple[float, ...]  # logits
    finish_reason: FinishReason


@torch.inference_mode()
def greedy(
    continuation: Continuation, prompt_ids: Sequence[int], max_new_tokens: int, stop_ids: frozenset[int]
) -> Decoded:
    """Most likely token each step until a stop token or the limit.

    Raises `NonFiniteError` when the logits are NaN or infinite.
    """
    token_ids: list[int] = []
    logprobs: list[float] = []
    margins: list[float] = []
    logits_V = continuation.push(prompt_ids)
    while len(token_ids) < max_new_tokens:
        token, logprob, margin = _best(logits_V)
        if token in stop_ids:
            return Decoded(tuple(token_ids), tuple(logprobs), tuple(margins), "stop")
        token_ids.append(token)
        logprobs.append(logprob)
        margins.append(margin)
        if len(token_ids) < max_new_tokens:
            logits_V = continuation.push([token])
    return Decoded(tuple(token_ids), tuple(logprobs), tuple(margins), "length")


def _best(logits_V: Tensor) -> tuple[int, float, float]:
    """Best token, its log-probability and its lead; one transfer from the device."""
    top, at = logits_V.topk(2)
    normaliser = logits_V.logsumexp(-1)
    token, best, second, total = torch.cat(
        [at[:1].double(), top.double(), normaliser[None].double()]
    ).tolist()
    if not (total - total == 0.0):  # NaN and infinity fail this
        raise NonFiniteError(
            "the logits are not finite",
            "Check the weights for NaN; with float16, try bfloat16 or float32.",
        )
    return int(token), best - total, best - second
