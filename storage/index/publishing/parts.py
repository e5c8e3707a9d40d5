"""Parts: immutable Parquet files of one table's rows. Nobody reads one before a snapshot lists its key."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from schemas.identity import VideoId
from storage.column_runs.together import with_columns_together
from storage.errors import NotFound
from storage.index.layout import new_part_key
from storage.index.publishing.damage import damaged_part
from storage.index.publishing.packs import NewPart
from storage.index.tables.arrow_tables import check_schema
from storage.objects.store import ObjectStore

# Of one row group, which is what reading one video's rows looks at; rows with pictures are large.
GROUP_ROWS, _GROUP_BYTES = 10_000, 8 << 20
FILE_BYTES = 256 << 20  # of a file that is large enough; it is in memory until it is written


def write_part(store: ObjectStore, key: str, table: pa.Table) -> NewPart:
    """A part in one piece; its key is returned."""
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd", row_group_size=_rows_of_a_group(table))
    return _put(store, key, sink)


def _put(store: ObjectStore, key: str, sink: pa.BufferOutputStream) -> NewPart:
    data = with_columns_together(memoryview(sink.getvalue()))
    store.put_if_absent(key, data)
    return NewPart.of(key, data)


def write_parts(
    store: ObjectStore, table: str, snapshot: int, schema: pa.Schema, rows: Iterable[pa.Table]
) -> list[NewPart]:
    """Rows as they come, in parts of about `FILE_BYTES`. No rows, no part.

    Neighbouring rows of one video come into one part: each part has all of an analysis, or nothing.
    """
    keys: list[NewPart] = []
    sink, writer, last = pa.BufferOutputStream(), None, None
    for group in _groups(rows):
        if writer is not None and sink.tell() >= FILE_BYTES:
            num_rest = _num_rows_of(last, group)
            if num_rest:
                writer.write_table(group.slice(0, num_rest))
            if num_rest < group.num_rows:
                keys.append(_finish(store, table, snapshot, writer, sink))
                sink, writer = pa.BufferOutputStream(), None
            group = group.slice(num_rest)
        if group.num_rows:
            writer = writer or parquet.ParquetWriter(sink, schema, compression="zstd")
            writer.write_table(group)
            last = group.column("video_id")[-1].as_py() if "video_id" in schema.names else None
    if writer is not None:
        keys.append(_finish(store, table, snapshot, writer, sink))
    return keys


def _num_rows_of(video_id: VideoId | None, group: pa.Table) -> int:
    """How many rows at the beginning of the group are the video's."""
    if video_id is None:
        return 0
    is_other = pc.not_equal(group.column("video_id"), video_id)
    first = pc.index(is_other, True).as_py()
    return int(group.num_rows if first < 0 else first)


def _finish(
    store: ObjectStore, table: str, snapshot: int, writer: parquet.ParquetWriter, sink: pa.BufferOutputStream
) -> NewPart:
    writer.close()
    return _put(store, new_part_key(table, snapshot), sink)


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The same rows cut into row groups, whatever pieces they came in."""
    waiting: list[pa.Table] = []
    num_rows = num_bytes = 0
    for table in tables:
        waiting.append(table)
        num_rows, num_bytes = num_rows + table.num_rows, num_bytes + table.nbytes
        if num_rows < GROUP_ROWS and num_bytes < _GROUP_BYTES:
            continue
        rows = pa.concat_tables(waiting)
        size = _rows_of_a_group(rows)
        whole = num_rows - num_rows % size
        for start in range(0, whole, size):
            yield rows.slice(start, size)
        rest = rows.slice(whole)
        waiting, num_rows, num_bytes = [rest], rest.num_rows, rest.nbytes
    if num_rows:
        yield pa.concat_tables(waiting)


def _rows_of_a_group(table: pa.Table) -> int:
    fitting = table.num_rows * _GROUP_BYTES // max(1, table.nbytes)
    return max(1, min(GROUP_ROWS, int(fitting)))


def open_part(store: ObjectStore, key: str) -> parquet.ParquetFile:
    """Open a part to read some of it. PreflightError: missing, damaged, newer. ObjectError: not to be had
    now."""
    try:
        file = parquet.ParquetFile(store.open(key))
    except FileNotFoundError as error:
        raise damaged_part(store.url, key, "missing") from error
    except pa.ArrowInvalid as error:
        raise damaged_part(store.url, key, f"damaged: {error}") from error
    except OSError as error:
        raise store.trouble_behind(error) or error from error
    check_schema(file.schema_arrow, f"{store.url}/{key}")
    return file


def read_part(store: ObjectStore, key: str, columns: Sequence[str] | None = None) -> pa.Table:
    """All its rows, in all columns, or in those of `columns` that it has: parts lack what came later.

    PreflightError: missing, damaged, or newer. ObjectError: not to be had now.
    """
    try:
        data = store.read(key)
    except NotFound as error:
        raise damaged_part(store.url, key, "missing") from error
    try:
        file = parquet.ParquetFile(pa.BufferReader(data))
        has = set(file.schema_arrow.names)
        table = file.read(columns=columns and [name for name in columns if name in has])
    except (pa.ArrowException, OSError) as error:  # OSError: Parquet's word for pages that make no sense
        raise damaged_part(store.url, key, f"damaged: {error}") from error
    check_schema(table.schema, f"{store.url}/{key}")
    return table
