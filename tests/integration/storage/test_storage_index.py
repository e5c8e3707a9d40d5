"""An index promises the same on a disk and on S3: each test runs on both."""

import random
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from pydantic import BaseModel

from schemas.answer_tables import row_type
from schemas.answers import Moments, TimedAnswer
from schemas.commit import Bundle, RunRecord
from schemas.failures import PreflightError
from schemas.identity import VideoId
from schemas.tables import Keyframe
from storage.errors import NotFound
from storage.index.commits.bundles import encode_bundle
from storage.index.index import Index, open_index
from storage.index.layout import bundle_key, new_part_key, snapshot_key
from storage.objects.store import ObjectStore, enforces_conditional_writes, open_store
from storage.query.catalog import open_catalog

MakeBundle = Callable[..., Bundle]
MakeRunRecord = Callable[..., RunRecord]


@dataclass(frozen=True)
class Place:
    """Somewhere an index can be."""

    url: str
    endpoint_url: str | None = None

    def index(self) -> Index:
        return open_index(self.url, self.endpoint_url, create=True)

    def store(self) -> ObjectStore:
        return open_store(self.url, self.endpoint_url)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with open_catalog(self.url, self.endpoint_url) as catalog:
            return catalog.query(sql).rows


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place with an awkward name."""
    if request.param == "local":
        return Place(str(tmp_path / "new" / "an index"))
    bucket = request.getfixturevalue("s3_bucket")
    return Place(f"s3://{bucket}/an index/ü+%20", request.getfixturevalue("s3_endpoint"))


def _commit(index: Index, *bundles: Bundle) -> list[tuple[VideoId, str]]:
    for bundle in bundles:
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    return [(bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles]


SCENES = "SELECT uri, s.title FROM scenes AS s JOIN videos USING (analysis_key) ORDER BY uri, scene_index"


def test_one_of_many_racing_writers_creates_an_object(place: Place) -> None:
    """The others are told so, and the winner's bytes stay."""
    store = place.store()
    for n in range(5):
        start = threading.Barrier(8)
        won: list[int] = []

        def write(name: int, key: str, start: threading.Barrier, won: list[int]) -> None:
            start.wait()
            if store.put_if_absent(key, f"{name}".encode() * 1000):
                won.append(name)

        writers = [threading.Thread(target=write, args=(w, f"race/{n}", start, won)) for w in range(8)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert len(won) == 1
        assert store.read(f"race/{n}") == f"{won[0]}".encode() * 1000


def test_the_store_refuses_a_second_create(place: Place) -> None:
    """What `open_index` asks of a server before it trusts it."""
    store = place.store()
    assert enforces_conditional_writes(store, "probe", b"x")
    assert enforces_conditional_writes(store, "probe", b"x")


def test_objects_are_listed_in_order_and_from_a_point_on(place: Place) -> None:
    """Newer snapshots are found without listing the older ones."""
    store = place.store()
    for key in ("b/2", "b/10", "a", "b/1", "bb"):
        store.put_if_absent(key, b"")
    assert list(store.list("")) == ["a", "b/1", "b/10", "b/2", "bb"]
    assert list(store.list("b/")) == ["b/1", "b/10", "b/2"]
    assert list(store.list("b/", after="b/10")) == ["b/2"]
    assert list(store.list("none/")) == []
    assert store.exists("a")
    assert not store.exists("none")
    with pytest.raises(NotFound, match="none"):
        store.read("none")


def test_a_commit_happens_once(place: Place, make_bundle: MakeBundle) -> None:
    """A second one, from another process too, is a success that changes nothing."""
    bundle = make_bundle()
    pair = bundle.commit.video_id, bundle.commit.analysis_key
    assert not place.index().is_committed(*pair)
    assert place.index().commit(*pair, encode_bundle(bundle))
    other = encode_bundle(make_bundle(titles=("Other",)))
    assert not place.index().commit(*pair, other)
    assert place.index().is_committed(*pair)
    place.index().publish([pair])
    assert place.query(SCENES) == [("s3://library/a.mp4", "Opening")]


def test_nothing_is_visible_before_publish_and_all_of_it_after(place: Place, make_bundle: MakeBundle) -> None:
    """A video's rows appear in every table together."""
    index = place.index()
    keys = _commit(index, make_bundle(titles=("One", "Two")))
    counts = ", ".join(
        f"(SELECT count(*) FROM {t})" for t in ("videos", "scenes", "characters", "highlights")
    )
    assert place.query(f"SELECT {counts}") == [(0, 0, 0, 0)]
    assert index.publish(keys) == 1
    assert place.query(f"SELECT {counts}") == [(1, 2, 1, 1)]
    assert index.current_commits([keys[0][0], VideoId("unknown")])[keys[0][0]].analysis_key == keys[0][1]


def test_publishing_again_changes_nothing(place: Place, make_bundle: MakeBundle) -> None:
    """Neither from the same process nor from another one, and no snapshot is made."""
    index = place.index()
    keys = _commit(index, make_bundle(uri="s3://b/1"), make_bundle(uri="s3://b/2"))
    assert index.publish(keys) == 1
    assert index.publish(keys) is None
    assert place.index().publish(keys[:1]) is None
    assert place.index().publish([]) is None
    assert index.snapshot() == place.index().snapshot()


def test_a_changed_video_replaces_its_rows_everywhere(place: Place, make_bundle: MakeBundle) -> None:
    """Also those of its rows that the new revision does not have; other videos keep theirs."""
    index = place.index()
    old = make_bundle(uri="s3://b/1", titles=("Old 1", "Old 2"))
    new = make_bundle(uri="s3://b/1", titles=("New",), revision="etag2")
    index.publish(_commit(index, old, make_bundle(uri="s3://b/2")))
    index.publish(_commit(index, new))
    assert place.query(SCENES) == [("s3://b/1", "New"), ("s3://b/2", "Opening")]
    for table in ("videos", "characters", "highlights"):
        assert place.query(f"SELECT count(*) FROM {table}") == [(2,)]
    assert place.query("SELECT count(*) FROM scenes_all") == [(4,)]


def test_an_object_put_back_gets_its_rows_back(place: Place, make_bundle: MakeBundle) -> None:
    """Nothing is computed or copied for it: only the pointer moves."""
    index = place.index()
    first, second = make_bundle(titles=("First",)), make_bundle(titles=("Second",), revision="etag2")
    back = _commit(index, first)
    index.publish(back)
    index.publish(_commit(index, second))
    assert place.index().publish(back) == 3
    assert place.query("SELECT title FROM scenes") == [("First",)]
    assert place.query("SELECT count(*) FROM scenes_all") == [(2,)]
    assert place.query("SELECT count(*) FROM commits_all") == [(3,)]


def test_a_quarantined_video_loses_its_rows_until_it_is_replaced(
    place: Place, make_bundle: MakeBundle
) -> None:
    """While it is set aside, `failures` says why."""
    index = place.index()
    index.publish(_commit(index, make_bundle()))
    index.publish(_commit(index, make_bundle(revision="broken", is_quarantined=True)))
    assert place.query("SELECT count(*) FROM videos") == [(0,)]
    assert place.query("SELECT code FROM failures") == [("no_video",)]
    video_id = make_bundle().commit.video_id
    assert index.current_commits([video_id])[video_id].state == "quarantined"
    index.publish(_commit(index, make_bundle(revision="repaired", titles=("Back",))))
    assert place.query("SELECT title FROM scenes") == [("Back",)]
    assert place.query("SELECT count(*) FROM failures") == [(0,)]
    assert place.query("SELECT count(*) FROM failures_all") == [(1,)]


def test_runs_are_recorded_once_with_what_they_left_undone(
    place: Place, make_bundle: MakeBundle, make_run_record: MakeRunRecord
) -> None:
    """An unfinished video is listed for its newest run, until it is settled."""
    index = place.index()
    lost = make_bundle(uri="s3://b/lost")
    record = make_run_record("run-1", unfinished=(lost,))
    assert index.publish([], [record]) == 1
    assert place.index().publish([], [record]) is None
    index.publish([], [make_run_record("run-2", unfinished=(lost,))])
    assert place.query("SELECT run_id, num_unfinished FROM runs ORDER BY run_id") == [
        ("run-1", 1),
        ("run-2", 1),
    ]
    assert place.query("SELECT run_id, code FROM failures") == [("run-2", "storage_unavailable")]
    index.publish(_commit(index, lost), [make_run_record("run-3")])
    assert place.query("SELECT count(*) FROM failures") == [(0,)]
    assert place.query("SELECT count(*) FROM failures_all") == [(2,)]


def test_a_failed_new_revision_leaves_the_old_rows(
    place: Place, make_bundle: MakeBundle, make_run_record: MakeRunRecord
) -> None:
    """Readers keep what they had, and see why it is not newer."""
    index = place.index()
    index.publish(_commit(index, make_bundle()))
    index.publish([], [make_run_record("run-1", unfinished=(make_bundle(revision="etag2"),))])
    assert place.query("SELECT count(*) FROM videos") == [(1,)]
    assert place.query("SELECT count(*) FROM failures") == [(1,)]


def test_parts_without_a_snapshot_are_invisible(place: Place, make_bundle: MakeBundle) -> None:
    """What a publisher leaves behind that dies between its parts and its snapshot."""
    index = place.index()
    keys = _commit(index, make_bundle())
    index.publish(keys)
    (part,) = index.snapshot().files_of("videos")
    place.store().put_if_absent(new_part_key("videos", 2), place.store().read(part))
    assert place.query("SELECT count(*) FROM videos_all") == [(1,)]
    index.publish(_commit(index, make_bundle(revision="etag2")))
    assert place.query("SELECT count(*) FROM videos_all") == [(2,)]


def test_racing_publishers_lose_and_double_nothing(place: Place, make_bundle: MakeBundle) -> None:
    """Three at once, two of them with videos in common; some lose the race and go on from the winner."""
    bundles = [make_bundle(uri=f"s3://b/{n:02}", titles=(f"{n}",)) for n in range(24)]
    keys = _commit(place.index(), *bundles)
    start = threading.Barrier(3)
    errors: list[Exception] = []

    def publish(own: list[tuple[VideoId, str]]) -> None:
        try:
            index = place.index()
            start.wait()
            for n in range(0, len(own), 3):
                index.publish(own[n : n + 3])
        except Exception as error:
            errors.append(error)

    publishers = [threading.Thread(target=publish, args=(own,)) for own in (keys[:15], keys[9:18], keys[15:])]
    for publisher in publishers:
        publisher.start()
    for publisher in publishers:
        publisher.join()
    assert errors == []
    expected = [(bundle.commit.uri, f"{n}") for n, bundle in enumerate(bundles)]
    assert place.query(SCENES) == expected
    assert place.query("SELECT count(*), count(DISTINCT analysis_key) FROM scenes_all") == [(24, 24)]


def test_an_open_catalog_keeps_its_snapshot(place: Place, make_bundle: MakeBundle) -> None:
    """Whatever is published meanwhile, one catalog gives one set of answers."""
    index = place.index()
    index.publish(_commit(index, make_bundle(titles=("Old",))))
    with open_catalog(place.url, place.endpoint_url) as catalog:
        index.publish(_commit(index, make_bundle(titles=("New",), revision="etag2")))
        assert catalog.query("SELECT title FROM scenes").rows == [("Old",)]
    assert place.query("SELECT title FROM scenes") == [("New",)]


def test_an_uncommitted_pair_cannot_be_published(place: Place) -> None:
    """That would be our own bug."""
    with pytest.raises(NotFound):
        place.index().publish([(VideoId("0" * 16), "1" * 16)])


def test_a_missing_part_is_the_indexs_fault(place: Place, make_bundle: MakeBundle) -> None:
    """Not that of whoever asks: a vanished or damaged file is named, at the latest by the query."""
    index = place.index()
    index.publish(_commit(index, make_bundle()))
    (part,) = index.snapshot().files_of("scenes")
    unpacked = index.snapshot().model_copy(update={"packs": (), "sizes": {}}).model_dump_json().encode()
    lost = unpacked.replace(part.encode(), b"tables/scenes/lost.parquet")
    place.store().put_if_absent(snapshot_key(2), lost)
    with pytest.raises(PreflightError, match="lost"):
        place.query("FROM scenes")
    broken = lost.replace(b"lost.parquet", b"broken.parquet")
    place.store().put_if_absent("tables/scenes/broken.parquet", b"not Parquet")
    place.store().put_if_absent(snapshot_key(3), broken)
    with pytest.raises(PreflightError, match="broken"):
        place.query("FROM scenes")


def test_an_index_must_exist_to_be_read(place: Place) -> None:
    """And is made only when asked for."""
    for open_it in (open_catalog, open_index):
        with pytest.raises(PreflightError, match="no index") as caught:
            open_it(place.url, place.endpoint_url)
        assert "media-index run" in caught.value.hint
    place.index()
    open_index(place.url, place.endpoint_url)
    assert place.query("SELECT count(*) FROM videos") == [(0,)]


def test_an_index_is_not_made_among_other_files(place: Place) -> None:
    """The library's own folder, for example."""
    place.store().put_if_absent("holiday.mp4", b"x")
    with pytest.raises(PreflightError, match=r"holiday\.mp4"):
        place.index()


def test_a_newer_index_is_refused(place: Place, make_bundle: MakeBundle) -> None:
    """By writers and by readers, whether it was made or only written by the newer version."""
    index = place.index()
    index.publish(_commit(index, make_bundle()))
    newer = b'{"schema_version": 2, "unknown": []}'
    place.store().put_if_absent(snapshot_key(2), newer)
    for open_it in (open_catalog, open_index):
        with pytest.raises(PreflightError, match="newer"):
            open_it(place.url, place.endpoint_url)
    elsewhere = Place(f"{place.url}-{uuid.uuid4().hex}", place.endpoint_url)
    elsewhere.store().put_if_absent("index.json", b'{"format": "media-index", "schema_version": 2}')
    for open_it in (open_catalog, open_index):
        with pytest.raises(PreflightError, match="newer"):
            open_it(elsewhere.url, elsewhere.endpoint_url)


@pytest.mark.parametrize("data", [b"", b"[]", b'{"format": "other"}', b"\xff"])
def test_a_foreign_marker_is_refused(place: Place, data: bytes) -> None:
    """Somebody else's index.json."""
    place.store().put_if_absent("index.json", data)
    with pytest.raises(PreflightError, match=r"index\.json"):
        place.index()


def test_bundles_already_in_memory_are_not_read_again(place: Place, make_bundle: MakeBundle) -> None:
    """And those of another process are: both ways give the same rows."""
    one, two = make_bundle(uri="s3://b/1"), make_bundle(uri="s3://b/2")
    index = place.index()
    keys = _commit(index, one) + _commit(place.index(), two)
    index.publish(keys)
    assert place.query(SCENES) == [("s3://b/1", "Opening"), ("s3://b/2", "Opening")]
    assert place.store().exists(bundle_key(*keys[0]))


class _Part(BaseModel):
    name: str
    sizes: list[int]


class _EventAnswer(TimedAnswer):
    """Something that happens."""

    layout = Moments(at_most=3, longest_s=9)

    group: str  # a word of SQL
    parts: list[_Part]


def test_a_packs_table_is_read_as_it_was_written(
    place: Place, make_bundle: MakeBundle, make_row: Callable[..., Any]
) -> None:
    """Nested values included; the column of a later schema is null in older rows."""

    class WiderAnswer(_EventAnswer):
        colour: str

    def publish(answer: type[TimedAnswer], uri: str, **values: Any) -> None:
        bundle, kind = make_bundle(uri=uri), row_type(answer)
        ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key")}
        rows = (make_row(kind, **ids, **values),) if values else ()
        index = open_index(place.url, place.endpoint_url, create=True, own={"events": kind})
        index.publish(_commit(index, bundle.model_copy(update={"own": {"events": rows}})))

    parts = [_Part(name="a", sizes=[1, 2]), _Part(name="ü", sizes=[])]
    publish(_EventAnswer, "s3://b/1", group="x", parts=parts)
    publish(WiderAnswer, "s3://b/2", group="y", parts=[], colour="red")
    publish(WiderAnswer, "s3://b/3")
    query = 'SELECT "group", parts, colour, parts[1].sizes[2] FROM events ORDER BY 1'
    assert place.query(query) == [
        ("x", [part.model_dump() for part in parts], None, 2),
        ("y", [], "red", None),
    ]


def test_pictures_come_back_byte_for_byte(place: Place, make_bundle: MakeBundle) -> None:
    """Every byte there is, through bundle, part and view; a replaced video's are those of its new rows."""
    every_byte = bytes(range(256))
    index = place.index()
    index.publish(_commit(index, make_bundle(uri="s3://b/1"), make_bundle(uri="s3://b/2")))
    index.publish(_commit(index, make_bundle(uri="s3://b/1", revision="etag2")))
    query = (
        "SELECT k.image, h.title FROM keyframes AS k JOIN highlights AS h "
        "ON k.analysis_key = h.analysis_key AND k.table_name = 'highlights' AND k.row_index = h.rank"
    )
    assert place.query(query) == [(every_byte, "The best")] * 2
    assert place.query("SELECT count(*), sum(octet_length(image)) FROM keyframes_all") == [(3, 3 * 256)]


def test_parts_stay_small_however_large_the_pictures(
    tmp_path: Path, make_bundle: MakeBundle, make_row: Callable[..., Any]
) -> None:
    """A reader of one video does not read those of hundreds, and a publisher does not hold them all."""
    place = Place(str(tmp_path / "index"))
    index, keys = place.index(), []
    for number in range(9):
        bundle = make_bundle(uri=f"s3://b/{number}")
        image = random.Random(number).randbytes(9 << 20)
        ids = bundle.commit.model_dump(include={"video_id", "object_rev", "recipe_id", "analysis_key"})
        pictures = (make_row(Keyframe, image=image, **ids), make_row(Keyframe, image=b"x", **ids))
        keys += _commit(index, bundle.model_copy(update={"keyframes": pictures}))
    index.publish(keys)
    parts = [parquet.ParquetFile(f) for f in (tmp_path / "index" / "tables" / "keyframes").iterdir()]
    assert [part.metadata.num_rows for part in sorted(parts, key=lambda part: -part.metadata.num_rows)] == [
        16,
        2,
    ]
    for part in parts:
        groups = [part.metadata.row_group(n) for n in range(part.num_row_groups)]
        assert max(group.total_byte_size for group in groups) < 20 << 20
    assert place.query("SELECT sum(octet_length(image)) FROM keyframes") == [(9 * ((9 << 20) + 1),)]
    assert place.query("SELECT count(*) FROM scenes") == [(9,)]
