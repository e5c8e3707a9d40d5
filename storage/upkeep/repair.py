"""Repair: parts that are missing or damaged are made anew from the bundles, which hold every video's rows.

What no bundle holds cannot come back, and is said: rows of `runs`, of videos that a run could not settle,
and the marks deleted and released, which the next run and a person make again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from schemas.commit import VISIBLE_STATES
from storage.errors import NotFound
from storage.index.commits.bundles import commits_of, flatten_bundles, read_bundle
from storage.index.layout import BUNDLES, bundle_key, new_part_key
from storage.index.leases import Holder, holding
from storage.index.marker import open_for_writing
from storage.index.publishing.damage import DamagedPart
from storage.index.publishing.parts import read_part, write_part
from storage.index.publishing.snapshots import Snapshot, create_next, next_number, read_newest
from storage.index.tables.arrow_tables import arrow_schema, conform
from storage.index.tables.columns import BUNDLE_TABLES, COLUMNS
from storage.index.tables.pack_tables import columns_by_table
from storage.index.views import write_views
from storage.objects.store import ObjectStore

_BATCH = 250  # bundles in memory together
_READERS = 16
_NOT_ONLY_BUNDLES = ("commits", "runs", "unfinished", "attempts")


@dataclass(frozen=True)
class Repair:
    """The damage, by file, and what came back, in rows by table."""

    snapshot: int
    damaged: dict[str, str]
    rows: dict[str, int]
    incomplete_tables: tuple[str, ...]  # rows that no bundle held may be gone for good
    lost_bundles: tuple[str, ...]  # that are gone too, and with them what was in the damaged files of them


@dataclass
class _Parts:
    """What can be read of a snapshot's parts: commits, and by table which analyses have rows in it."""

    damaged: dict[str, str] = field(default_factory=dict)
    broken_tables: set[str] = field(default_factory=set)
    commits: list[pa.Table] = field(default_factory=list)
    present: dict[str, set[str]] = field(default_factory=dict)


def repair(url: str, endpoint_url: str | None, wait: Callable[[Holder], None]) -> Repair | None:
    """Look at every byte of every part, and mend. None: nothing is wrong.

    LeaseHeldError: a compaction is at work, or a video is being forgotten. PreflightError: no index.
    """
    store, _ = open_for_writing(url, endpoint_url)
    with holding(store, "compact", wait) as check_lease:
        while True:
            base = read_newest(store)
            parts = _look(store, base) if base else _Parts()
            check_lease()
            if base is None or not parts.damaged:
                return None
            done, added = _mend(store, base, parts)
            check_lease()
            if snapshot := create_next(store, base, added, {}, parts.damaged.keys()):
                write_views(store, snapshot)
                return done


def _look(store: ObjectStore, snapshot: Snapshot) -> _Parts:
    found = _Parts()
    for table, keys in snapshot.parts.items():
        present = found.present.setdefault(table, set())
        for key in keys:
            try:
                rows = read_part(store, key)
            except DamagedPart as error:
                found.damaged[key] = error.message
                found.broken_tables.add(table)
                continue
            if table == "commits":
                found.commits.append(conform(rows, COLUMNS["commits"]))
            elif "analysis_key" in rows.column_names:
                present.update(pc.unique(_names(table, rows)).to_pylist())
    return found


def _names(table: str, rows: pa.Table) -> pa.ChunkedArray:
    """What tells the rows of one bundle from others: earlier runs tried the same analysis too."""
    if table == "attempts":
        return pc.binary_join_element_wise(rows.column("analysis_key"), rows.column("run_id"), "/")
    return rows.column("analysis_key")


def _mend(store: ObjectStore, base: Snapshot, parts: _Parts) -> tuple[Repair, dict[str, list[str]]]:
    """Write what is missing; it is not listed yet."""
    number = next_number(base)
    columns = {**{t: COLUMNS[t] for t in BUNDLE_TABLES}, **columns_by_table(base.own_tables)}
    commits = pa.concat_tables([arrow_schema(COLUMNS["commits"]).empty_table(), *parts.commits])
    unnamed = _unnamed_bundles(store, commits) if "commits" in parts.broken_tables else set()
    wanted = _bundles_without_rows(commits, parts, parts.broken_tables & columns.keys())
    added: dict[str, list[str]] = {}
    rows: dict[str, int] = {}
    lost: list[str] = []

    def add(table: str, missing: pa.Table) -> None:
        if missing.num_rows:
            added.setdefault(table, []).append(write_part(store, new_part_key(table, number), missing))
            rows[table] = rows.get(table, 0) + missing.num_rows

    restored = [commits.slice(0, 0).drop_columns("snapshot")]
    of_unnamed = {_analysis_key(key) for key in unnamed}
    for batch in _read(store, sorted(wanted | unnamed), lost):
        flat = flatten_bundles(batch, columns)
        restored.append(_filter(commits_of(batch), "commits", of_unnamed.__contains__))
        for table in columns:
            found = _filter(flat[table], table, _without(parts.present.get(table, set())))
            if table not in parts.broken_tables:
                found = found.filter(pc.is_in(found.column("analysis_key"), value_set=_texts(of_unnamed)))
            add(table, found)
    add("commits", _numbered(commits, pa.concat_tables(restored), number))
    incomplete = tuple(table for table in _NOT_ONLY_BUNDLES if table in parts.broken_tables)
    return Repair(number, parts.damaged, dict(sorted(rows.items())), incomplete, tuple(lost)), added


def _filter(rows: pa.Table, table: str, is_wanted: Callable[[str], bool]) -> pa.Table:
    return rows.filter(pa.array([is_wanted(name) for name in _names(table, rows).to_pylist()], pa.bool_()))


def _without(names: set[str]) -> Callable[[str], bool]:
    return lambda name: name not in names


def _unnamed_bundles(store: ObjectStore, commits: pa.Table) -> set[str]:
    """Those whose commits nobody remembers."""
    named = set(commits.column("analysis_key").to_pylist())
    return {key for key in store.list(BUNDLES) if _analysis_key(key) not in named}


def _bundles_without_rows(commits: pa.Table, parts: _Parts, tables: Iterable[str]) -> set[str]:
    """Commits that readers see or saw and that have no row in one of the tables."""
    visible = commits.filter(pc.is_in(commits.column("state"), value_set=_texts(VISIBLE_STATES)))
    keys = [
        bundle_key(*pair)
        for pair in zip(
            visible.column("video_id").to_pylist(), visible.column("analysis_key").to_pylist(), strict=True
        )
    ]
    found: set[str] = set()
    for table in tables:
        present = parts.present.get(table, set())
        names = _names(table, visible).to_pylist()
        found.update(key for key, name in zip(keys, names, strict=True) if name not in present)
    return found


def _numbered(known: pa.Table, restored: pa.Table, number: int) -> pa.Table:
    """Commits that nobody remembers, as of this snapshot where they are the latest of their video, else as
    of none: by the time at which they were made, as the snapshots are lost in which they came."""
    latest: dict[str, datetime] = {}
    for row in known.select(["video_id", "snapshot", "created_at"]).sort_by("snapshot").to_pylist():
        latest[row["video_id"]] = row["created_at"]
    restored = restored.sort_by("created_at")
    winners: dict[str, int] = {}
    for n, row in enumerate(restored.select(["video_id", "created_at"]).to_pylist()):
        if row["video_id"] not in latest or row["created_at"] > latest[row["video_id"]]:
            winners[row["video_id"]] = n
    current = set(winners.values())
    snapshots = pa.array([number if n in current else 0 for n in range(restored.num_rows)], pa.int64())
    return conform(restored.append_column("snapshot", snapshots), COLUMNS["commits"])


def _read(store: ObjectStore, keys: Sequence[str], lost: list[str]) -> Iterator[list[pa.Table]]:
    """Bundles in batches; one that is gone is put on the list of the `lost`."""

    def read(key: str) -> bytes | None:
        try:
            return store.read(key)
        except NotFound:
            return None

    with ThreadPoolExecutor(_READERS) as pool:
        for start in range(0, len(keys), _BATCH):
            some = keys[start : start + _BATCH]
            data = list(zip(some, pool.map(read, some), strict=True))
            lost += [key for key, found in data if found is None]
            if batch := [
                read_bundle(found, f"{store.url}/{key}") for key, found in data if found is not None
            ]:
                yield batch


def _analysis_key(bundle: str) -> str:
    return bundle.rpartition("/")[2].removesuffix(".parquet")


def _texts(values: Iterable[str]) -> pa.Array:
    return pa.array([str(value) for value in values], pa.string())
