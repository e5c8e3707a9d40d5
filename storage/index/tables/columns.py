"""SQL columns, derived from the row types: a column is declared once, in `schemas`."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from schemas.commit import Commit
from schemas.failures import PreflightError
from schemas.tables import SCHEMA_VERSION, TABLES, Failure
from storage.sql import quote_name

SCALARS: dict[type, str] = {
    str: "VARCHAR",
    int: "BIGINT",
    float: "DOUBLE",
    bool: "BOOLEAN",
    bytes: "BLOB",
    datetime: "TIMESTAMPTZ",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one table."""

    name: str
    sql_type: str
    is_nullable: bool
    description: str


@cache
def columns_of(row_type: type[BaseModel]) -> tuple[Column, ...]:
    """A column per field."""
    columns = []
    for name, field in row_type.model_fields.items():
        sql_type, is_nullable = _type_of(field.annotation)
        columns.append(Column(name, sql_type, is_nullable, field.description or ""))
    return tuple(columns)


def _type_of(annotation: Any) -> tuple[str, bool]:
    """The SQL type, and whether it may be null."""
    origin, members = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_of(members[0])
    if origin in (UnionType, Union):
        (member,) = (m for m in members if m is not NoneType)
        return _type_of(member)[0], True
    if origin is list:
        sql_type, _ = _type_of(members[0])
        return f"{sql_type}[]", False
    if origin is Literal:
        return _type_of(type(members[0]))
    annotation = getattr(annotation, "__supertype__", annotation)  # of a NewType
    if issubclass(annotation, BaseModel):
        columns = columns_of(annotation)
        sql_type = ", ".join(f"{quote_name(column.name)} {column.sql_type}" for column in columns)
        return f"STRUCT({sql_type})", False
    return SCALARS[str if issubclass(annotation, StrEnum) else annotation], False


_SNAPSHOT = Column("snapshot", "BIGINT", False, "The snapshot that made it current")

# Tables of videos' bundles; every row of theirs names its bundle by `analysis_key`.
BUNDLE_TABLES: tuple[str, ...] = tuple(name for name in TABLES if name != "runs")

# All tables with parts. `commits`: which bundle is current since when. `unfinished`: failures of videos
# that a run could not settle, so that no bundle holds them.
COLUMNS: dict[str, tuple[Column, ...]] = {
    **{name: columns_of(row_type) for name, row_type in TABLES.items()},
    "commits": (_SNAPSHOT, *columns_of(Commit)),
    "unfinished": (_SNAPSHOT, *columns_of(Failure)),
}


def check_version(version: int, url: str) -> None:
    """Refuse data of a later version by a `PreflightError`: dropping columns we do not know would lose
    them."""
    if version > SCHEMA_VERSION:
        raise PreflightError(
            f"{url} was written by a newer media-index (schema {version}, this one knows {SCHEMA_VERSION})",
            "Update media-index on this machine.",
        )
