"""Which commit of each video is current: the newest snapshot's `commits`, held as three Arrow columns."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from storage.columns import COLUMNS, arrow_schema, check_schema
from storage.objects import ObjectStore
from storage.snapshots import Snapshot, read_newest

_WANTED = ("snapshot", "video_id", "analysis_key", "object_rev", "is_quarantined")
_SCHEMA = arrow_schema(column for column in COLUMNS["commits"] if column.name in _WANTED)


class CurrentCommit(NamedTuple):
    """What readers see of a video. Compares by `snapshot` first, so the greatest one is current."""

    snapshot: int
    video_id: str
    analysis_key: str
    object_rev: str
    is_quarantined: bool


class PublishedCommits:
    """About 100 bytes a commit. Only files that were not there before are read on `refresh`."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._snapshot: Snapshot | None = None
        self._parts: dict[str, pa.Table] = {}
        self._commits: pa.Table = _SCHEMA.empty_table()

    def refresh(self) -> Snapshot | None:
        """Look for a newer snapshot; the one that the other methods then speak of."""
        newest = read_newest(self._store, self._snapshot)
        if newest is not None and newest is not self._snapshot:
            keys = newest.files_of("commits")
            self._parts = {key: self._parts.get(key) or self._read(key) for key in keys}
            self._commits = pa.concat_tables([_SCHEMA.empty_table(), *self._parts.values()])
            self._snapshot = newest
        return self._snapshot

    def current(self, video_ids: Iterable[str]) -> dict[str, CurrentCommit]:
        """The current commit of each of the videos that has one."""
        newest: dict[str, CurrentCommit] = {}
        for commit in self._where("video_id", list(video_ids)):
            newest[commit.video_id] = max(newest.get(commit.video_id, commit), commit)
        return newest

    def ever_current(self, analysis_keys: Collection[str]) -> set[str]:
        """Those whose rows are in the parts already, whether or not they are current now."""
        return {commit.analysis_key for commit in self._where("analysis_key", list(analysis_keys))}

    def _where(self, column: str, values: list[str]) -> Iterator[CurrentCommit]:
        wanted = pc.is_in(self._commits.column(column), value_set=pa.array(values, pa.string()))
        found = self._commits.filter(wanted)
        columns = (found.column(name).to_pylist() for name in _WANTED)
        return map(CurrentCommit._make, zip(*columns, strict=True))

    def _read(self, key: str) -> pa.Table:
        table = parquet.read_table(pa.BufferReader(self._store.read(key)))
        check_schema(table.schema, f"{self._store.url}/{key}")
        return table.select(_SCHEMA.names).cast(_SCHEMA)
