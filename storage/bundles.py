"""One video's rows as one Parquet object: the columns of its commit, and a list of rows per table.

One object appears all at once, so the rows of all tables do.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import pyarrow as pa
from pyarrow import parquet

from schemas.commit import Bundle
from storage.columns import BUNDLE_TABLES, COLUMNS, Column, arrow_schema, check_schema, columns_of, conform

_COMMIT_COLUMNS = COLUMNS["commits"][1:]  # the snapshot is known at publish only


def _with_table(schema: pa.Schema, table: str, columns: Iterable[Column]) -> pa.Schema:
    return schema.append(pa.field(table, pa.list_(pa.struct(list(arrow_schema(columns))))))


_SCHEMA = arrow_schema(_COMMIT_COLUMNS)
for _table in BUNDLE_TABLES:
    _SCHEMA = _with_table(_SCHEMA, _table, COLUMNS[_table])


def encode_bundle(bundle: Bundle) -> bytes:
    """Without what only large files profit from: statistics, dictionaries and Arrow's own schema
    would double a small video's bundle."""
    record, schema = bundle.commit.model_dump(), _SCHEMA
    for table in BUNDLE_TABLES:
        record[table] = [row.model_dump() for row in getattr(bundle, table)]
    for table, rows in bundle.own.items():
        if rows:
            schema = _with_table(schema, table, columns_of(type(rows[0])))
            record[table] = [row.model_dump() for row in rows]
    sink = pa.BufferOutputStream()
    with parquet.ParquetWriter(
        sink, schema, compression="zstd", use_dictionary=False, write_statistics=False, store_schema=False
    ) as writer:
        writer.write_table(pa.Table.from_pylist([record], schema=schema))
        writer.add_key_value_metadata(schema.metadata)
    return bytes(sink.getvalue())


def read_bundle(data: bytes, url: str) -> pa.Table:
    """The bundle's single row. PreflightError: not a bundle, or of a newer version."""
    table = parquet.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    check_schema(table.schema, url)
    return table


def flatten_bundles(
    bundles: Sequence[pa.Table], own: Mapping[str, Sequence[Column]] | None = None
) -> dict[str, pa.Table]:
    """The bundles' rows table by table, in order and in today's columns, and their commits as `commits`.

    `own` are the columns of the tables that prompt packs brought.
    """
    tables = {table: COLUMNS[table] for table in BUNDLE_TABLES} | dict(own or {})
    alike = [pa.concat_tables(group) for _, group in groupby(bundles, lambda bundle: bundle.schema)]
    flat = {
        table: _concat([_rows_of(bundle, table, columns) for bundle in alike])
        for table, columns in tables.items()
    }
    flat["commits"] = _concat([conform(bundle, _COMMIT_COLUMNS) for bundle in alike])
    return flat


def _rows_of(bundles: pa.Table, table: str, columns: Sequence[Column]) -> pa.Table:
    if table not in bundles.column_names:
        return arrow_schema(columns).empty_table()
    rows = bundles.column(table).combine_chunks().flatten()
    return conform(pa.Table.from_struct_array(rows), columns)


def _concat(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).combine_chunks()
