"""One row of tokens behind a prefilled cache, kept in the cache itself: a layer is one call of attention.

Shapes: V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.generate.decoding.batch_decode import PASS_TOKENS
from videoxl2.network.language.cache import KVCache
from videoxl2.network.language.transformer import LanguageModel


class OneRow:
    """The same as `Rows` of one row, with half the attention calls. Use it in a `with`.

    It appends to the cache, whose rows it never writes to, so nothing else can be open meanwhile; closing
    cuts its tokens off again.
    """

    num_rows = 1

    def __init__(self, language: LanguageModel, cache: KVCache, *, room: int = 0) -> None:
        """`room` grows the cache once by so many tokens, where it has no room for them yet."""
        self._language = language
        self._cache = cache
        self._base = cache.length
        self._logits_1V = torch.zeros(1, language.config.vocab_size, device=cache.device)
        cache.reserve(self._base + room, exactly=True)

    @property
    def num_bytes(self) -> int:
        """Return the bytes of keys and values that the row takes besides the prefix."""
        return self.num_tokens(0) * self._cache.shape.bytes_per_token

    def num_tokens(self, row: int) -> int:
        """Return the number of tokens in the row."""
        return self._cache.length - self._base

    @torch.inference_mode()
    def push(self, token_ids: Sequence[Sequence[int]]) -> Tensor:
        """Append the one list of tokens, or none; return float32 logits `[1, V]` of what follows.

        Without tokens they are those of the last push, before the first zero. The tensor returned is never
        written to again.
        """
        if len(token_ids) != 1:
            raise ModelInputError(
                f"tokens for {len(token_ids)} rows, but there is one", "Give a list with one list of tokens."
            )
        ids = list(token_ids[0])
        for first in range(0, len(ids), PASS_TOKENS):
            x_TD = self._language.embed(ids[first : first + PASS_TOKENS])
            hidden_TD = self._language.extend(x_TD, self._cache)
            if first + PASS_TOKENS >= len(ids):
                self._logits_1V = self._language.logits(hidden_TD[-1:])
        return self._logits_1V

    def back_to(self, row: int, num_tokens: int) -> None:
        """Forget the row's tokens after the first `num_tokens`."""
        self._cache.truncate(self._base + num_tokens)

    def restart(self, row: int, prompt: int = 0) -> None:
        """Empty the row for its next prompt, which sees the same prefix."""
        self.back_to(row, 0)

    def close(self) -> None:
        """Forget the prompt and what was decoded after it."""
        self.back_to(0, 0)

    def __enter__(self) -> OneRow:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
