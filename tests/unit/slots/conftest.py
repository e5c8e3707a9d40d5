"""A small byte-level tokenizer's table, and a model that wants to write a given text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from videoxl2.constrained.masks import TokenTable
from videoxl2.random_checkpoint import build_tokenizer

PADDED_IDS = 12  # the real model's vocabulary is larger than its tokenizer's, too


@pytest.fixture(scope="session")
def table() -> TokenTable:
    tokenizer = build_tokenizer()
    stop = tokenizer.token_to_id("<|im_end|>")
    assert stop is not None
    return TokenTable(tokenizer, tokenizer.get_vocab_size() + PADDED_IDS, stop, "cpu")


class WishingModel:
    """Prefers, token by token, to go on with its text, and then to stop."""

    def __init__(self, table: TokenTable, text: str, num_prompt: int = 1) -> None:
        self.table, self.text, self.num_prompt = table, text, num_prompt
        self.token_ids: list[int] = []

    def push(self, token_ids: Sequence[int]) -> Tensor:
        self.token_ids += token_ids
        logits_V = torch.zeros(self.table.vocab_size)
        logits_V[self._next(tuple(self.token_ids[self.num_prompt :]))] = 9.0
        return logits_V

    def _next(self, written: tuple[int, ...]) -> int:
        [whole] = self.table.encode([self.text])
        if whole[: len(written)] == written:
            return whole[len(written)] if len(written) < len(whole) else self.table.stop_id
        done = b"".join(self.table.tokens[i] for i in written)
        rest = self.text.encode().removeprefix(done).decode("utf-8", "replace")
        return self.table.encode([rest])[0][0] if rest else self.table.stop_id

    def back_to(self, num_tokens: int) -> None:
        del self.token_ids[num_tokens:]


@pytest.fixture(scope="session")
def wishing(table: TokenTable) -> Callable[[str], Any]:
    """`wishing(text)`: a model that writes this text wherever it may."""
    return lambda text: WishingModel(table, text)


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Tiny tensors gain nothing from more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
