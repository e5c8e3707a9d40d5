"""NaN and infinity become NULL on the way to Parquet.

DuckDB leaves out rows with NaN where the file's statistics say that no value can match: an answer with a hole
that nobody sees. NULL is what it means.
"""

import math
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc


def without_nan(table: pa.Table) -> pa.Table:
    """The same rows; every float that is no number is null, inside lists and structs too."""
    for place, field in enumerate(table.schema):
        column = table.column(place)
        if not _is_finite(column):
            if pa.types.is_floating(field.type):
                column = pc.if_else(pc.is_finite(column), column, pa.scalar(None, field.type))
            else:
                column = pa.array([_nulled(value) for value in column.to_pylist()], field.type)
            table = table.set_column(place, field, column)
    return table


def _is_finite(column: pa.ChunkedArray) -> bool:
    if not _holds_floats(column.type):
        return True
    leaves = (leaf for chunk in column.chunks for leaf in _floats(chunk))
    return all(pc.all(pc.is_finite(leaf), min_count=0).as_py() is not False for leaf in leaves)


def _holds_floats(kind: pa.DataType) -> bool:
    if pa.types.is_list(kind):
        return _holds_floats(kind.value_type)
    if pa.types.is_struct(kind):
        return any(_holds_floats(kind.field(n).type) for n in range(kind.num_fields))
    return bool(pa.types.is_floating(kind))


def _floats(array: pa.Array) -> Iterator[pa.Array]:
    """The arrays of floats that an array is made of."""
    if pa.types.is_list(array.type):
        yield from _floats(array.flatten())
    elif pa.types.is_struct(array.type):
        for child in array.flatten():
            if _holds_floats(child.type):
                yield from _floats(child)
    elif pa.types.is_floating(array.type):
        yield array


def _nulled(value: Any) -> Any:
    match value:
        case float():
            return value if math.isfinite(value) else None
        case list():
            return [_nulled(item) for item in value]
        case dict():
            return {key: _nulled(item) for key, item in value.items()}
    return value
