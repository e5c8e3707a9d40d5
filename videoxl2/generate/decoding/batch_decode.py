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

import torch
from torch import Tensor

from videoxl2.errors import ModelInputError
from videoxl2.generate.decoding.decode_step import RecordedSteps, StepRecorder
from videoxl2.generate.decoding.packing import Pass
from videoxl2.generate.decoding.row_cache import RowCache
from videoxl2.generate.kv.prefix import Prefix, View
from videoxl2.network.language.cache import CacheShape
from videoxl2.network.language.transformer import LanguageModel
from videoxl2.network.layers.attention import attention_lse, merge, visibility_bias
from videoxl2.network.transfer import per_device, to_device

_LEAST_READ = 64  # own tokens a recorded step reads at least
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
        recorder: StepRecorder | None = None,
    ) -> None:
        """`room` sizes the rows in tokens once, instead of growing them; `recorder` makes steps faster."""
        if num_rows < 1:
            raise ModelInputError(f"num_rows={num_rows}", "Ask for at least one row.")
        self._language = language
        self._prefix = prefix
        device = language.embed_tokens.weight.device
        self._suffix = RowCache(shape, device, num_rows, room)
        self._steps = None if recorder is None else RecordedSteps(recorder)
        self._lengths = [0] * num_rows
        self._logits_BV = torch.zeros(num_rows, language.config.vocab_size, device=device)

    @property
    def num_rows(self) -> int:
        """The count of rows that are decoded together."""
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
        active = [row for row, ids in enumerate(token_ids) if ids]
        suffix_end = max(self._lengths[row] + len(token_ids[row]) for row in active)
        self._suffix.reserve(suffix_end)
        is_step = all(len(token_ids[row]) == 1 for row in active)
        if is_step and self._steps is not None and self._prefix.kind(active) is not None:
            logits_AV = self._step(self._steps, active, token_ids, suffix_end)
        else:
            bases = {row: self._prefix.length(row) for row in active}
            plan = Pass.of(token_ids, self._lengths, bases, self._suffix.device)
            view = self._prefix.view([row for row, ids in enumerate(token_ids) for _ in ids])
            logits_AV = self._run(plan, view)
        if len(active) == self.num_rows:
            self._logits_BV = logits_AV
        else:
            rows_A = to_device(torch.tensor(active), logits_AV.device)
            self._logits_BV = self._logits_BV.index_copy(0, rows_A, logits_AV)
        for row in active:
            self._lengths[row] += len(token_ids[row])

    def _step(
        self, steps: RecordedSteps, active: list[int], token_ids: list[Sequence[int]], suffix_end: int
    ) -> Tensor:
        """Run one token of each active row as one of few kinds of steps; return logits `[A, V]`.

        Rows are padded to a power of two by the first of them, which is computed and written once more, and
        what is read of their own tokens to a power of two likewise.
        """
        rows = active + active[:1] * (_padded(len(active), self.num_rows) - len(active))
        told = [
            (token_ids[r][0], r, self._lengths[r], self._prefix.length(r) + self._lengths[r]) for r in rows
        ]
        end = _padded(max(suffix_end, _LEAST_READ), self._suffix.room)
        is_whole = rows == list(range(self.num_rows))
        view = self._prefix.view(rows)

        def step(numbers_4T: Tensor) -> Tensor:
            return self._run(Pass.of_step(numbers_4T, end, is_whole), view)

        kind = (len(rows), is_whole, end, self._suffix.room, self._prefix.kind(rows))
        logits_TV = steps.run(kind, torch.tensor(told).t().contiguous(), step)
        return logits_TV[: len(active)]

    def _run(self, plan: Pass, view: View) -> Tensor:
        """Run a pass through all layers; return logits `[A, V]` behind each row's last token."""
        config = self._language.config
        bias = visibility_bias(plan.mask, config.num_heads // config.num_kv_heads, self._suffix.shape.dtype)
        planned_on = per_device(lambda device: (plan.on(device), bias.to(device)))

        def attend(layer: int, q_HTE: Tensor, k_KTE: Tensor, v_KTE: Tensor) -> Tensor:
            plan_here, bias_here = planned_on(q_HTE.device)
            return self._attend(plan_here, view, bias_here, layer, q_HTE, k_KTE, v_KTE)

        x_TD = self._language.run(self._language.embed_tokens(plan.ids), plan.positions, attend)
        return self._language.logits(x_TD if plan.lasts is None else x_TD[plan.lasts.to(x_TD.device)])

    def _attend(
        self, plan: Pass, view: View, bias: Tensor, layer: int, q_HTE: Tensor, k_KTE: Tensor, v_KTE: Tensor
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
        if self._steps is not None:
            self._steps.clear()
        self._suffix = RowCache(self._suffix.shape, self._suffix.device, self.num_rows, 0)

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _padded(count: int, most: int) -> int:
    """Return the next power of two, but at most `most`."""
    return min(1 << (count - 1).bit_length(), most)
