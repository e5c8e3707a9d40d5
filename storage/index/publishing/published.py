"""Which commit of each video is current: the newest snapshot's `commits`, held as Arrow columns."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.commit import VISIBLE_STATES, CommitState
from schemas.identity import VideoId
from storage.index.commits.commit_blocks import CommitBlocks
from storage.index.publishing.parts import read_part
from storage.index.publishing.snapshots import Snapshot, read_newest
from storage.index.tables.arrow_tables import arrow_schema
from storage.index.tables.columns import COLUMNS
from storage.objects.store import ObjectStore


class CurrentCommit(NamedTuple):
    """The latest word on a video; see `schemas.commit.Commit`."""

    snapshot: int
    video_id: VideoId
    analysis_key: str
    object_rev: str
    content_rev: str
    recipe_id: str
    state: str
    failure_class: str | None
    sidecars_rev: str | None = None

    @property
    def is_visible(self) -> bool:
        """Whether readers see its rows, or why it has none."""
        return self.state in VISIBLE_STATES

    @property
    def has_rows(self) -> bool:
        """Whether it has been analysed, and is still in the library."""
        return self.state == CommitState.ROWS


_READERS = 16  # files on their way from the store
_COLUMNS = {column.name: column for column in COLUMNS["commits"]}
_SCHEMA = arrow_schema(_COLUMNS[name] for name in CurrentCommit._fields)


class PublishedCommits:
    """Commits that readers see, in about 190 bytes each. `refresh` reads only files that are new."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._snapshot: Snapshot | None = None
        self._commits = CommitBlocks(_SCHEMA)

    @property
    def seen(self) -> Snapshot | None:
        """The snapshot of the last `refresh`."""
        return self._snapshot

    def refresh(self) -> Snapshot | None:
        """Look for a newer snapshot; the one that the other methods then speak of."""
        newest = read_newest(self._store, self._snapshot)
        if newest is not None and newest is not self._snapshot:
            known = self._snapshot.files_of("commits") if self._snapshot else ()
            keys = newest.files_of("commits")
            commits = self._commits
            if keys[: len(known)] != known:  # compacted since
                commits, known = CommitBlocks(_SCHEMA), ()
            commits.add(pa.concat_tables([_SCHEMA.empty_table(), *self._read(keys[len(known) :])]))
            self._commits, self._snapshot = commits, newest
        return self._snapshot

    def current(self, video_ids: Iterable[VideoId]) -> dict[str, CurrentCommit]:
        """The current commit of each of the videos that has one."""
        return _newest(self._where("video_id", set(video_ids)))

    def with_content(self, content_revs: Iterable[str]) -> list[CurrentCommit]:
        """The current commits of videos that have, or once had, these bytes."""
        found = {commit.video_id for commit in self._where("content_rev", set(content_revs))}
        return list(self.current(found).values())

    def with_sizes(self, sizes: Collection[int]) -> list[CurrentCommit]:
        """The current commits of videos that have, or once had, so many bytes; looks at all there are."""
        if not sizes:
            return []
        commits = self._commits.table()
        told = pc.struct_field(pc.extract_regex(commits.column("content_rev"), r"^(?P<size>\d+)-"), "size")
        is_wanted = pc.is_in(told, value_set=pa.array(map(str, sizes), pa.string()))
        return list(self.current(commits.column("video_id").filter(is_wanted).to_pylist()).values())

    def ever_current(self, analysis_keys: Collection[str]) -> set[str]:
        """Return the keys whose rows are in the parts already, whether or not they are current now."""
        return {
            commit.analysis_key for commit in self._where("analysis_key", analysis_keys) if commit.is_visible
        }

    def named(self, analysis_keys: Iterable[str]) -> set[str]:
        """Return the keys that any commit names, whatever it says."""
        return {commit.analysis_key for commit in self._where("analysis_key", set(analysis_keys))}

    def visible(self) -> Iterator[pa.Table]:
        """The current commits that readers see something of, with their `uri`, file by file."""
        commits = self._commits.table()
        is_visible = _is_newest(commits)
        is_visible &= pc.is_in(commits.column("state"), value_set=pa.array(VISIBLE_STATES)).to_numpy()
        first, keys = 0, self._snapshot.files_of("commits") if self._snapshot else ()
        for uris in self._read(keys, pa.schema([("uri", pa.string())])):
            rows = slice(first, first + uris.num_rows)
            some = commits.slice(first, uris.num_rows).append_column("uri", uris.column("uri"))
            yield some.filter(pa.array(is_visible[rows]))
            first = rows.stop

    def _where(self, column: str, values: Collection[str]) -> Iterator[CurrentCommit]:
        return map(CurrentCommit._make, self._commits.find(column, values))

    def _read(self, keys: Sequence[str], schema: pa.Schema = _SCHEMA) -> Iterator[pa.Table]:
        def read(key: str) -> pa.Table:
            part = read_part(self._store, key, schema.names)
            for name in schema.names:
                if name not in part.column_names:  # of before the column came
                    part = part.append_column(name, pa.nulls(part.num_rows, schema.field(name).type))
            return part.select(schema.names).cast(schema)

        with ThreadPoolExecutor(_READERS) as pool:
            yield from pool.map(read, keys)


def _newest(commits: Iterable[CurrentCommit]) -> dict[str, CurrentCommit]:
    newest: dict[str, CurrentCommit] = {}
    for commit in commits:
        newest[commit.video_id] = max(newest.get(commit.video_id, commit), commit, key=lambda c: c.snapshot)
    return newest


def _is_newest(commits: pa.Table) -> npt.NDArray[np.bool_]:
    """Whether each row is the last word on its video."""
    videos = commits.column("video_id").combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.lexsort((commits.column("snapshot").to_numpy(), videos))
    is_newest = np.ones(commits.num_rows, np.bool_)
    is_newest[order[:-1]] = videos[order][:-1] != videos[order][1:]
    return is_newest
