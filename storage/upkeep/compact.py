"""Compaction: many small parts become few large ones, their rows sorted by video; then one snapshot switches.

Readers and publishers go on meanwhile. A crash leaves new parts that no snapshot lists. Rows are never
dropped here: what is not current any more is history.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from schemas.failures import PreflightError
from storage.index.layout import PARTS
from storage.index.leases import Holder, holding
from storage.index.marker import open_for_writing
from storage.index.publishing.damage import damaged_part
from storage.index.publishing.packs import NewPart
from storage.index.publishing.parts import FILE_BYTES, read_part, write_parts
from storage.index.publishing.snapshots import Snapshot, create_next, next_number, read_newest
from storage.index.tables.arrow_tables import arrow_schema, conform
from storage.index.tables.columns import COLUMNS, Column
from storage.index.tables.pack_tables import columns_by_table
from storage.index.views import write_views
from storage.objects.store import ObjectStore
from storage.sql import connect, quote

SMALL_BYTES = FILE_BYTES // 2  # parts below it are merged
ROUND_BYTES = 4 << 30  # of parts that are sorted together: what the scratch disk must hold a few times
_AHEAD, _AHEAD_BYTES = 16, 64 << 20  # parts on their way from the store
_SORT_MEMORY = "1GB"  # more is sorted on the scratch disk
_BATCH_ROWS = 2048
_MUCH = 4
_SORTED_BY = ("video_id", "snapshot", "analysis_key", "run_id")  # those of them that the table has

Wait = Callable[[Holder], None]


@dataclass(frozen=True, slots=True)
class Merged:
    """The small parts of one table before and after."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    num_rows: int


@dataclass(frozen=True, slots=True)
class Compaction:
    """The parts that a compaction `merged`, by table, and the snapshot since which it counts."""

    snapshot: int
    merged: dict[str, Merged]


def is_due(snapshot: Snapshot | None, at: int) -> bool:
    """Whether a table has more than `at` small parts; 0: never."""
    tables = snapshot.parts if snapshot and at else {}
    return any(_num_small(snapshot, keys) > at for keys in tables.values() if snapshot and len(keys) > at)


def _num_small(snapshot: Snapshot, keys: Iterable[str]) -> int:
    return sum((snapshot.size_of(key) or 0) < SMALL_BYTES for key in keys)


def compact(
    url: str, endpoint_url: str | None, wait: Wait, scratch: Path | None = None, at_ease: bool = False
) -> Compaction | None:
    """Merge the small parts of every table. None: there is nothing to merge.

    `at_ease` leaves out parts that are much larger than all smaller ones together: for who comes again soon.
    So a row is merged anew only as its part multiplies, however often rows are added.

    Safe beside runs and readers. LeaseHeldError: another compaction is at work, or a video is being
    forgotten. PreflightError: no index, or a part that cannot be read.
    """
    store, _ = open_for_writing(url, endpoint_url)
    with holding(store, "compact", wait) as check_lease:
        base = read_newest(store)
        small = _small_parts(store, base, at_ease) if base else {}
        if base is None or not small:
            return None
        merged: dict[str, Merged] = {}
        with tempfile.TemporaryDirectory(prefix="media-index-compact-", dir=scratch) as folder:
            for table, parts in small.items():
                merged[table] = merge_parts(store, base, table, parts, Path(folder))
                check_lease()
        return switch_parts(store, base, merged)


def _small_parts(store: ObjectStore, snapshot: Snapshot, at_ease: bool) -> dict[str, dict[str, int]]:
    """The parts of each table that one larger part can take the place of, with their sizes."""
    sizes = {found.key: found.size_bytes for found in store.list_objects(PARTS)}
    columns = _columns(snapshot)
    found: dict[str, dict[str, int]] = {}
    for table in snapshot.parts.keys() & columns.keys():
        parts: dict[str, int] = {}
        for key in snapshot.files_of(table):
            if key not in sizes:
                raise damaged_part(store.url, key, "missing")
            if sizes[key] < SMALL_BYTES:
                parts[key] = sizes[key]
        if at_ease:
            parts = of_a_kind(parts)
        if len(parts) > 1:
            found[table] = parts
    return dict(sorted(found.items()))


def of_a_kind(parts: dict[str, int]) -> dict[str, int]:
    """Leave out parts that are more than `_MUCH` times as large as all smaller ones together."""
    chosen: set[str] = set()
    total = 0
    for key, size in sorted(parts.items(), key=lambda part: part[1]):
        if chosen and size > _MUCH * total:
            break
        chosen.add(key)
        total += size
    return {key: size for key, size in parts.items() if key in chosen}


def _columns(snapshot: Snapshot) -> dict[str, tuple[Column, ...]]:
    return COLUMNS | columns_by_table(snapshot.own_tables)


def merge_parts(
    store: ObjectStore, base: Snapshot, table: str, parts: dict[str, int], scratch: Path
) -> Merged:
    """Write the rows of these parts anew, sorted, in as few parts as hold them; nothing lists them yet."""
    columns, number = _columns(base)[table], next_number(base)
    after: list[NewPart] = []
    num_rows = 0

    def counted(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
        nonlocal num_rows
        for rows in tables:
            num_rows += rows.num_rows
            yield rows

    for keys in _portions(parts, len(parts), ROUND_BYTES):
        portion = {key: parts[key] for key in keys}
        rows = counted(_sorted(_read(store, portion, columns), columns, scratch))
        after += write_parts(store, table, number, arrow_schema(columns), rows)
    return Merged(tuple(parts), tuple(after), num_rows)


def _read(store: ObjectStore, parts: dict[str, int], columns: Sequence[Column]) -> Iterator[pa.Table]:
    """Fetched side by side, so that many small ones are not waited for one after the other."""
    known = {column.name for column in columns}
    with ThreadPoolExecutor(_AHEAD) as pool:
        for keys in _portions(parts, _AHEAD, _AHEAD_BYTES):
            for key, rows in zip(keys, pool.map(lambda key: read_part(store, key), keys), strict=True):
                if unknown := set(rows.column_names) - known:
                    raise PreflightError(
                        f"{store.url}/{key} has a column {min(unknown)} that this media-index does not know",
                        "Update media-index on this machine.",
                    )
                yield conform(rows, columns)


def _portions(parts: dict[str, int], num: int, num_bytes: int) -> Iterator[list[str]]:
    """Parts in order, at most so many together and, unless one alone is larger, so many bytes."""
    portion: list[str] = []
    total = 0
    for key, size in parts.items():
        if portion and (len(portion) == num or total + size > num_bytes):
            yield portion
            portion, total = [], 0
        portion.append(key)
        total += size
    if portion:
        yield portion


def _sorted(tables: Iterator[pa.Table], columns: Sequence[Column], scratch: Path) -> Iterator[pa.Table]:
    """Sort by video and analysis; the rows of one analysis stay as they were written, in order of time."""
    names = {column.name for column in columns}
    order = ", ".join([name for name in _SORTED_BY if name in names] + ["_written"])
    schema = arrow_schema(columns).append(pa.field("_written", pa.int64())).remove_metadata()
    failed: list[BaseException] = []
    connection = connect()
    try:
        connection.execute("SET enable_progress_bar = false")
        connection.execute(f"SET memory_limit = '{_SORT_MEMORY}'")
        connection.execute(f"SET temp_directory = {quote(str(scratch))}")
        reader = pa.RecordBatchReader.from_batches(schema, _numbered(tables, schema, failed))
        connection.register("written_rows", reader)
        ordered = connection.sql(f"SELECT * FROM written_rows ORDER BY {order}").to_arrow_reader(_BATCH_ROWS)
        for batch in ordered:
            yield conform(pa.Table.from_batches([batch]), columns)
    except (duckdb.Error, RuntimeError) as error:
        raise _cause(error, failed, scratch) from error
    finally:
        connection.close()


def _numbered(
    tables: Iterator[pa.Table], schema: pa.Schema, failed: list[BaseException]
) -> Iterator[pa.RecordBatch]:
    """Our own errors do not survive the way through DuckDB, so they are kept in `failed`."""
    num_rows = 0
    try:
        for rows in tables:
            numbers = pa.array(range(num_rows, num_rows + rows.num_rows), pa.int64())
            num_rows += rows.num_rows
            yield from rows.append_column("_written", numbers).cast(schema).to_batches(_BATCH_ROWS * 8)
    except BaseException as error:
        failed.append(error)
        raise


def _cause(error: Exception, failed: list[BaseException], scratch: Path) -> BaseException:
    if failed:
        return failed[0]
    if not isinstance(error, duckdb.Error):  # Ctrl-C while DuckDB works
        return KeyboardInterrupt()
    return PreflightError(
        f"the rows cannot be sorted: {error}", f"Check the space below {scratch.parent}, or name --scratch."
    )


def switch_parts(store: ObjectStore, base: Snapshot, merged: dict[str, Merged]) -> Compaction | None:
    """One snapshot more. After a faster publisher its parts stay listed; nothing is merged again."""
    newest: Snapshot | None = base
    while newest is not None:
        # What another compaction or a repair took away is not for us to list once more.
        ours = {t: done for t, done in merged.items() if set(done.before) <= set(newest.files_of(t))}
        if not ours:
            break
        added = {table: done.after for table, done in ours.items()}
        dropped = {key for done in ours.values() for key in done.before}
        if snapshot := create_next(store, newest, added, {}, dropped):
            write_views(store, snapshot)
            return Compaction(snapshot.number, ours)
        newest = read_newest(store, newest)
    listed = newest.files if newest else frozenset()
    if newest and all(key in listed for done in merged.values() for key in done.after):
        return Compaction(newest.number, merged)  # ours, whose answer got lost
    return None
