"""The serving file: as quick as it may be, it says what the index says."""

import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

import storage.query.built.build_ranges
from schemas.commit import Bundle, CommitState
from schemas.failures import PreflightError, UsageError
from schemas.tables import Scene
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.tables.columns import COLUMNS
from storage.query.built.build import Build, build_serving
from storage.query.built.database import SEARCH_TABLES, TABLES, open_serving, read_info
from storage.query.catalog import open_catalog
from storage.query.filters import Filters
from storage.query.search import Hit, make_searchable, search

MakeBundle = Callable[..., Bundle]
QUERIES = ["red cars", "automobile", "café", "cyclist", "zebra crossing at night", "b.mp4"]


def _publish(folder: Path, *bundles: Bundle) -> None:
    index = open_index(str(folder), create=True)
    for bundle in bundles:
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish((bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles)


@pytest.fixture(scope="module")
def described(make_bundle: MakeBundle, make_row: Callable[..., Any]) -> MakeBundle:
    """A video whose scenes have these titles and the tag of the same name."""

    def make(uri: str, *titles: str, revision: str = "1") -> Bundle:
        bundle = make_bundle(uri=uri, revision=revision)
        ids = {name: getattr(bundle.videos[0], name) for name in ("video_id", "analysis_key", "object_rev")}
        scenes = [
            make_row(Scene, scene_index=n, title=title, tags=[title], start_ms=n, end_ms=n + 1, **ids)
            for n, title in enumerate(titles)
        ]
        return bundle.model_copy(update={"scenes": tuple(scenes)})

    return make


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, described: MakeBundle) -> Path:
    """Two videos in two snapshots."""
    folder = tmp_path_factory.mktemp("made")
    _publish(folder, described("/v/a.mp4", "A red car at night", "Café in the rain"))
    _publish(folder, described("/v/b.mp4", "Cars wait", "A boat"))
    return folder


@pytest.fixture
def index(tmp_path: Path, made: Path) -> Path:
    """The same as the test's own."""
    return Path(shutil.copytree(made, tmp_path / "index"))


@pytest.fixture(scope="module")
def built(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with its serving file."""
    folder = Path(shutil.copytree(made, tmp_path_factory.mktemp("built") / "index"))
    _build(folder)
    return folder


@pytest.fixture
def file(tmp_path: Path, built: Path) -> Path:
    """The same serving file, in an index that is the test's own."""
    return Path(shutil.copytree(built, tmp_path / "index")) / "serving.duckdb"


def _hits(folder: Path, text: str, file: Path | None = None, **filters: Any) -> list[Hit]:
    with open_serving(str(folder), file=file, history=False).catalog as catalog:
        hits = search(catalog, text, filters=Filters(**filters))
        assert make_searchable(catalog) is None
        return hits


def _all_hits(folder: Path, filters: Sequence[dict[str, Any]]) -> list[list[Hit]]:
    """Those of every query under each of the filters, asked of one catalog."""
    with open_serving(str(folder), history=False).catalog as catalog:
        return [search(catalog, text, filters=Filters(**each)) for text in QUERIES for each in filters]


def _build(folder: Path, **how: Any) -> Build:
    build = build_serving(str(folder), **how)
    assert build is not None
    return build


def _rows(file: Path, tables: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        return {table: connection.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in tables}


def test_hits_are_the_same_with_and_without_the_file(index: Path) -> None:
    """Scores included, filtered or not."""
    filters: list[dict[str, Any]] = [{}, {"kind": "scenes"}, {"video": "b.mp4"}, {"tags": ("A boat",)}]
    filters += [{"since": date(2000, 1, 1)}, {"since": date(2100, 1, 1)}]
    slow = _all_hits(index, filters)
    _build(index)
    assert _all_hits(index, filters) == slow
    assert all(slow[:2])


def test_every_table_reads_the_same(file: Path) -> None:
    """With the views of earlier rows beside them, which come from the Parquet files."""
    index = file.parent
    with open_catalog(str(index)) as plain, open_serving(str(index)).catalog as served:
        for table in [*COLUMNS, "scene_tags", "scene_characters", "scenes_all", "commits_all"]:
            if table != "unfinished":
                sql = f"FROM {table} ORDER BY ALL"
                assert served.query(sql) == plain.query(sql), table


def test_building_on_an_earlier_file_equals_building_anew(
    index: Path, described: MakeBundle, tmp_path: Path
) -> None:
    """Videos replaced, set aside, added and kept; only what is new is computed."""
    _publish(index, described("/v/c.mp4", "A zebra crossing"), described("/v/d.mp4", "A quiet room"))
    _build(index)
    _publish(index, described("/v/a.mp4", "A green car", revision="2"), described("/v/e.mp4", "Red lights"))
    quarantined = described("/v/c.mp4", revision="2")
    quarantined = quarantined.model_copy(
        update={
            "commit": quarantined.commit.model_copy(update={"state": CommitState.QUARANTINED}),
            **dict.fromkeys(("videos", "scenes", "characters", "highlights"), ()),
        }
    )
    _publish(index, quarantined)
    upon, anew = _build(index), _build(index, output=tmp_path / "anew.duckdb")
    assert (upon.num_new, anew.num_new) == (8, 17)
    assert upon.num_documents == anew.num_documents == upon.num_vectors
    tables = [table for table in TABLES if table != "vectors"]
    assert _rows(upon.file, tables) == _rows(anew.file, tables)
    vectors = [_rows(build.file, ["vectors"])["vectors"] for build in (upon, anew)]
    for one, other in zip(*vectors, strict=True):
        assert one[0] == other[0]
        np.testing.assert_allclose(one[-1], other[-1], atol=1e-6)


def test_a_file_built_in_many_ranges_is_the_same(
    index: Path, described: MakeBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anew and on top of an earlier one; documents of a term ascend, as search relies on."""
    _publish(index, described("/v/c.mp4", "A zebra crossing", "A red car"))
    monkeypatch.setattr(storage.query.built.build_ranges, "RANGE_DOCUMENTS", 3)
    _build(index)
    _publish(index, described("/v/a.mp4", "A green car", revision="2"), described("/v/0.mp4", "Red cars"))
    upon, anew = _build(index), _build(index, output=tmp_path / "anew.duckdb")
    monkeypatch.undo()
    whole = _build(index, output=tmp_path / "whole.duckdb")
    tables = [table for table in TABLES if table != "vectors"]
    rows = _rows(whole.file, tables)
    assert upon.num_new < anew.num_new == whole.num_new
    assert _rows(upon.file, tables) == _rows(anew.file, tables) == rows
    for file in (upon.file, anew.file):
        with duckdb.connect(str(file), read_only=True) as connection:
            found = connection.execute("SELECT term, list(document) FROM postings GROUP BY term").fetchall()
            assert all(documents == sorted(documents) for _, documents in found)
            assert connection.execute("SELECT list(document) FROM vectors").fetchall()[0][0] == list(
                range(1, whole.num_documents + 1)
            )
    fast = _hits(index, "red car", file=upon.file)
    assert [hit.title for hit in fast][:2] == ["Red cars", "A red car"]
    assert [(h.title, h.words_score) for h in fast] == [
        (h.title, h.words_score) for h in _hits(index, "red car", file=whole.file)
    ]


def test_a_file_of_an_older_media_index_is_said_to_be_old(file: Path) -> None:
    """Whether its description lacks a column of today or its tables are others; `build` replaces it."""
    index = file.parent
    with duckdb.connect(str(file)) as connection:
        connection.execute("UPDATE serving SET built_with = 'yesterday'")
    assert "another version of media-index" in (open_serving(str(index)).note or "")
    with pytest.raises(PreflightError, match=f"^{file} was built by another version") as caught:
        open_serving(str(index), file=file)
    assert "media-index build" in caught.value.hint
    with duckdb.connect(str(file)) as connection:
        connection.execute("ALTER TABLE serving DROP COLUMN own_tables")
    note = open_serving(str(index)).note or ""
    assert "was built by an older media-index" in note
    assert "media-index build" in note
    assert "damaged" not in note
    with pytest.raises(PreflightError, match="was built by an older media-index") as caught:
        open_serving(str(index), file=file)
    assert "media-index build" in caught.value.hint
    assert _build(index).num_new == 10
    assert open_serving(str(index)).note is None


def test_a_current_file_is_left_alone(index: Path) -> None:
    """And one that lacks what is now wanted is not."""
    assert _build(index, words_only=True).num_vectors == 0
    assert build_serving(str(index), words_only=True) is None
    assert _build(index).num_vectors == 10
    assert build_serving(str(index)) is None


def test_an_old_file_is_said_and_not_used(file: Path, described: MakeBundle) -> None:
    """Unless that very file is asked for."""
    index = file.parent
    _publish(index, described("/v/b.mp4", "A submarine", revision="2"))
    served = open_serving(str(index))
    assert "snapshot 2, the newest is 3" in (served.note or "")
    assert served.catalog.query("SELECT count(*) FROM scenes").rows == [(3,)]
    assert [hit.title for hit in _hits(index, "submarine")] == ["A submarine"]
    told = open_serving(str(index), file=file)
    assert "snapshot 2, the newest is 3" in (told.note or "")
    assert told.catalog.query("SELECT count(*) FROM scenes").rows == [(4,)]
    assert _build(index).num_new == 4
    assert open_serving(str(index)).note is None


def test_readers_keep_their_file_while_it_is_replaced(file: Path, described: MakeBundle) -> None:
    """New ones get the new one."""
    index = file.parent
    with open_serving(str(index)).catalog as early:
        _publish(index, described("/v/c.mp4", "A submarine"))
        _build(index)
        assert early.query("SELECT count(*) FROM videos").rows == [(2,)]
        assert not [hit for hit in search(early, "submarine") if hit.words_score]
        with open_serving(str(index)).catalog as late:
            assert late.query("SELECT count(*) FROM videos").rows == [(3,)]
            assert search(late, "submarine")[0].title == "A submarine"


def test_a_killed_build_leaves_the_old_file(file: Path, described: MakeBundle) -> None:
    """And what it wrote is cleared away by the next one."""
    index = file.parent
    _publish(index, described("/v/c.mp4", "A submarine"))
    code = (
        "import os, sys; from storage.query.built.build import build_serving; "
        "build_serving(sys.argv[1], progress=lambda *_: os._exit(9))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(index)], timeout=300)
    assert done.returncode == 9
    assert list(index.glob(".pending-serving.duckdb*"))
    spilled = index / ".pending-serving.duckdb.tmp" / "duckdb_temp_storage-0.tmp"
    spilled.parent.mkdir(exist_ok=True)
    spilled.write_bytes(b"of a larger build")
    info = read_info(index / "serving.duckdb")
    assert info is not None
    assert info.snapshot == 2
    assert _build(index).snapshot == 3
    assert not list(index.glob(".pending-*"))
    assert _hits(index, "submarine")[0].title == "A submarine"


def test_two_builders_at_once_build_once(index: Path) -> None:
    """The second waits, then finds nothing to do."""
    builds: list[Build | None] = []
    threads = [threading.Thread(target=lambda: builds.append(build_serving(str(index)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(build is None for build in builds) == [False, True, True]
    assert len(_hits(index, "car")) >= 2


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "foreign"])
def test_a_damaged_file_is_said_and_replaced(file: Path, damage: str) -> None:
    """Readers go on without it; `build` makes a new one."""
    index = file.parent
    hits = _hits(index, "red cars")
    data = {"empty": b"", "text": b"hello" * 5000, "cut": file.read_bytes()[:20_000]}
    file.unlink()
    if damage == "foreign":
        duckdb.connect(str(file)).close()
    else:
        file.write_bytes(data[damage])
    served = open_serving(str(index))
    assert "media-index build" in (served.note or "")
    assert search(served.catalog, "red cars") == hits
    with pytest.raises(PreflightError, match="damaged"):
        open_serving(str(index), file=file)
    _build(index)
    assert _hits(index, "red cars") == hits


def test_damage_inside_the_file_is_no_users_error(file: Path) -> None:
    """DuckDB finds it when it reads the block."""
    index = file.parent
    data = bytearray(file.read_bytes())
    for start in range(3 * 4096 + 262_144, len(data) - 100, 262_144):
        data[start + 50 : start + 100] = bytes(50)
    file.write_bytes(data)
    with pytest.raises(PreflightError) as caught:
        _hits(index, "red cars", file=file)
    assert "build" in caught.value.hint


def test_plain_duckdb_opens_the_file(file: Path) -> None:
    """Macros and full text included."""
    with duckdb.connect(str(file), read_only=True) as plain:
        found = plain.execute(
            "SELECT title FROM bm25(['car']) JOIN documents USING (document) ORDER BY score DESC"
        )
        assert found.fetchall() == [("Cars wait",), ("A red car at night",)]
        assert plain.execute("SELECT title FROM scenes_at('b.mp4', 1)").fetchall() == [("A boat",)]
        assert plain.execute("SELECT words('Ça va?')").fetchall() == [(["ca", "va"],)]
        assert plain.execute("SELECT count(*) FROM scene_tags").fetchall() == [(4,)]
        described = plain.execute("SELECT comment FROM duckdb_columns() WHERE column_name = 'uri'").fetchall()
        assert ("s3://bucket/key, or an absolute path",) in described


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{folder}/x.csv'",
        "FROM read_text('/etc/hostname')",
        "ATTACH '{folder}/other.duckdb'",
        "DETACH built",
        "DROP TABLE built.scenes",
        "INSERT INTO built.corpus VALUES (1, 2, [''])",
        "SET enable_external_access = true",
    ],
)
def test_sql_cannot_write_or_look_elsewhere(file: Path, sql: str) -> None:
    """The file gives no leave that the Parquet files do not give."""
    index = file.parent
    with open_serving(str(index)).catalog as catalog, pytest.raises(UsageError):
        catalog.query(sql.format(folder=index))


def test_an_index_without_rows_has_an_empty_file(tmp_path: Path) -> None:
    """All tables are there, and a search finds nothing."""
    open_index(str(tmp_path / "new"), create=True)
    build = _build(tmp_path / "new")
    assert (build.snapshot, build.num_documents) == (0, 0)
    assert set(_rows(build.file, SEARCH_TABLES)) == set(SEARCH_TABLES)
    assert _hits(tmp_path / "new", "anything") == []


def test_a_place_that_cannot_be_written_is_said(index: Path, tmp_path: Path) -> None:
    """With the way out."""
    (tmp_path / "file").write_text("")
    with pytest.raises(PreflightError) as caught:
        build_serving(str(index), output=tmp_path / "file" / "x.duckdb")
    assert "--output" in caught.value.hint


def test_words_only_is_said(index: Path) -> None:
    """Hits by words stay what they were."""
    _build(index, words_only=True)
    with open_serving(str(index), history=False).catalog as catalog:
        assert [hit.title for hit in search(catalog, "red car")] == ["A red car at night", "Cars wait"]
        assert "media-index build" in (make_searchable(catalog) or "")


def test_an_old_file_without_vectors_gives_no_half_of_the_meaning(index: Path, described: MakeBundle) -> None:
    """Only the new rows would have any; so all are searched by their words, and that is said."""
    _build(index, words_only=True)
    _publish(index, described("/v/c.mp4", "A crimson automobile", "Red cars"))
    with open_serving(str(index), history=False).catalog as catalog:
        hits = search(catalog, "red car")
        assert {hit.title for hit in hits} == {"A red car at night", "Cars wait", "Red cars"}
        assert all(hit.meaning_score is None for hit in hits)
        assert "only words" in (make_searchable(catalog) or "")
