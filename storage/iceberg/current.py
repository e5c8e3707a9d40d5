"""Which files have the current rows of a table alone: parts, or copies without what is history."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from schemas.identity import digest
from storage.index.publishing.parts import read_part
from storage.index.publishing.snapshots import Snapshot
from storage.index.tables.arrow_tables import conform
from storage.index.tables.columns import BUNDLE_TABLES, COLUMNS, Column
from storage.index.tables.pack_tables import columns_by_table
from storage.objects.store import ObjectStore
from storage.query.catalog import Catalog

# Put together from several tables' parts, or without a mark of what is current: written anew each time.
_FROM_VIEWS = ("commits", "failures")
_AS_THEY_ARE = ("runs", "attempts")  # nothing supersedes their rows


@dataclass(frozen=True, slots=True)
class Place:
    """An index to read, and where its Iceberg tables are."""

    index: ObjectStore
    output: ObjectStore
    catalog: Catalog
    snapshot: Snapshot


def tables_of(snapshot: Snapshot) -> dict[str, tuple[Column, ...]]:
    """The columns of each table that has rows."""
    columns = COLUMNS | columns_by_table(snapshot.own_tables)
    has_parts = {table for table, keys in snapshot.parts.items() if keys}
    if "unfinished" in has_parts:
        has_parts.add("failures")
    return {table: columns[table] for table in columns if table in has_parts - {"unfinished"}}


def files_of(place: Place, table: str, columns: tuple[Column, ...]) -> list[str]:
    """The addresses of the files that together have the table's current rows. Copies are written."""
    if table in _FROM_VIEWS:
        place.catalog.will_read(table)
        rows = place.catalog.connection.sql(f'FROM "{table}" ORDER BY ALL')  # the same rows are the same file
        return list(_copy(place, table, columns, rows.to_arrow_table(), ""))
    if table in _AS_THEY_ARE or table not in (*BUNDLE_TABLES, *place.snapshot.own_tables):
        return [f"{place.index.url}/{key}" for key in place.snapshot.files_of(table)]
    place.catalog.will_read("commits")
    current = place.catalog.connection.sql("SELECT analysis_key FROM commits").to_arrow_table().column(0)
    return [
        address
        for key in place.snapshot.files_of(table)
        for address in _of_part(place, table, columns, key, current)
    ]


def _of_part(
    place: Place, table: str, columns: tuple[Column, ...], key: str, current: pa.ChunkedArray
) -> Iterator[str]:
    told = read_part(place.index, key, ["analysis_key", "is_grounded"])
    counts = pc.is_in(told.column("analysis_key"), value_set=current.combine_chunks())
    if "is_grounded" in told.column_names:
        counts = pc.and_(counts, pc.fill_null(told.column("is_grounded"), True))
    if pc.all(counts).as_py():
        yield f"{place.index.url}/{key}"
    elif pc.any(counts).as_py():
        rows = read_part(place.index, key).filter(counts)
        yield from _copy(place, table, columns, rows, key)


def _copy(place: Place, table: str, columns: tuple[Column, ...], rows: pa.Table, key: str) -> Iterator[str]:
    """Rows in a file of their own, whose name follows from what is in it."""
    if rows.num_rows:
        sink = pa.BufferOutputStream()
        parquet.write_table(conform(rows, columns).replace_schema_metadata(None), sink, compression="zstd")
        data = bytes(sink.getvalue())
        copy = f"{table}/data/{digest(key, data.hex())}.parquet"
        place.output.put_if_absent(copy, data)
        yield f"{place.output.url}/{copy}"
