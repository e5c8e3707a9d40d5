"""The key/value cache: preallocated, appended in place, cut back without a copy, optionally on the host.

Shapes: K key/value heads, S rows, T new rows, E head size. Keys are stored after rotary embedding: absolute
positions never change during prefill, and bi-level decoding un-rotates the few it moves. A row is contiguous
(`[2, S, K, E]`), so a range of rows crosses to the device in one block each for keys and values. On a CPU a
head is, since nothing crosses there and attention reads one head after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

_ROUND = 256  # rows; growth in whole blocks


@dataclass(frozen=True)
class CacheShape:
    """Sizes of keys and values: layers, heads and numbers a head."""

    num_layers: int
    num_kv_heads: int
    head_dim: int
    dtype: torch.dtype
    devices: tuple[torch.device, ...] = ()  # of each layer; none: where the cache is

    def device_of(self, layer: int, otherwise: torch.device) -> torch.device:
        """Return where the keys and values of a layer lie."""
        return self.devices[layer] if self.devices else otherwise

    @property
    def bytes_per_token(self) -> int:
        """Return the bytes of a row, keys and values of all layers together."""
        return 2 * self.num_layers * self.num_kv_heads * self.head_dim * self.dtype.itemsize


class KVCache:
    """Keys and values of every layer for rows `[0, length)`.

    A forward pass writes all layers beyond `length` and then calls `advance`, so a pass that fails half-way
    leaves the cache as it was.
    """

    def __init__(
        self, shape: CacheShape, device: torch.device, *, capacity: int = 0, on_host: bool = False
    ) -> None:
        self.shape = shape
        self.device = device
        self.length = 0
        self.shift = 0  # between a row's number and its position, behind what is cached
        self.capacity = 0
        self.place = 0  # another number whenever the rows are moved
        self._window = _DeviceWindow(shape.num_layers) if on_host else None
        self._layers_2SKE: list[Tensor] = [self.allocate(0, layer) for layer in range(shape.num_layers)]
        self.reserve(capacity)

    @property
    def on_host(self) -> bool:
        """Return whether rows lie in host memory, and only a layer at a time on the device."""
        return self._window is not None

    @property
    def next_position(self) -> int:
        """Return the position of the next row, unless it is given one."""
        return self.length + self.shift

    @property
    def num_bytes(self) -> int:
        """Return the bytes in use, without spare capacity."""
        return self.length * self.shape.bytes_per_token

    def device_of(self, layer: int) -> torch.device:
        """Return where a layer's rows are computed and read."""
        return self.shape.device_of(layer, self.device)

    def allocate(self, rows: int, layer: int) -> Tensor:
        """Return keys and values of one layer with room for `rows` tokens, on its device or pinned."""
        heads, head_dim, dtype = self.shape.num_kv_heads, self.shape.head_dim, self.shape.dtype
        if self.on_host:
            return torch.empty(2, rows, heads, head_dim, dtype=dtype, pin_memory=self.device.type == "cuda")
        device = self.device_of(layer)
        if device.type == "cpu":
            return torch.empty(2, heads, rows, head_dim, dtype=dtype).transpose(1, 2)
        return torch.empty(2, rows, heads, head_dim, dtype=dtype, device=device)

    def reserve(self, capacity: int, *, exactly: bool = False) -> None:
        """Make room for `capacity` rows, layer by layer, so that the spare memory is one layer's.

        More is made than that, so that appending stays cheap, unless it is wanted `exactly`.
        """
        if capacity <= self.capacity:
            return
        least = 0 if exactly else self.capacity * 5 // 4
        rows = -(-max(capacity, least) // _ROUND) * _ROUND
        self._reallocate(rows)
        self.capacity = rows

    def move_to_host(self) -> None:
        """Keep rows in CPU memory from now on; `read` brings what it needs to the device."""
        self._window = _DeviceWindow(self.shape.num_layers)
        self._reallocate(self.capacity)

    def _reallocate(self, rows: int) -> None:
        self.place += 1
        for index, old in enumerate(self._layers_2SKE):
            new = self.allocate(rows, index)
            new[:, : self.length] = old[:, : self.length]
            self._layers_2SKE[index] = new

    def write(self, layer: int, k_KTE: Tensor, v_KTE: Tensor) -> None:
        """Put the rows of a pass behind `length`; they count only after `advance`."""
        stored = self._layers_2SKE[layer]
        rows = slice(self.length, self.length + k_KTE.shape[1])
        keys_KTE, values_KTE = stored[:, rows].transpose(1, 2).unbind()
        keys_KTE[:], values_KTE[:] = k_KTE, v_KTE
        if self._window is not None:
            self._window.add(layer, self.length, torch.stack([k_KTE, v_KTE]).transpose(1, 2))

    def read(
        self, layer: int, end: int, rows: Tensor | None = None, *, first: int = 0
    ) -> tuple[Tensor, Tensor]:
        """Return keys and values `[K, S, E]` on the layer's device: given rows, or `[first, end)` itself."""
        stored = self._layers_2SKE[layer]
        if rows is None:
            both_2SKE = stored[:, first:end]
            if self._window is not None:
                self._window.forget(layer)
                both_2SKE = both_2SKE.to(self.device_of(layer), non_blocking=True)
        elif self._window is None and stored.is_cpu:
            both_2SKE = stored.transpose(1, 2).index_select(2, rows).transpose(1, 2)
        elif self._window is None:
            both_2SKE = stored.index_select(1, rows)
        else:
            both_2SKE = self._window.read(layer, stored, rows)
        keys_KSE, values_KSE = both_2SKE.transpose(1, 2).unbind()
        return keys_KSE, values_KSE

    def advance(self, rows: int) -> None:
        """Take the rows written beyond `length` for cached."""
        self.length += rows

    def truncate(self, length: int) -> None:
        """Forget every row from `length` on; what stays is untouched."""
        self.length = min(self.length, length)
        if self._window is not None:
            self._window = _DeviceWindow(self.shape.num_layers)


class _DeviceWindow:
    """Device copy of the rows that a host cache was last asked for.

    Chunk by chunk prefill asks for rows it saw in the chunk before (prefix, stamps, window) and for those it
    just wrote, so nothing crosses back from the host until decoding reads everything.
    """

    def __init__(self, num_layers: int) -> None:
        self._rows: list[Tensor | None] = [None] * num_layers  # sorted row numbers
        self._held_2SKE: list[Tensor | None] = [None] * num_layers

    def forget(self, layer: int) -> None:
        self._rows[layer] = self._held_2SKE[layer] = None

    def add(self, layer: int, first_row: int, new_2TKE: Tensor) -> None:
        rows, held = self._rows[layer], self._held_2SKE[layer]
        if rows is None or held is None:
            return  # nobody reads this layer by rows (yet)
        new_rows = torch.arange(first_row, first_row + new_2TKE.shape[1], device=new_2TKE.device)
        kept = int((rows < first_row).sum())  # a pass that failed half-way is written again
        self._rows[layer] = torch.cat([rows[:kept], new_rows])
        self._held_2SKE[layer] = torch.cat([held[:, :kept], new_2TKE], dim=1)

    def read(self, layer: int, stored_2SKE: Tensor, wanted: Tensor) -> Tensor:
        """Return the rows `wanted` (sorted): from the device if they are held there, else from the host."""
        rows, held = self._rows[layer], self._held_2SKE[layer]
        found: Tensor | None = None
        if rows is not None and held is not None:
            at = torch.searchsorted(rows, wanted).clamp(max=len(rows) - 1)
            if torch.equal(rows[at], wanted):
                found = held.index_select(1, at)
        if found is None:
            found = stored_2SKE.index_select(1, wanted.to(stored_2SKE.device)).to(wanted.device)
        self._rows[layer], self._held_2SKE[layer] = wanted, found
        return found
