"""Arrow tables of our columns. What only asks questions in SQL does without, and without loading Arrow."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from schemas.failures import PreflightError
from schemas.rows import Row
from schemas.tables import SCHEMA_VERSION
from storage.index.tables.columns import Column, check_version
from storage.index.tables.finite import without_nan

_VERSION_KEY = b"media_index.schema_version"
_SCALARS: dict[str, pa.DataType] = {
    duckdb.sqltype(sql_type).id: arrow_type
    for sql_type, arrow_type in (
        ("VARCHAR", pa.string()),
        ("BIGINT", pa.int64()),
        ("DOUBLE", pa.float64()),
        ("BOOLEAN", pa.bool_()),
        ("BLOB", pa.binary()),
        ("TIMESTAMPTZ", pa.timestamp("us", tz="UTC")),
    )
}


@cache
def arrow_type(sql_type: str) -> pa.DataType:
    """The Arrow type of a column's SQL type: one of six, a list or a struct."""
    return _arrow_type(duckdb.sqltype(sql_type))


def _arrow_type(sql_type: Any) -> pa.DataType:  # a DuckDBPyType; DuckDB types its children loosely
    match sql_type.id:
        case "list":
            [(_, item)] = sql_type.children
            return pa.list_(_arrow_type(item))
        case "struct":
            return pa.struct([(name, _arrow_type(member)) for name, member in sql_type.children])
        case name:
            return _SCALARS[name]


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The schema of these columns, with our schema version in its metadata, which Parquet keeps."""
    fields = [pa.field(column.name, arrow_type(column.sql_type)) for column in columns]
    return pa.schema(fields, metadata={_VERSION_KEY: str(SCHEMA_VERSION).encode()})


def to_table(rows: Sequence[Row], columns: Sequence[Column], **constants: int) -> pa.Table:
    """Rows in column order; `constants` fill columns that the rows do not have. NaN is null."""
    records = [{**constants, **row.model_dump()} for row in rows]
    return without_nan(pa.Table.from_pylist(records, schema=arrow_schema(columns)))


def conform(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """A table written by this or an older version, in today's columns; missing ones are null, and NaN is."""
    schema = arrow_schema(columns)
    arrays = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(table.num_rows, field.type)
        for field in schema
    ]
    return without_nan(pa.Table.from_arrays(arrays, schema=schema))


def check_schema(schema: pa.Schema, url: str) -> None:
    """Check that the Parquet file is ours and not of a later version. PreflightError: it is not."""
    version = (schema.metadata or {}).get(_VERSION_KEY)
    if version is None:
        raise PreflightError(f"{url} is not a file of media-index", "Check the index's location.")
    check_version(int(version), url)
