"""Arrow and SQL columns, derived from the row types: a column is declared once, in `schemas`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pyarrow as pa
from pydantic import BaseModel

from schemas.commit import Commit
from schemas.failures import PreflightError
from schemas.tables import SCHEMA_VERSION, TABLES, Failure, Row
from storage.sql import quote_name

_VERSION_KEY = b"media_index.schema_version"
SCALARS: dict[type, tuple[pa.DataType, str]] = {
    str: (pa.string(), "VARCHAR"),
    int: (pa.int64(), "BIGINT"),
    float: (pa.float64(), "DOUBLE"),
    bool: (pa.bool_(), "BOOLEAN"),
    bytes: (pa.binary(), "BLOB"),
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


@cache
def columns_of(row_type: type[BaseModel]) -> tuple[Column, ...]:
    """A column per field."""
    columns = []
    for name, field in row_type.model_fields.items():
        arrow_type, sql_type, is_nullable = _types_of(field.annotation)
        columns.append(Column(name, arrow_type, sql_type, is_nullable, field.description or ""))
    return tuple(columns)


def _types_of(annotation: Any) -> tuple[pa.DataType, str, bool]:
    """Arrow type, SQL type, and whether it may be null."""
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _types_of(members[0])
    if origin in (UnionType, Union):
        (member,) = (m for m in members if m is not NoneType)
        return *_types_of(member)[:2], True
    if origin is list:
        arrow_type, sql_type, _ = _types_of(members[0])
        return pa.list_(arrow_type), f"{sql_type}[]", False
    if origin is Literal:
        return _types_of(type(members[0]))
    annotation = getattr(annotation, "__supertype__", annotation)  # of a NewType
    if issubclass(annotation, BaseModel):
        columns = columns_of(annotation)
        sql_type = ", ".join(f"{quote_name(column.name)} {column.sql_type}" for column in columns)
        return pa.struct(list(arrow_schema(columns))), f"STRUCT({sql_type})", False
    return *SCALARS[str if issubclass(annotation, StrEnum) else annotation], False


_SNAPSHOT = Column("snapshot", pa.int64(), "BIGINT", False, "The snapshot that made it current")

# Tables of videos' bundles; every row of theirs names its bundle by `analysis_key`.
BUNDLE_TABLES: tuple[str, ...] = tuple(name for name in TABLES if name != "runs")

# All tables with parts. `commits`: which bundle is current since when. `unfinished`: failures of videos
# that a run could not settle, so that no bundle holds them.
COLUMNS: dict[str, tuple[Column, ...]] = {
    **{name: columns_of(row_type) for name, row_type in TABLES.items()},
    "commits": (_SNAPSHOT, *columns_of(Commit)),
    "unfinished": (_SNAPSHOT, *columns_of(Failure)),
}


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """With our schema version in the metadata, which Parquet keeps."""
    fields = [pa.field(column.name, column.arrow_type) for column in columns]
    return pa.schema(fields, metadata={_VERSION_KEY: str(SCHEMA_VERSION).encode()})


def to_table(rows: Sequence[Row], columns: Sequence[Column], **constants: int) -> pa.Table:
    """Rows in column order; `constants` fill columns that the rows do not have. NaN is null."""
    from storage.index.finite import without_nan  # Arrow's functions: readers do without

    records = [{**constants, **row.model_dump()} for row in rows]
    return without_nan(pa.Table.from_pylist(records, schema=arrow_schema(columns)))


def conform(table: pa.Table, columns: Sequence[Column]) -> pa.Table:
    """A table written by this or an older version, in today's columns; missing ones are null, and NaN is."""
    from storage.index.finite import without_nan  # Arrow's functions: readers do without

    arrays = [
        table.column(column.name).cast(column.arrow_type)
        if column.name in table.column_names
        else pa.nulls(table.num_rows, column.arrow_type)
        for column in columns
    ]
    return without_nan(pa.Table.from_arrays(arrays, schema=arrow_schema(columns)))


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
