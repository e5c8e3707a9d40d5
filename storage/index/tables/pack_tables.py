"""Tables that prompt packs bring: a snapshot says which there are, with their columns.

So a reader knows them without the pack, and before any video has a row in them.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from schemas.failures import PreflightError
from schemas.rows import Row
from storage.index.tables.columns import SCALARS, Column, columns_of

OwnTables = dict[str, dict[str, str]]  # table -> column -> SQL type
_SCALAR_IDS = {duckdb.sqltype(sql_type).id for sql_type in SCALARS.values()}


def declare(row_types: Mapping[str, type[Row]]) -> OwnTables:
    """The tables of these row types, as snapshots say it."""
    return {
        table: {column.name: column.sql_type for column in columns_of(row_type)}
        for table, row_type in row_types.items()
    }


def join(known: OwnTables, added: OwnTables, url: str) -> OwnTables:
    """Return the columns of both, table by table. PreflightError: a column would have two types."""
    joined = {table: dict(columns) for table, columns in known.items()}
    for table, columns in added.items():
        mine = joined.setdefault(table, {})
        for name, sql_type in columns.items():
            if mine.setdefault(name, sql_type) != sql_type:
                raise PreflightError(
                    f"{url} holds {table}.{name} as {mine[name]}, and the pack's schema makes it {sql_type}",
                    f"Rename that field, or give the pack's table another name than {table}.",
                )
    return joined


def columns_by_table(tables: OwnTables) -> dict[str, tuple[Column, ...]]:
    """Return the columns of each table, all nullable: older rows lack those that came later."""
    return {table: tuple(_columns(columns.items())) for table, columns in tables.items()}


def _columns(columns: Iterable[tuple[str, str]]) -> Iterable[Column]:
    for name, sql_type in columns:
        _check(duckdb.sqltype(sql_type))
        yield Column(name, sql_type, True, "")


def _check(sql_type: Any) -> None:  # a DuckDBPyType; DuckDB types its children loosely
    """A snapshot's words become SQL, so nothing but a type that we write may be among them."""
    if sql_type.id in ("list", "struct"):
        for _, part in sql_type.children:
            _check(part)
    elif sql_type.id not in _SCALAR_IDS:
        raise ValueError(f"no column of ours is of type {sql_type}")
