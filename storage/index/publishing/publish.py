"""Make bundles visible: their rows become flat parts, then one new snapshot lists the parts.

A crash before the snapshot leaves parts that nobody lists. Of two publishers one creates the
snapshot; the other looks at what is there now and goes on from it.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa

from schemas.commit import Commit, RunRecord
from schemas.identity import VideoId
from storage.index.batches import batches
from storage.index.commits.bundles import commits_of, flatten_bundles, read_bundle
from storage.index.layout import bundle_key, new_part_key, run_id_of, run_part_key
from storage.index.publishing.parts import read_part, write_part
from storage.index.publishing.published import PublishedCommits
from storage.index.publishing.snapshots import Snapshot, create_next, next_number
from storage.index.tables.arrow_tables import to_table
from storage.index.tables.columns import COLUMNS
from storage.index.tables.pack_tables import OwnTables, columns_by_table
from storage.objects.store import ObjectStore

_BATCH, _BATCH_BYTES = 250, 64 << 20  # of bundles in memory together, which become one part per table
_log = logging.getLogger(__name__)
_READERS = 16  # bundles on their way from the store

ReadBundle = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class _Change:
    """What a publish would add to a snapshot."""

    current: dict[VideoId, str]  # video_id -> analysis_key that is not its current one
    new_keys: frozenset[str]  # those of them whose rows are in no part
    runs: tuple[RunRecord, ...]
    marks: tuple[Commit, ...]


@dataclass(frozen=True, slots=True)
class _Parts:
    """What has been written for a change: data parts by table, and the commits for the last part."""

    keys: dict[str, list[str]] = field(default_factory=dict)
    commits: list[pa.Table] = field(default_factory=list)


def publish(
    store: ObjectStore,
    published: PublishedCommits,
    read: ReadBundle,
    wanted: dict[VideoId, str],
    runs: Sequence[RunRecord],
    own_tables: OwnTables,
    marks: Sequence[Commit] = (),
) -> Snapshot | None:
    """Make `wanted` (video_id -> analysis_key) current. None: everything was already so.

    `own_tables` are those that the bundles may have besides ours. `marks` are commits without a bundle, of
    other videos.
    """
    written_for: _Change | None = None
    written = _Parts()
    while True:
        base = published.refresh()
        change = _compare(store, published, base, wanted, runs, marks)
        if not change.current and not change.runs and not change.marks:
            return None
        if change != written_for:
            written_for = change
            written = _write_data(store, read, change, next_number(base), own_tables)
        switchover = _write_switchover(store, change, written.commits, next_number(base))
        added = {
            table: [*written.keys.get(table, ()), *switchover.get(table, ())]
            for table in written.keys.keys() | switchover.keys()
        }
        if snapshot := create_next(store, base, added, own_tables):
            _tell(snapshot, change)
            return snapshot


def _tell(snapshot: Snapshot, change: _Change) -> None:
    fields = {"snapshot": snapshot.number, "videos": len(change.current), "runs": len(change.runs)}
    _log.info("snapshot %d is published", snapshot.number, extra={"event": "published", "fields": fields})


def _compare(
    store: ObjectStore,
    published: PublishedCommits,
    base: Snapshot | None,
    wanted: dict[VideoId, str],
    runs: Sequence[RunRecord],
    marks: Sequence[Commit],
) -> _Change:
    known = {commit.analysis_key for commit in published.current(wanted).values() if commit.is_visible}
    current = {video_id: key for video_id, key in sorted(wanted.items()) if key not in known}
    new_keys = frozenset(current.values()) - published.ever_current(current.values())
    published_runs = _run_ids(store, base) if base and runs else set()
    new_runs = tuple(record for record in runs if record.run.run_id not in published_runs)
    marked = published.current(mark.video_id for mark in marks)
    new_marks = tuple(
        mark for mark in marks if mark.video_id in marked and marked[mark.video_id].state != mark.state
    )
    return _Change(current, new_keys, new_runs, new_marks)


def _run_ids(store: ObjectStore, base: Snapshot) -> set[str]:
    """The published runs' ids. One's own part says it by its name; those that were merged are read."""
    run_ids: set[str] = set()
    for key in base.files_of("runs"):
        if run_id := run_id_of(key):
            run_ids.add(run_id)
        else:
            run_ids.update(read_part(store, key, ["run_id"]).column("run_id").to_pylist())
    return run_ids


def _write_data(
    store: ObjectStore, read: ReadBundle, change: _Change, number: int, own_tables: OwnTables
) -> _Parts:
    """Bundles in batches, so that memory stays the same for ten and for a hundred thousand."""
    parts, own = _Parts(), columns_by_table(own_tables)
    for batch in _read_batches(store, read, change.current):
        parts.commits.append(commits_of([bundle for _, bundle in batch]))
        new = [bundle for analysis_key, bundle in batch if analysis_key in change.new_keys]
        for table, rows in flatten_bundles(new, own).items() if new else ():
            if rows.num_rows:
                key: str = write_part(store, new_part_key(table, number), rows)
                parts.keys.setdefault(table, []).append(key)
    return parts


def _write_switchover(
    store: ObjectStore, change: _Change, commits: Sequence[pa.Table], number: int
) -> dict[str, list[str]]:
    """The parts that name the snapshot in which they count, written anew for each try."""
    added: dict[str, list[str]] = {}
    if change.marks:
        commits = [*commits, to_table(change.marks, COLUMNS["commits"][1:])]
    if commits:
        table = pa.concat_tables(commits)
        table = table.add_column(0, "snapshot", pa.repeat(pa.scalar(number, pa.int64()), table.num_rows))
        added["commits"] = [write_part(store, new_part_key("commits", number), table)]
    if failures := [failure for record in change.runs for failure in record.failures]:
        table = to_table(failures, COLUMNS["unfinished"], snapshot=number)
        added["unfinished"] = [write_part(store, new_part_key("unfinished", number), table)]
    if attempts := [attempt for record in change.runs for attempt in record.attempts]:
        table = to_table(attempts, COLUMNS["attempts"])
        added["attempts"] = [write_part(store, new_part_key("attempts", number), table)]
    for record in change.runs:
        key = write_part(store, run_part_key(record.run.run_id), to_table([record.run], COLUMNS["runs"]))
        added.setdefault("runs", []).append(key)
    return added


def _read_batches(
    store: ObjectStore, read: ReadBundle, current: dict[VideoId, str]
) -> Iterator[list[tuple[str, pa.Table]]]:
    """Bytes are fetched side by side and parsed one after the other: only the former is waiting."""
    batch: list[tuple[str, pa.Table]] = []
    num_bytes = 0
    with ThreadPoolExecutor(_READERS) as pool:
        for pairs in batches(current.items(), 2 * _READERS):
            keys = [bundle_key(*pair) for pair in pairs]
            for (_, analysis_key), key, data in zip(pairs, keys, pool.map(read, keys), strict=True):
                batch.append((analysis_key, read_bundle(data, f"{store.url}/{key}")))
                num_bytes += len(data)
                if len(batch) == _BATCH or num_bytes >= _BATCH_BYTES:
                    yield batch
                    batch, num_bytes = [], 0
    if batch:
        yield batch
