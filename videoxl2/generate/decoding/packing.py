"""Which token of a pass belongs where.

Shapes: A rows that get tokens in this pass, T their tokens packed one row after the other, W the most tokens
of one row, S tokens read of each row, H query heads, E head size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from videoxl2.network.transfer import to_device


@dataclass(frozen=True)
class Pass:
    """Plan of one pass; made once, used by every layer."""

    num_active: int  # A
    width: int  # W
    suffix_end: int  # S
    rows: Tensor | None  # [A]; None: all rows, in order
    ids: Tensor  # [T]
    token_rows: Tensor  # [T]
    offsets: Tensor  # [T], in the row's own tokens
    positions: Tensor  # [T], for the rotary embedding
    lasts: Tensor | None  # [A], each row's last token, in T; None: every token is one
    slots: Tensor | None  # [T], place in [A, W]; None: every place is taken, in order
    mask: Tensor  # bool [A, W, S], True = visible

    @classmethod
    def of(
        cls,
        token_ids: Sequence[Sequence[int]],
        lengths: Sequence[int],
        bases: Mapping[int, int],
        device: torch.device,
    ) -> Pass:
        """Plan a pass of these tokens behind `lengths` own tokens of each row, which begin at `bases`.

        All of it crosses to the device in one tensor.
        """
        active = [row for row, ids in enumerate(token_ids) if ids]
        counts = [len(token_ids[row]) for row in active]
        width = max(counts)
        tokens = [
            (token, row, lengths[row] + at, bases[row] + lengths[row] + at, index * width + at)
            for index, row in enumerate(active)
            for at, token in enumerate(token_ids[row])
        ]
        ends = [sum(counts[: n + 1]) - 1 for n in range(len(counts))]
        numbers = torch.tensor([n for column in (*zip(*tokens, strict=True), active, ends) for n in column])
        sizes = [len(tokens)] * 5 + [len(active)] * 2
        ids_T, rows_T, offsets_T, positions_T, slots_T, rows_A, lasts_A = to_device(numbers, device).split(
            sizes
        )
        suffix_end = max(lengths[row] + count for row, count in zip(active, counts, strict=True))
        # Places without a token look at offset 0, like a first token: what they compute is dropped.
        offsets_AW = offsets_T.new_zeros(len(active) * width).index_copy_(0, slots_T, offsets_T)
        return cls(
            num_active=len(active),
            width=width,
            suffix_end=suffix_end,
            rows=None if len(active) == len(token_ids) else rows_A,
            ids=ids_T,
            token_rows=rows_T,
            offsets=offsets_T,
            positions=positions_T,
            lasts=lasts_A,
            slots=None if len(tokens) == len(active) * width else slots_T,
            mask=_seen(offsets_AW, suffix_end).view(len(active), width, suffix_end),
        )

    @classmethod
    def of_step(cls, numbers_4T: Tensor, suffix_end: int, is_whole: bool) -> Pass:
        """Plan one token of each of T rows: its id, row, offset and position. Waits for no number of them."""
        ids_T, rows_T, offsets_T, positions_T = numbers_4T.unbind()
        return cls(
            num_active=len(ids_T),
            width=1,
            suffix_end=suffix_end,
            rows=None if is_whole else rows_T,
            ids=ids_T,
            token_rows=rows_T,
            offsets=offsets_T,
            positions=positions_T,
            lasts=None,
            slots=None,
            mask=_seen(offsets_T, suffix_end)[:, None],
        )

    def on(self, device: torch.device) -> Pass:
        """Return the same for a layer that lies there."""
        if device == self.ids.device:
            return self
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        moved: dict[str, Any] = {name: x.to(device) for name, x in values.items() if isinstance(x, Tensor)}
        return replace(self, **moved)

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


def _seen(offsets_T: Tensor, suffix_end: int) -> Tensor:
    return torch.arange(suffix_end, device=offsets_T.device) <= offsets_T[:, None]
