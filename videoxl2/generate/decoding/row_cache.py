"""Keys and values of what each row adds behind a shared prefix: one preallocated buffer a layer.

Shapes: B rows, A rows that are read, K key/value heads, R room (tokens a row can hold), S tokens that are
read, T new tokens of any rows, E head size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from videoxl2.network.language.cache import CacheShape

_ROUND = 64  # tokens; room grows in whole blocks


class RowCache:
    """Keys and values of rows; it knows no lengths, so the reader masks what lies beyond a row's tokens."""

    def __init__(self, shape: CacheShape, device: torch.device, num_rows: int, room: int) -> None:
        self.shape = shape
        self.device = device
        self.num_rows = num_rows
        self.room = 0
        self._layers_2BKRE = [self.allocate(0, layer) for layer in range(shape.num_layers)]
        self.reserve(room)

    @property
    def num_bytes(self) -> int:
        """Return the bytes allocated."""
        return self.num_rows * self.room * self.shape.bytes_per_token

    def allocate(self, room: int, layer: int) -> Tensor:
        """Return keys and values of one layer with room for so many tokens in every row."""
        # Zeros: a masked value weighs nothing, but nothing times uninitialised memory can be NaN.
        size = (2, self.num_rows, self.shape.num_kv_heads, room, self.shape.head_dim)
        return torch.zeros(size, dtype=self.shape.dtype, device=self.shape.device_of(layer, self.device))

    def reserve(self, room: int) -> None:
        """Make room for so many tokens in every row; it doubles, so that appending one by one stays cheap."""
        if room <= self.room:
            return
        room = -(-max(room, 2 * self.room) // _ROUND) * _ROUND
        for index, old in enumerate(self._layers_2BKRE):
            new = self.allocate(room, index)
            new[:, :, :, : self.room] = old
            self._layers_2BKRE[index] = new
        self.room = room

    def write(self, layer: int, rows_T: Tensor, offsets_T: Tensor, k_KTE: Tensor, v_KTE: Tensor) -> None:
        """Put each token at its offset in its row."""
        keys_BKRE, values_BKRE = self._layers_2BKRE[layer]
        keys_BKRE[rows_T, :, offsets_T] = k_KTE.transpose(0, 1)
        values_BKRE[rows_T, :, offsets_T] = v_KTE.transpose(0, 1)

    def read(self, layer: int, rows_A: Tensor | None, end: int) -> tuple[Tensor, Tensor]:
        """Return `[A, K, S, E]` keys and values of tokens `[0, end)`: some rows, copied, or all (None)."""
        both_2BKSE = self._layers_2BKRE[layer][:, :, :, :end]
        keys, values = both_2BKSE if rows_A is None else both_2BKSE.index_select(1, rows_A)
        return keys, values

    def clear(self, row: int) -> None:
        """Wipe a row, so that an overflow in it cannot reach its next use."""
        for layer_2BKRE in self._layers_2BKRE:
            layer_2BKRE[:, row].zero_()
