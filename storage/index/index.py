"""The writer's door to an index: commit a video's bundle, look commits up, publish them to readers."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from schemas.commit import Commit, RunRecord
from schemas.identity import VideoId, digest
from schemas.recipe import RecipeRecord
from schemas.rows import Row
from storage.errors import preflight
from storage.index.commits.bundles import read_bundle, relink_bundle, sidecars_rev_of
from storage.index.commits.committed import CommittedBundles
from storage.index.commits.recipes import declare_recipe, read_recipe
from storage.index.layout import bundle_key
from storage.index.marker import check_empty, find_index_id, open_for_writing
from storage.index.publishing.parts import read_part
from storage.index.publishing.publish import publish
from storage.index.publishing.published import CurrentCommit, PublishedCommits
from storage.index.publishing.snapshots import Snapshot, create_next, own_tables_of
from storage.index.tables.pack_tables import OwnTables, declare, join
from storage.index.views import write_views
from storage.objects.store import ObjectStore, open_store

NOT_MADE = "none yet"  # the id of an index that is looked for in a place where none was made
_BATCH = 10_000  # rows as Python objects at once
_FRESH_BYTES = 64 << 20  # committed bundles kept until they are published, instead of being read again


class Index:
    """One process's view of an index; other processes may write to the same one."""

    def __init__(self, store: ObjectStore, own_tables: OwnTables, index_id: str) -> None:
        self.index_id = index_id  # of this index and no other, wherever it is moved; NOT_MADE: of none yet
        self.store = store
        self._own_tables = own_tables
        self._published = PublishedCommits(store)
        self._committed = CommittedBundles(store)
        self._fresh: dict[str, bytes] = {}
        self._num_fresh_bytes = 0

    @property
    def exists(self) -> bool:
        """Whether it was made: only a plan looks at one that was not."""
        return self.index_id != NOT_MADE

    @property
    def url(self) -> str:
        return self.store.url

    def commit(self, video_id: VideoId, analysis_key: str, bundle: bytes, stream: bytes = b"") -> bool:
        """Settle this revision of this video, once and for all. False: it was settled before, all is well.

        One request. Readers see it after the next `publish` of the pair, which takes the rows from `stream`
        where it is given: the same bundle by `encode_with_stream`.
        """
        key = bundle_key(video_id, analysis_key)
        created = self.store.put_if_absent(key, bundle)
        self._committed.tell(analysis_key)
        fresh = stream or bundle
        if created and self._num_fresh_bytes + len(fresh) <= _FRESH_BYTES:
            self._fresh[key] = fresh
            self._num_fresh_bytes += len(fresh)
        return created

    @property
    def is_publish_due(self) -> bool:
        """Whether there is no room to keep more bundles: they would be read again to be published."""
        return self._num_fresh_bytes >= _FRESH_BYTES * 3 // 4

    def is_committed(self, video_id: VideoId, analysis_key: str) -> bool:
        """Settled, though perhaps not published: a run that died after `commit` leaves such bundles."""
        return self._committed.has(video_id, analysis_key)

    def committed_by(self, video_id: VideoId, analysis_key: str) -> str:
        """The run that settled it. NotFound: nobody did."""
        return str(self._bundle(video_id, analysis_key).column("run_id")[0])

    def current_commits(self, video_ids: Sequence[VideoId]) -> dict[str, CurrentCommit]:
        """The published current commit of each of these videos that has one.

        Sees what other writers published up to now; one small request where nothing is new.
        """
        self._published.refresh()
        return self._published.current(video_ids)

    def commits_with_content(self, content_revs: Sequence[str]) -> list[CurrentCommit]:
        """The current commits of videos that have, or had, these bytes, as of the last look at the index."""
        return self._published.with_content(content_revs)

    def commits_with_sizes(self, sizes: Collection[int]) -> list[CurrentCommit]:
        """The current commits of videos that have, or had, such sizes, as of the last look at the index."""
        return self._published.with_sizes(sizes)

    def visible_commits(self) -> Iterator[tuple[CurrentCommit, str]]:
        """Yield every video that readers see something of, as of the last look, with its URI."""
        for commits in self._published.visible():
            for batch in commits.to_batches(_BATCH):
                *columns, uris = (column.to_pylist() for column in batch.columns)
                yield from zip(map(CurrentCommit._make, zip(*columns, strict=True)), uris, strict=True)

    def commit_copy(
        self,
        video_id: VideoId,
        analysis_key: str,
        commit: Mapping[str, Any],
        video: Mapping[str, Any],
        keeps_texts: Callable[[str], bool],
    ) -> str | None:
        """Commit a bundle's rows under another name: `commit` and `video` are the columns that differ.

        `keeps_texts` tells whether the copy keeps rows of texts of such a `sidecars_rev`; where not, its own
        revision is nobody's. Returns the revision of the bundle's texts. NotFound: there is no bundle.
        """
        bundle = self._bundle(video_id, analysis_key)
        rev = sidecars_rev_of(bundle)
        left_out = {} if rev is None or keeps_texts(rev) else {"sidecars_rev": digest("left out", rev)}
        copy = relink_bundle(bundle, {**commit, **left_out}, video, with_sidecars=not left_out)
        self.commit(commit["video_id"], commit["analysis_key"], copy)
        return rev

    def unfinished(self) -> frozenset[VideoId]:
        """The ids of the videos that runs so far could not settle, whatever became of them since."""
        snapshot = self._published.refresh()
        keys = snapshot.files_of("unfinished") if snapshot else ()
        return frozenset(
            video_id
            for key in keys
            for video_id in read_part(self.store, key, ["video_id"]).column(0).to_pylist()
        )

    def uri_of(self, video_id: VideoId, analysis_key: str) -> str:
        """The name that the video of a committed bundle has, or had. NotFound: there is no such bundle."""
        return str(self._bundle(video_id, analysis_key).column("uri")[0])

    def publish(
        self,
        keys: Iterable[tuple[VideoId, str]],
        runs: Sequence[RunRecord] = (),
        marks: Sequence[Commit] = (),
    ) -> int | None:
        """Make these committed (video_id, analysis_key) current, and the runs known, all at once.

        `marks` are commits of other videos that say something else than rows: deleted, released. Repeating
        it is harmless: what is current already is left out. Returns the new snapshot's number, None if
        there was nothing to change. NotFound: a pair was never committed.
        """
        snapshot = publish(
            self.store, self._published, self._read_bundle, dict(keys), runs, self._own_tables, marks
        )
        self._fresh.clear()
        self._num_fresh_bytes = 0
        if snapshot is not None:
            write_views(self.store, snapshot)
        return snapshot.number if snapshot else None

    def declare_own_tables(self) -> None:
        """Say in a snapshot which tables will be written, so that nobody gives them other columns meanwhile.

        PreflightError: they have others already.
        """
        while True:
            base = self._published.refresh()
            known = own_tables_of(base)
            if join(known, self._own_tables, self.url) == known:
                return
            if snapshot := create_next(self.store, base, {}, self._own_tables):
                write_views(self.store, snapshot)
                return

    def declare_recipe(self, recipe: RecipeRecord) -> None:
        """Say what its id stands for, before the first row that names it."""
        declare_recipe(self.store, recipe)

    def recipe(self, recipe_id: str) -> RecipeRecord | None:
        """Return what an id stands for; None where nobody said."""
        return read_recipe(self.store, recipe_id)

    def snapshot(self) -> Snapshot | None:
        """The newest one, None before the first publish."""
        return self._published.refresh()

    @property
    def last_seen(self) -> Snapshot | None:
        """The newest one at the last look; nothing is asked for."""
        return self._published.seen

    def _bundle(self, video_id: VideoId, analysis_key: str) -> pa.Table:
        key = bundle_key(video_id, analysis_key)
        return read_bundle(self._read_bundle(key), f"{self.url}/{key}")

    def _read_bundle(self, key: str) -> bytes:
        return self._fresh.get(key) or self.store.read(key)


def open_index(
    url: str,
    endpoint_url: str | None = None,
    create: bool = False,
    own: Mapping[str, type[Row]] | None = None,
) -> Index:
    """Open an index to write to it, also to the tables in `own`, which prompt packs bring.

    PreflightError: missing (unless `create`), no index, newer, not safely writable, or a table in `own` does
    not go with what is there.
    """
    with preflight("index"):
        store, index_id = open_for_writing(url, endpoint_url, create)
        index = Index(store, declare(own or {}), index_id)
        index.declare_own_tables()
    return index


def read_index(
    url: str, endpoint_url: str | None = None, own: Mapping[str, type[Row]] | None = None
) -> Index:
    """Open an index to look only: nothing is written, and nobody has to be allowed to.

    Where there is none yet it is empty, its id NOT_MADE. PreflightError: something else is there, it is
    newer, cannot be reached, or a table in `own` does not go with what is there.
    """
    store, tables = open_store(url, endpoint_url), declare(own or {})
    with preflight("index"):
        index_id = find_index_id(store)
        if index_id is None:
            check_empty(store)
        index = Index(store, tables, NOT_MADE if index_id is None else index_id)
        join(own_tables_of(index.snapshot()), tables, store.url)
    return index
