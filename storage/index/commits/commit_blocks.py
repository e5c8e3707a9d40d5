"""Millions of commits in memory, found by value without a look at all of them."""

from collections.abc import Collection, Iterator, Mapping
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Hashes = npt.NDArray[np.int64]


class CommitBlocks:
    """Rows in blocks, each more than twice as long as the next, so that a row is copied only a few times
    while more and more are added, and a look-up is a binary search in a few blocks."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self.blocks: list[Block] = []

    def add(self, table: pa.Table) -> None:
        """Add rows of the same schema."""
        blocks, added = self.blocks, Block(table, {})
        num_rows, first = len(added), len(blocks)
        while first and len(blocks[first - 1]) <= 2 * num_rows:
            first -= 1
            num_rows += len(blocks[first])
        blocks[first:] = [
            reduce(lambda newer, older: older.merged(newer), reversed([*blocks[first:], added]))
        ]

    def find(self, column: str, values: Collection[str]) -> Iterator[tuple[Any, ...]]:
        """The rows that have one of the values in a column of strings."""
        wanted = set(values)
        position = self._schema.get_field_index(column)
        for block in self.blocks:
            yield from (row for row in block.candidates(column, wanted) if row[position] in wanted)

    def table(self) -> pa.Table:
        """All rows, in the order in which they were added."""
        return pa.concat_tables([self._schema.empty_table(), *(block.table for block in self.blocks)])


class Block:
    """Rows, and for each column that was asked for the hashes of its values in order, with their rows."""

    def __init__(self, table: pa.Table, order: Mapping[str, tuple[Hashes, npt.NDArray[np.int32]]]) -> None:
        self.table = table.combine_chunks()
        self._order = dict(order)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def merged(self, other: "Block") -> "Block":
        """Merge both blocks' rows into one, these first."""
        order = {}
        for column in self._order.keys() | other._order.keys():
            (hashes, rows), (more, other_rows) = self._ordered(column), other._ordered(column)
            order[column] = _sorted(
                np.concatenate([hashes, more]), np.concatenate([rows, other_rows + np.int32(len(self))])
            )
        return Block(pa.concat_tables([self.table, other.table]), order)

    def candidates(self, column: str, values: Collection[str]) -> Iterator[tuple[Any, ...]]:
        """Rows whose values have the same hashes."""
        hashes, rows = self._ordered(column)
        wanted = np.unique(_hashes(values))
        first, last = np.searchsorted(hashes, wanted), np.searchsorted(hashes, wanted, "right")
        lengths = last - first
        starts = np.repeat(first - np.cumsum(lengths) + lengths, lengths)
        found = self.table.take(rows[starts + np.arange(len(starts))])
        return zip(*(column.to_pylist() for column in found.columns), strict=True)

    def _ordered(self, column: str) -> tuple[Hashes, npt.NDArray[np.int32]]:
        if column not in self._order:
            hashes = _hashes(self.table.column(column).to_pylist())
            self._order[column] = _sorted(hashes, np.arange(len(self), dtype=np.int32))
        return self._order[column]


def _hashes(values: Collection[str]) -> Hashes:
    return np.fromiter(map(hash, values), np.int64, len(values))


def _sorted(hashes: Hashes, rows: npt.NDArray[np.int32]) -> tuple[Hashes, npt.NDArray[np.int32]]:
    by_hash = np.argsort(hashes, kind="stable")  # of two runs in order it only merges
    return hashes[by_hash], rows[by_hash]
