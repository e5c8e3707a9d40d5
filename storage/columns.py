"""Arrow and SQL columns, derived from the row types: a column is declared once, in `schemas`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import pyarrow as pa

from schemas.commit import Commit
from schemas.failures import PreflightError
from schemas.tables import SCHEMA_VERSION, TABLES, Failure, Row

_VERSION_KEY = b"media_index.schema_version"
_TYPES: dict[type, tuple[pa.DataType, str]] = {
    str: (pa.string(), "VARCHAR"),
    int: (pa.int64(), "BIGINT"),
    float: (pa.float64(), "DOUBLE"),
    bool: (pa.bool_(), "BOOLEAN"),
    datetime: (pa.timestamp("us", tz="UTC"), "TIMESTAMPTZ"),
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one table."""

    name: str
    arrow_type: pa.DataType
    sql_type: str
    is_nullable: bool
    description: str


def _columns(row_type: type[Row]) -> tuple[Column, ...]:
    columns = []
    for name, field in row_type.model_fields.items():
        members = get_args(field.annotation) if get_origin(field.annotation) is UnionType else ()
        annotation = next((m for m in members if m is not NoneType), field.annotation)
        arrow_type, sql_type = _types_of(annotation)
        columns.append(Column(name, arrow_type, sql_type, NoneType in members, field.description or ""))
    return tuple(columns)


def _types_of(annotation: Any) -> tuple[pa.DataType, str]:
    if get_origin(annotation) is list:
        arrow_type, sql_type = _types_of(get_args(annotation)[0])
        return pa.list_(arrow_type), sql_type + "[]"
    return _TYPES[str if issubclass(annotation, StrEnum) else annotation]


_SNAPSHOT = Column("snapshot", pa.int64(), "BIGINT", False, "The snapshot that made it current")

# Tables of videos' bundles; every row of theirs names its bundle by `analysis_key`.
BUNDLE_TABLES: tuple[str, ...] = tuple(name for name in TABLES if name != "runs")

# All tables with parts. `commits`: which bundle is current since when. `unfinished`: failures of videos
# that a run could not settle, so that no bundle holds them.
COLUMNS: dict[str, tuple[Column, ...]] = {
    **{name: _columns(row_type) for name, row_type in TABLES.items()},
    "commits": (_SNAPSHOT, *_columns(Commit)),
    "unfinished": (_SNAPSHOT, *_columns(Failure)),
}


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """With our schema version in the metadata, which Parquet keeps."""
    fields = [pa.field(column.name, column.arrow_type) for column in columns]
    return pa.schema(fields, metadata={_VERSION_KEY: str(SCHEMA_VERSION).encode()})


def to_table(rows: Sequence[Row], columns: Sequence[Column], **constants: int) -> pa.Table:
    """Rows in column order; `constants` fill columns that the rows do not have."""
    records = [{**constants, **row.model_dump()} for row in rows]
    return pa.Table.from_pylist(records, schema=arrow_schema(columns))


def conform(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """A table written by this or an older version, in today's columns; missing ones are null."""
    arrays = [
        table.column(column.name).cast(column.arrow_type)
        if column.name in table.column_names
        else pa.nulls(table.num_rows, column.arrow_type)
        for column in columns
    ]
    return pa.Table.from_arrays(arrays, schema=arrow_schema(columns))


def check_version(version: int, url: str) -> None:
    """PreflightError for data of a later version: dropping columns we do not know would lose them."""
    if version > SCHEMA_VERSION:
        raise PreflightError(
            f"{url} was written by a newer media-index (schema {version}, this one knows {SCHEMA_VERSION})",
            "Update media-index on this machine.",
        )


def check_schema(schema: pa.Schema, url: str) -> None:
    """PreflightError unless the Parquet file is ours and not of a later version."""
    version = (schema.metadata or {}).get(_VERSION_KEY)
    if version is None:
        raise PreflightError(f"{url} is not a file of media-index", "Check the index's location.")
    check_version(int(version), url)
