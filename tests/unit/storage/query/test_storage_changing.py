"""Readers while the index and its search database change: every answer is of one snapshot."""

import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from schemas.commit import Bundle
from schemas.failures import PreflightError, UsageError
from schemas.tables import Keyframe, Scene
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.index.publishing.snapshots import read_newest
from storage.objects.store import open_store
from storage.query.built.build import build_serving
from storage.query.built.database import Served, open_serving
from storage.query.catalog import Catalog, find_snapshot, open_catalog
from storage.query.lost_parts import ChangedUnderneath, again_if_changed
from storage.upkeep.compact import compact
from storage.upkeep.vacuum import vacuum

Publish = Callable[[int], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "index"


@pytest.fixture
def publish(folder: Path, make_bundle: Callable[..., Bundle], make_row: Callable[..., Any]) -> Publish:
    """`publish(3)`: one video anew, with three scenes and three keyframes that all say 3."""

    def put(generation: int) -> None:
        bundle = make_bundle(uri="/v/a.mp4", revision=str(generation))
        ids = {name: getattr(bundle.videos[0], name) for name in ("video_id", "analysis_key", "object_rev")}
        scenes = tuple(
            make_row(Scene, scene_index=n, title=f"take {generation}", start_ms=n, end_ms=n + 1, **ids)
            for n in range(generation)
        )
        images = tuple(
            make_row(
                Keyframe,
                table_name="scenes",
                row_index=n,
                at_ms=n,
                media_type="image/jpeg",
                image=b"%d" % generation,
                **ids,
            )
            for n in range(generation)
        )
        whole = bundle.model_copy(update={"scenes": scenes, "keyframes": images})
        index = open_index(str(folder), create=True)
        pair = bundle.commit.video_id, bundle.commit.analysis_key
        index.commit(*pair, encode_bundle(whole))
        index.publish([pair])

    return put


def _said(catalog: Catalog) -> list[tuple[Any, ...]]:
    """What tables and pictures say, the second in a query of its own."""
    scenes = catalog.query("SELECT count(*), min(title), max(title) FROM scenes").rows
    return (
        scenes
        + catalog.query("SELECT count(*), min(image)::VARCHAR, max(image)::VARCHAR FROM keyframes").rows
    )


def _of(generation: int) -> list[tuple[Any, ...]]:
    title, image = f"take {generation}", str(generation)
    return [(generation, title, title), (generation, image, image)]


def _tidy(folder: Path) -> None:
    """All parts are merged, and the ones that were are removed at once."""
    compact(str(folder), None, lambda holder: None)
    vacuum(str(folder), None, lambda holder: None, older_than=timedelta(0))


def _meanwhile(monkeypatch: pytest.MonkeyPatch, happen: Callable[[], object]) -> None:
    """Between a reader's look at the file and its use of it."""

    def find_later(*args: Any) -> Any:
        monkeypatch.setattr("storage.query.built.database.find_snapshot", find_snapshot)
        happen()
        return find_snapshot(*args)

    monkeypatch.setattr("storage.query.built.database.find_snapshot", find_later)


def test_a_file_replaced_while_it_is_opened(
    folder: Path, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader has the file that it looked at, or none; never the rows of another."""
    publish(1)
    build_serving(str(folder), words_only=True)

    def happen() -> None:
        publish(2)
        build_serving(str(folder), words_only=True)

    _meanwhile(monkeypatch, happen)
    with open_serving(str(folder)).catalog as catalog:
        assert _said(catalog) == _of(2)


def test_a_file_removed_while_it_is_opened(
    folder: Path, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays the reader's."""
    publish(3)
    build_serving(str(folder), words_only=True)
    _meanwhile(monkeypatch, (folder / "serving.duckdb").unlink)
    served = open_serving(str(folder))
    with served.catalog as catalog:
        assert (served.note, _said(catalog)) == (None, _of(3))


def test_a_file_of_an_older_snapshot_brings_that_snapshots_pictures(
    folder: Path, publish: Publish, tmp_path: Path
) -> None:
    """Or none, once its parts are gone."""
    publish(1)
    file = tmp_path / "mine.duckdb"
    build_serving(str(folder), output=file, words_only=True)
    publish(2)
    served = open_serving(str(folder), file=file)
    with served.catalog as catalog:
        assert _said(catalog) == _of(1)
    assert "is of snapshot 1, the newest is 2" in (served.note or "")
    _tidy(folder)
    served = open_serving(str(folder), file=file)
    assert "are gone" in (served.note or "")
    with served.catalog as catalog:
        assert catalog.query("SELECT title FROM scenes").rows == [("take 1",)]
        with pytest.raises(UsageError, match="keyframes"):
            catalog.query("FROM keyframes")


def test_a_file_of_an_index_that_was_made_anew_is_not_used(folder: Path, publish: Publish) -> None:
    """Its snapshots have the same numbers."""
    publish(1)
    build_serving(str(folder), words_only=True)
    kept = (folder / "serving.duckdb").read_bytes()
    shutil.rmtree(folder)
    publish(2)
    (folder / "serving.duckdb").write_bytes(kept)
    served = open_serving(str(folder))
    with served.catalog as catalog:
        assert _said(catalog) == _of(2)
    assert "an index that was here before" in (served.note or "")
    assert build_serving(str(folder), words_only=True)
    assert open_serving(str(folder)).note is None


def test_what_is_no_file_in_its_place_is_told(folder: Path, publish: Publish) -> None:
    """And read around."""
    publish(1)
    (folder / "serving.duckdb").mkdir()
    served = open_serving(str(folder))
    with served.catalog as catalog:
        assert _said(catalog) == _of(1)
    assert "is no regular file" in (served.note or "")


def test_parts_removed_under_a_reader(folder: Path, publish: Publish) -> None:
    """It is told apart from damage, and reading again gives the newest snapshot whole."""
    publish(1)
    with open_catalog(str(folder)) as early:
        publish(2)
        _tidy(folder)
        with pytest.raises(ChangedUnderneath):
            early.query("FROM scenes")
    with open_catalog(str(folder)) as late:
        assert _said(late) == _of(2)
        store = open_store(str(folder))
        newest = read_newest(store)
        assert newest
        store.delete(newest.files_of("scenes")[0])
        with pytest.raises(PreflightError, match=r"cannot be read: .*\.parquet is missing") as caught:
            late.query("SELECT * FROM scenes")
    assert type(caught.value) is PreflightError


def test_an_index_made_anew_under_a_reader(folder: Path, publish: Publish) -> None:
    """As newer snapshots are, though it counts from 1 again; what has gone is named as missing."""
    publish(1)
    with open_catalog(str(folder)) as early:
        shutil.rmtree(folder)
        publish(2)
        with pytest.raises(ChangedUnderneath):
            early.query("FROM scenes")
    with open_catalog(str(folder)) as late:
        shutil.rmtree(folder)
        with pytest.raises(ChangedUnderneath, match=r"tables/scenes/.*\.parquet is missing"):
            late.query("FROM scenes")
    with pytest.raises(PreflightError, match="there is no index"):
        open_catalog(str(folder))


@pytest.mark.parametrize("last", [4, pytest.param(12, marks=pytest.mark.nightly)])
def test_readers_beside_a_loop_of_publishing_building_and_vacuuming(
    folder: Path, publish: Publish, last: int
) -> None:
    """Each answer is of one snapshot, none older than the one before; nobody sees an error."""
    publish(1)
    is_over = threading.Event()
    failed: list[BaseException] = []

    def change() -> None:
        try:
            for generation in range(2, last + 1):
                publish(generation)
                if generation % 2:
                    build_serving(str(folder), words_only=True)
                if generation % 3 == 0:
                    (folder / "serving.duckdb").unlink(missing_ok=True)
                _tidy(folder)
        except BaseException as error:
            failed.append(error)
        finally:
            is_over.set()

    def read() -> list[tuple[Any, ...]]:
        served: Served = open_serving(str(folder))
        with served.catalog as catalog:
            return _said(catalog)

    changing = threading.Thread(target=change)
    changing.start()
    seen = [again_if_changed(read)]
    while not is_over.is_set():
        seen.append(again_if_changed(read))
    changing.join()
    assert not failed
    seen.append(again_if_changed(read))
    generations = [answer[0][0] for answer in seen]
    assert seen == [_of(generation) for generation in generations]
    assert generations == sorted(generations)
    assert generations[-1] == last
