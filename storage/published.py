"""Which commit of each video is current: the newest snapshot's `commits`, held as Arrow columns."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from schemas.commit import VISIBLE_STATES, CommitState
from storage.columns import COLUMNS, arrow_schema
from storage.objects import ObjectStore
from storage.parts import read_part
from storage.snapshots import Snapshot, read_newest


class CurrentCommit(NamedTuple):
    """The latest word on a video; see `schemas.commit.Commit`."""

    snapshot: int
    video_id: str
    analysis_key: str
    object_rev: str
    content_rev: str
    recipe_id: str
    state: str
    failure_class: str | None

    @property
    def is_visible(self) -> bool:
        """Whether readers see its rows, or why it has none."""
        return self.state in VISIBLE_STATES

    @property
    def has_rows(self) -> bool:
        """Whether it has been analysed, and is still in the library."""
        return self.state == CommitState.ROWS


_SCHEMA = arrow_schema(column for column in COLUMNS["commits"] if column.name in CurrentCommit._fields)


class PublishedCommits:
    """About 150 bytes a commit. Only files that were not there before are read on `refresh`."""

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
        return _newest(self._where("video_id", list(video_ids)))

    def with_content(self, content_revs: Iterable[str]) -> list[CurrentCommit]:
        """The current commits of videos that have, or once had, these bytes."""
        found = {commit.video_id for commit in self._where("content_rev", list(content_revs))}
        return list(self.current(found).values())

    def ever_current(self, analysis_keys: Collection[str]) -> set[str]:
        """Those whose rows are in the parts already, whether or not they are current now."""
        return {
            commit.analysis_key
            for commit in self._where("analysis_key", list(analysis_keys))
            if commit.is_visible
        }

    def named(self, analysis_keys: Iterable[str]) -> set[str]:
        """Those that any commit names, whatever it says."""
        return {commit.analysis_key for commit in self._where("analysis_key", list(analysis_keys))}

    def visible(self) -> pa.Table:
        """The current commits that readers see something of, with their `uri`, read anew."""
        keys = self._snapshot.files_of("commits") if self._snapshot else ()
        schema = _SCHEMA.append(pa.field("uri", pa.string()))
        tables = [self._read(key, schema) for key in keys]
        commits = pa.concat_tables([schema.empty_table(), *tables]).sort_by(
            [("video_id", "ascending"), ("snapshot", "ascending")]
        )
        ids = commits.column("video_id").combine_chunks()
        is_last = pc.not_equal(ids[:-1], ids[1:]).to_pylist() + [True] * bool(len(ids))
        newest = commits.filter(pa.array(is_last, pa.bool_())).select([*CurrentCommit._fields, "uri"])
        return newest.filter(pc.is_in(newest.column("state"), value_set=pa.array(VISIBLE_STATES)))

    def recipe_ids(self) -> set[str]:
        """Of all commits there ever were."""
        return set(pc.unique(self._commits.column("recipe_id")).to_pylist())

    def _where(self, column: str, values: list[str]) -> Iterator[CurrentCommit]:
        wanted = pc.is_in(self._commits.column(column), value_set=pa.array(values, pa.string()))
        found = self._commits.filter(wanted)
        columns = (found.column(name).to_pylist() for name in CurrentCommit._fields)
        return map(CurrentCommit._make, zip(*columns, strict=True))

    def _read(self, key: str, schema: pa.Schema = _SCHEMA) -> pa.Table:
        return read_part(self._store, key, schema.names).select(schema.names).cast(schema)


def _newest(commits: Iterable[CurrentCommit]) -> dict[str, CurrentCommit]:
    newest: dict[str, CurrentCommit] = {}
    for commit in commits:
        newest[commit.video_id] = max(newest.get(commit.video_id, commit), commit, key=lambda c: c.snapshot)
    return newest
