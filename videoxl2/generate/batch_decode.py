"""Many rows of tokens behind one prefilled cache, a step of all of them at a time.

The prefix's keys and values are read once a step for all rows, which see all of them or each its selection:
the queries of the rows are folded into one attention call over them, and merged by log-sum-exp with attention
over the row's own tokens. That is exact; a row's logits are those of a `Continuation` with its tokens, up to
rounding.

Shapes: B rows, A rows that get tokens in this pass, T their tokens packed one row after the other, W the most
tokens of one row, H query heads, K key/value heads, S suffix tokens read, E head size, D width, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.generate.decode_step import DecodeStep
from videoxl2.generate.prefix import Prefix, View
from videoxl2.generate.row_cache import RowCache
from videoxl2.network.attention import attention_lse, merge, visibility_bias
from videoxl2.network.cache import CacheShape
from videoxl2.network.language import LanguageModel

PASS_TOKENS = 1024  # W x A at most: bounds what a pass of long prompts needs besides the caches
PASS_PARTS = 8192  # the same times the blocks of the prefix, each of which has an output of its own


class Rows:
    """Rows that share a read-only prefix. Use it in a `with`: closing frees the rows' memory.

    Nothing is ever written to the prefix cache, so other rows or a continuation on it may be open meanwhile.
    """

    def __init__(
        self,
        language: LanguageModel,
        prefix: Prefix,
        shape: CacheShape,
        num_rows: int,
        *,
        room: int = 0,
        step: DecodeStep | None = None,
    ) -> None:
        """`room` sizes the rows in tokens once, instead of growing them."""
        if num_rows < 1:
            raise ModelInputError(f"num_rows={num_rows}", "Ask for at least one row.")
        self._language = language
        self._prefix = prefix
        device = language.embed_tokens.weight.device
        self._suffix = RowCache(shape, device, num_rows, room)
        self._step = step  # a faster way to push one token each
        self._lengths = [0] * num_rows
        self._logits_BV = torch.zeros(num_rows, language.config.vocab_size, device=device)

    @property
    def num_rows(self) -> int:
        return len(self._lengths)

    @property
    def num_bytes(self) -> int:
        """Return the bytes of keys and values that the rows take besides the prefix."""
        return self._suffix.num_bytes

    def num_tokens(self, row: int) -> int:
        """Return the number of tokens in this row."""
        return self._lengths[row]

    @torch.inference_mode()
    def push(self, token_ids: Sequence[Sequence[int]]) -> Tensor:
        """Append to each row its tokens, or none; return float32 logits `[B, V]` of what follows in each row.

        A row that got none keeps the logits of its last push; before its first they are zero. The tensor
        returned is never written to again.
        """
        if len(token_ids) != self.num_rows:
            raise ModelInputError(
                f"tokens for {len(token_ids)} rows, but there are {self.num_rows}",
                "Give one list for each row; an empty one leaves the row alone.",
            )
        active = [row for row, ids in enumerate(token_ids) if ids]
        num_blocks = self._prefix.view(active).num_blocks if active else 1
        width = max(1, min(PASS_TOKENS, PASS_PARTS // num_blocks) // max(len(active), 1))
        for first in range(0, max(map(len, token_ids)), width):
            self._pass([ids[first : first + width] for ids in token_ids])
        return self._logits_BV

    def _pass(self, token_ids: list[Sequence[int]]) -> None:
        plan = _Pass.of(token_ids, self._lengths, self._suffix.device)
        self._suffix.reserve(plan.suffix_end)
        config = self._language.config
        bias = visibility_bias(plan.mask, config.num_heads // config.num_kv_heads, self._suffix.shape.dtype)
        rows = [row for row, ids in enumerate(token_ids) for _ in ids]
        view = self._prefix.view(rows)
        bases = torch.tensor([self._prefix.length(row) for row in rows])
        positions_T = bases.to(plan.offsets.device, non_blocking=True) + plan.offsets

        def attend(layer: int, q_HTE: Tensor, k_KTE: Tensor, v_KTE: Tensor) -> Tensor:
            return self._attend(plan, view, bias, layer, q_HTE, k_KTE, v_KTE)

        if self._step is not None and plan.width == 1:
            logits_AV = self._step.run_rows(plan.ids, positions_T, attend)
        else:
            x_TD = self._language.run(self._language.embed_tokens(plan.ids), positions_T, attend)
            logits_AV = self._language.logits(x_TD[plan.lasts])
        if plan.rows is None:
            self._logits_BV = logits_AV
        else:
            self._logits_BV = self._logits_BV.index_copy(0, plan.rows, logits_AV)
        for row, ids in enumerate(token_ids):
            self._lengths[row] += len(ids)

    def _attend(
        self, plan: _Pass, view: View, bias: Tensor, layer: int, q_HTE: Tensor, k_KTE: Tensor, v_KTE: Tensor
    ) -> Tensor:
        self._suffix.write(layer, plan.token_rows, plan.offsets, k_KTE, v_KTE)
        shared_HTE, shared_lse_HT = view.attend(layer, q_HTE)
        keys, values = self._suffix.read(layer, plan.rows, plan.suffix_end)
        own_AHWE, own_lse_AHW = attention_lse(plan.spread(q_HTE), keys, values, bias)
        own_HTE, own_lse_HT = plan.pack(own_AHWE), plan.pack(own_lse_AHW)
        return merge(shared_HTE, shared_lse_HT, own_HTE, own_lse_HT)

    def back_to(self, row: int, num_tokens: int) -> None:
        """Forget a row's tokens after the first `num_tokens`."""
        self._lengths[row] = min(self._lengths[row], num_tokens)

    @torch.inference_mode()
    def restart(self, row: int, prompt: int = 0) -> None:
        """Empty a row for its next prompt, which sees the selection of this number."""
        self._lengths[row] = 0
        self._prefix.choose(row, prompt)
        self._suffix.clear(row)

    def close(self) -> None:
        """Free the rows' memory; the prefix cache was never touched."""
        self._lengths = [0] * self.num_rows
        self._suffix = RowCache(self._suffix.shape, self._suffix.device, self.num_rows, 0)

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class _Pass:
    """Plan of which token belongs where; made once a pass, used by every layer."""

    num_active: int  # A
    width: int  # W
    suffix_end: int  # S
    rows: Tensor | None  # [A]; None: all rows, in order
    ids: Tensor  # [T]
    token_rows: Tensor  # [T]
    offsets: Tensor  # [T], in the row's own tokens
    lasts: Tensor  # [A], each row's last token, in T
    slots: Tensor | None  # [T], place in [A, W]; None: every place is taken, in order
    mask: Tensor  # bool [A, W, S], True = visible

    @classmethod
    def of(cls, token_ids: Sequence[Sequence[int]], lengths: Sequence[int], device: torch.device) -> _Pass:
        active = [row for row, ids in enumerate(token_ids) if ids]
        counts = [len(token_ids[row]) for row in active]
        width = max(counts)
        tokens = [
            (token, row, lengths[row] + at, index * width + at)
            for index, row in enumerate(active)
            for at, token in enumerate(token_ids[row])
        ]
        columns = torch.tensor([*zip(*tokens, strict=True)], dtype=torch.long).to(device, non_blocking=True)
        per_row = torch.tensor([active, counts], dtype=torch.long).to(device, non_blocking=True)
        ids_T, token_rows_T, offsets_T, slots_T = columns.unbind()
        rows_A, counts_A = per_row.unbind()
        suffix_end = max(lengths[row] + count for row, count in zip(active, counts, strict=True))
        # Places without a token look at offset 0, like a first token: what they compute is dropped.
        offsets_AW = offsets_T.new_zeros(len(active) * width).index_copy_(0, slots_T, offsets_T)
        seen_WS = torch.arange(suffix_end, device=device) <= offsets_AW[:, None]
        return cls(
            num_active=len(active),
            width=width,
            suffix_end=suffix_end,
            rows=None if len(active) == len(token_ids) else rows_A,
            ids=ids_T,
            token_rows=token_rows_T,
            offsets=offsets_T,
            lasts=counts_A.cumsum(0) - 1,
            slots=None if len(tokens) == len(active) * width else slots_T,
            mask=seen_WS.view(len(active), width, suffix_end),
        )

    def spread(self, q_HTE: Tensor) -> Tensor:
        """Spread packed tokens to `[A, H, W, E]`."""
        if self.slots is not None:
            padded = q_HTE.new_zeros(q_HTE.shape[0], self.num_active * self.width, q_HTE.shape[2])
            q_HTE = padded.index_copy_(1, self.slots, q_HTE)
        x_HAWE: Tensor = q_HTE.unflatten(1, (self.num_active, self.width))
        return x_HAWE.transpose(0, 1)

    def pack(self, x_AHW: Tensor) -> Tensor:
        """Pack `[A, H, W, …]` into tokens `[H, T, …]`."""
        x_HT: Tensor = x_AHW.transpose(0, 1).flatten(1, 2)
        return x_HT if self.slots is None else x_HT.index_select(1, self.slots)
