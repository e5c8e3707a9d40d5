"""Heads and hidden units that are set before training, piece by piece."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wiring import clear_head

from videoxl2.network.layers.decoder_layer import DecoderLayer, SelfAttention


class Head:
    """One head of a layer, set piece by piece; a score is that where query and key are 1."""

    def __init__(self, attention: SelfAttention, number: int) -> None:
        clear_head(attention, number)
        self._attention, self._first = attention, number * attention.head_dim
        self._half = attention.head_dim // 2
        self._next = self._first + self._half - 1  # positions hardly turn the last dimensions of a half
        self._passed = self._first
        attention.o_proj.weight[:, self._first : self._first + attention.head_dim] = 0

    def look_for(self, score: float, *keys: slice) -> None:
        """Attend to keys that have one of these columns, whatever the query."""
        size = self._size(score)
        self._attention.q_proj.bias[self._next] = size
        for columns in keys:
            self._attention.k_proj.weight[self._next, columns] = size
        self._next -= 1

    def match(
        self, score: float, query: slice, key: slice, unless: Sequence[tuple[slice, float]] = ()
    ) -> None:
        """Column by column, or one query column with each of the key's, less several times others."""
        size, count = self._size(score), key.stop - key.start
        q, k = self._attention.q_proj.weight, self._attention.k_proj.weight
        for n in range(count):
            q[self._next, _nth(query, n)] = size
            for columns, times in unless:
                q[self._next, _nth(columns, n)] = -times * size
            k[self._next, key.start + n] = size
            self._next -= 1

    def prefer(self, score: float, query: slice, keys: dict[int, float]) -> None:
        """Attend by the weighted sum of the key's columns where the query has one of its own."""
        size = self._size(score)
        self._attention.q_proj.weight[self._next, query] = size
        for column, weight in keys.items():
            self._attention.k_proj.weight[self._next, column] = weight * size
        self._next -= 1

    def pass_on(self, size: float, seen: Sequence[int], to: slice) -> None:
        """Column by column of what is attended to."""
        for n, column in enumerate(seen):
            self._attention.v_proj.weight[self._passed, column] = 1
            self._attention.o_proj.weight[to.start + n, self._passed] = size
            self._passed += 1

    def pass_on_steps(self, size: float, seen: slice, to: slice) -> None:
        """The same, less the column before it."""
        first = self._passed
        self.pass_on(size, range(seen.start, seen.stop), to)
        for n in range(seen.stop - seen.start - 1):
            self._attention.v_proj.weight[first + n + 1, seen.start + n] = -1

    def _size(self, score: float) -> float:
        return math.sqrt(score * math.sqrt(self._attention.head_dim))


def _nth(columns: slice, n: int) -> int:
    """One column stands for all."""
    return int(columns.start) + (n if columns.stop - columns.start > 1 else 0)


class Units:
    """Units of a layer's MLP, set one after the other: a gate, shut below 0, times a value."""

    def __init__(self, layer: DecoderLayer, first: int) -> None:
        self._mlp, self._next = layer.mlp, first

    def add(self, size: float, gate: dict[int, float], value: dict[int, float], to: int | slice) -> None:
        """Weights of columns in, `size` to a column out, or to several."""
        mlp, unit = self._mlp, self._next
        mlp.gate_proj.weight[unit] = 0
        mlp.up_proj.weight[unit] = 0
        mlp.down_proj.weight[:, unit] = 0
        for column, weight in gate.items():
            mlp.gate_proj.weight[unit, column] = weight
        for column, weight in value.items():
            mlp.up_proj.weight[unit, column] = weight
        mlp.down_proj.weight[to, unit] = size
        self._next += 1
