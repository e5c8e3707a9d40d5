"""One video's rows as one Parquet object: the columns of its commit, and a list of rows per table.

One object appears all at once, so the rows of all tables do.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, TypeVar

import pyarrow as pa
from pyarrow import compute, parquet

from schemas.commit import Bundle
from schemas.rows import Row
from storage.index.tables.arrow_tables import arrow_schema, check_schema, conform
from storage.index.tables.columns import BUNDLE_TABLES, COLUMNS, Column, columns_of
from storage.index.tables.finite import without_nan

R = TypeVar("R", bound=Row)

_SMALL_BYTES = 32 << 10  # of rows: some minutes of film without pictures
_COMMIT_COLUMNS = COLUMNS["commits"][1:]  # the snapshot is known at publish only


def _with_table(schema: pa.Schema, table: str, columns: Iterable[Column]) -> pa.Schema:
    return schema.append(pa.field(table, pa.list_(pa.struct(list(arrow_schema(columns))))))


_PARQUET = b"PAR1"  # its first bytes
_SCHEMA = arrow_schema(_COMMIT_COLUMNS)
for _table in BUNDLE_TABLES:
    _SCHEMA = _with_table(_SCHEMA, _table, COLUMNS[_table])


def encode_bundle(bundle: Bundle) -> bytes:
    """The bundle as it is stored: Parquet, without what only large files need. Statistics, dictionaries and
    Arrow's own schema would double a small video's bundle."""
    return _write(_to_table(bundle))


def encode_with_stream(bundle: Bundle) -> tuple[bytes, bytes]:
    """The bundle as it is stored, and as an Arrow stream, read in a twentieth of the time: for whoever
    publishes it."""
    table = _to_table(bundle)
    return _write(table), _stream(table)


def _stream(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def encode_renewed(old: pa.Table, bundle: Bundle, renewed: Collection[str]) -> tuple[bytes, bytes]:
    """Encode as `encode_with_stream`, with rows of the video's older bundle in all tables but the
    `renewed` ones. They stay as they are; only the bundle that they name changes, and whether it is partial.
    """
    table = _to_table(bundle)
    naming: dict[str, Any] = {"analysis_key": bundle.commit.analysis_key}
    for field in old.schema:
        if not pa.types.is_list(field.type) or field.name in renewed:
            continue
        own = {"is_partial": bundle.is_partial} if field.name == "videos" else {}
        columns = COLUMNS.get(field.name)
        rows = _with_values(_flat(old, field.name), naming | own)
        rows = conform(rows, columns) if columns else rows
        table = _with_rows(table, field.name, rows)
    return _write(table), _stream(table)


def _to_table(bundle: Bundle) -> pa.Table:
    record, schema = bundle.commit.model_dump(), _SCHEMA
    for table in BUNDLE_TABLES:
        record[table] = [row.model_dump() for row in bundle.rows(table)]
    for table, rows in bundle.own.items():
        if rows:
            schema = _with_table(schema, table, columns_of(type(rows[0])))
            record[table] = [row.model_dump() for row in rows]
    return without_nan(pa.Table.from_pylist([record], schema=schema))


def _write(bundle: pa.Table) -> bytes:
    """Compressed only where there is something to compress: its two hundred columns are mostly empty."""
    sink = pa.BufferOutputStream()
    with parquet.ParquetWriter(
        sink,
        bundle.schema,
        compression="none" if bundle.nbytes < _SMALL_BYTES else "zstd",
        use_dictionary=False,
        write_statistics=False,
        store_schema=False,
    ) as writer:
        writer.write_table(bundle)
        writer.add_key_value_metadata(bundle.schema.metadata)
    return bytes(sink.getvalue())


def read_bundle(data: bytes, url: str) -> pa.Table:
    """The single row of a bundle in either form. PreflightError: not a bundle, or of a newer version."""
    if data.startswith(_PARQUET):
        table = parquet.ParquetFile(pa.BufferReader(data)).read(use_threads=False)
    else:
        table = pa.ipc.open_stream(data).read_all()
    check_schema(table.schema, url)
    return table


def flatten_bundles(
    bundles: Sequence[pa.Table], own: Mapping[str, Sequence[Column]] | None = None
) -> dict[str, pa.Table]:
    """The bundles' rows table by table, in order and in today's columns.

    `own` are the columns of the tables that prompt packs brought.
    """
    tables = {table: COLUMNS[table] for table in BUNDLE_TABLES} | dict(own or {})
    alike = _alike(bundles)
    return {
        table: _concat([_rows_of(group, table, columns) for group in alike])
        for table, columns in tables.items()
    }


def commits_of(bundles: Sequence[pa.Table]) -> pa.Table:
    """The bundles' commits, in order."""
    return _concat([conform(group, _COMMIT_COLUMNS) for group in _alike(bundles)])


def _alike(bundles: Sequence[pa.Table]) -> list[pa.Table]:
    """Neighbours of one schema as one table, which is worked on once."""
    return [pa.concat_tables(group) for _, group in groupby(bundles, lambda bundle: bundle.schema)]


def _rows_of(bundles: pa.Table, table: str, columns: Sequence[Column]) -> pa.Table:
    if table not in bundles.column_names:
        return arrow_schema(columns).empty_table()
    return conform(_flat(bundles, table), columns)


def _concat(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables).combine_chunks()


def rows_of(bundle: pa.Table, table: str, row_type: type[R]) -> tuple[R, ...]:
    """One table's rows of a bundle, as they were given to `encode_bundle`."""
    rows = _rows_of(bundle, table, columns_of(row_type)).to_pylist()
    return tuple(row_type.model_validate(row) for row in rows)


def relink_bundle(
    bundle: pa.Table, commit: Mapping[str, Any], video: Mapping[str, Any], with_sidecars: bool = True
) -> bytes:
    """The same rows under another name: `commit` and `video` are the columns of the commit and of the row in
    `videos` that are different; in all other tables those of them that name the video change too. Attempts
    stay where they were: what they took was spent once. Captions beside the video are left out where the
    other one has not the same (`with_sidecars`)."""
    changed = _with_values(bundle, commit)
    for field in bundle.schema:
        if pa.types.is_list(field.type):
            rows = _flat(bundle, field.name)
            if field.name == "attempts":
                rows = rows.slice(0, 0)
            if field.name in ("caption_tracks", "captions") and not with_sidecars:
                rows = rows.filter(compute.is_in(rows["track"], _tracks_inside(bundle)))
            values = video if field.name == "videos" else {k: commit[k] for k in _NAMING}
            changed = _with_rows(changed, field.name, _with_values(rows, values))
    return _write(changed)


def _tracks_inside(bundle: pa.Table) -> pa.Array:
    """Numbers of the caption tracks that are in the video's own bytes."""
    tracks = _flat(bundle, "caption_tracks")
    return tracks.filter(compute.not_equal(tracks["source"], "sidecar"))["track"].combine_chunks()


def sidecars_rev_of(bundle: pa.Table) -> str | None:
    """Return the revision of the sidecars that a bundle was made with; None: there were none."""
    name = "sidecars_rev"
    return bundle.column(name)[0].as_py() if name in bundle.column_names else None


def _flat(bundle: pa.Table, table: str) -> pa.Table:
    return pa.Table.from_struct_array(bundle.column(table).combine_chunks().flatten())


def _with_rows(bundle: pa.Table, table: str, rows: pa.Table) -> pa.Table:
    """A bundle with these rows of one of its tables, or of another one."""
    structs = rows.combine_chunks().to_struct_array().combine_chunks()
    lists = pa.ListArray.from_arrays(pa.array([0, len(structs)], pa.int32()), structs)
    place = bundle.schema.get_field_index(table)
    if place < 0:
        return bundle.append_column(table, lists)
    return bundle.set_column(place, bundle.schema.field(table).with_type(lists.type), lists)


_NAMING = ("video_id", "object_rev", "analysis_key", "uri")


def _with_values(table: pa.Table, values: Mapping[str, Any]) -> pa.Table:
    """Every row with these values, in columns that the table has."""
    for name in values.keys() & set(table.column_names):
        field = table.schema.field(name)
        column = pa.array([values[name]] * table.num_rows, field.type)
        table = table.set_column(table.schema.get_field_index(name), field, column)
    return table
