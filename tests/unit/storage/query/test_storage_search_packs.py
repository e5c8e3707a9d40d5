"""Tables that prompt packs bring are searched and served like ours; keyframes are named, not copied."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest

from schemas.answer_tables import row_type
from schemas.answers import Answer, Moments, Several, TimedAnswer
from schemas.commit import Bundle
from schemas.failures import UsageError
from schemas.rows import Row
from schemas.tables import Keyframe, Scene
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving
from storage.query.catalog import open_catalog
from storage.query.filters import Filters
from storage.query.search import Hit, search

MakeRow = Callable[..., Any]


class EventAnswer(TimedAnswer):
    """Something that happens before a camera."""

    layout = Moments(at_most=3, longest_s=9)

    kind: Literal["arrival", "departure"]
    description: str
    actors: list[str]
    order: str  # a word of SQL
    severity: int


class SourceAnswer(Answer):
    """A table with the name of a temporary one, columns with names of ours, no headline, prose or time."""

    layout = Several(at_most=3)

    colour: str
    plates: list[str]
    scene_index: str
    first_seen_ms: str


EVENT, SOURCE = row_type(EventAnswer), row_type(SourceAnswer)
EVENTS = [
    {"start_ms": 2000, "end_ms": 3000, "kind": "arrival", "description": "A van stops at the gate"},
    {"start_ms": 5000, "end_ms": 6000, "kind": "departure", "description": "Somebody leaves"},
]
QUERIES = ["van", "courier", "first", "arrival", "green", "AB12", "opening"]


@pytest.fixture(scope="module")
def add(make_bundle: Callable[..., Bundle], make_row: MakeRow) -> Callable[..., None]:
    """`add(folder, uri)`: a video with two events, the first with a keyframe, and one source."""

    def publish(folder: Path, uri: str, own: dict[str, type[Row]] | None = None, **event: Any) -> None:
        bundle = make_bundle(uri=uri)
        ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key", "object_rev")}
        event_type = (own or {}).get("events", EVENT)
        common = {"actors": ["a courier", "a dog"], "order": "first", **ids, **event}
        rows = {
            "events": tuple(
                make_row(event_type, record_index=n, **{**values, **common})
                for n, values in enumerate(EVENTS)
            ),
            "sources": (make_row(SOURCE, colour="green", plates=["AB12", "CD34"], scene_index="one", **ids),),
        }
        picture = make_row(Keyframe, table_name="events", row_index=0, at_ms=2500, image=b"x" * 90_000, **ids)
        bundle = bundle.model_copy(update={"own": rows, "keyframes": (picture,)})
        index = open_index(str(folder), create=True, own=own or {"events": EVENT, "sources": SOURCE})
        pair = (bundle.commit.video_id, bundle.commit.analysis_key)
        index.commit(*pair, encode_bundle(bundle))
        index.publish([pair])

    return publish


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, add: Callable[..., None]) -> Path:
    """An index of one such video."""
    folder = tmp_path_factory.mktemp("made")
    add(folder, "/v/a.mp4")
    return folder


@pytest.fixture
def folder(tmp_path: Path, made: Path) -> Path:
    """The same as the test's own."""
    return Path(shutil.copytree(made, tmp_path / "index"))


def _hits(folder: Path, text: str, **filters: Any) -> list[Hit]:
    return _all_hits(folder, [text], [filters])[0]


def _all_hits(folder: Path, texts: list[str], filters: list[dict[str, Any]]) -> list[list[Hit]]:
    """Those of each text under each of the filters, asked of one catalog."""
    with open_serving(str(folder), history=False).catalog as catalog:
        return [search(catalog, text, filters=Filters(**each)) for text in texts for each in filters]


def _rows(file: Path) -> dict[str, Any]:
    tables = ("events", "sources", "documents", "postings", "scenes")
    with duckdb.connect(str(file), read_only=True) as plain:
        return {table: plain.execute(f"FROM {table} ORDER BY ALL").fetchall() for table in tables}


def test_a_row_is_found_by_its_words(folder: Path) -> None:
    """By its description, by names in a list, by any text of its own; the hit says where and what."""
    of_all, of_events = (
        _all_hits(folder, ["van", "ab12"], [{}]),
        _all_hits(folder, ["courier", "first"], [{"kind": "events"}]),
    )
    (hit,) = [hit for hit in of_all[0] if hit.words_score]
    assert (hit.kind, hit.row_index, hit.start_ms, hit.end_ms) == ("events", 0, 2000, 3000)
    assert (hit.title, hit.text) == ("arrival", "A van stops at the gate")
    assert [hit.text[start:end] for start, end in hit.text_matches] == ["van"]
    assert [{hit.row_index for hit in hits} for hits in of_events] == [{0, 1}] * 2
    (source,) = [hit for hit in of_all[1] if hit.words_score]
    assert (source.kind, source.title, source.text) == ("sources", "sources", "green, AB12, CD34, one")


def test_hits_are_the_same_with_and_without_the_file(folder: Path) -> None:
    """Scores included, of all kinds and of one."""
    filters: list[dict[str, Any]] = [{}, {"kind": "events"}, {"kind": "sources"}]
    slow = _all_hits(folder, QUERIES, filters)
    build_serving(str(folder))
    assert _all_hits(folder, QUERIES, filters) == slow
    assert all(hits for hits in slow[::3])


def test_kinds_are_those_of_this_index(folder: Path) -> None:
    """An unknown one is told with the list of what there is."""
    assert {hit.kind for hit in _hits(folder, "van", kind="events")} == {"events"}
    with pytest.raises(UsageError) as caught:
        _hits(folder, "van", kind="vehicles")
    assert "captions, chapters, speech, screen_text, events, sources" in caught.value.hint


def test_building_on_an_earlier_file_equals_building_anew(
    folder: Path, tmp_path: Path, add: Callable[..., None]
) -> None:
    """Rows of packs' tables are copied, with their words and the times of their keyframes."""
    first = build_serving(str(folder))
    add(folder, "/v/b.mp4", order="second")
    upon, anew = build_serving(str(folder)), build_serving(str(folder), output=tmp_path / "anew.duckdb")
    assert first is not None
    assert upon is not None
    assert anew is not None
    assert upon.num_new == first.num_documents == anew.num_documents / 2
    assert _rows(upon.file) == _rows(anew.file)


def test_a_pack_that_comes_later_is_added(
    tmp_path: Path, make_bundle: Callable[..., Bundle], add: Callable[..., None]
) -> None:
    """Onto a file that does not know its tables, by `build` and by a search that finds an older file."""
    folder = tmp_path / "index"
    bundle = make_bundle(uri="/v/before.mp4")
    index = open_index(str(folder), create=True)
    pair = (bundle.commit.video_id, bundle.commit.analysis_key)
    index.commit(*pair, encode_bundle(bundle))
    index.publish([pair])
    first = build_serving(str(folder))
    add(folder, "/v/a.mp4")
    hits = _hits(folder, "courier")
    upon = build_serving(str(folder))
    assert first is not None
    assert upon is not None
    assert upon.num_new == upon.num_documents - first.num_documents
    assert _hits(folder, "courier") == hits
    assert {hit.kind for hit in hits} >= {"events"}


def test_a_column_that_comes_later_makes_the_file_anew(
    folder: Path, tmp_path: Path, add: Callable[..., None]
) -> None:
    """Older rows may then be shown and searched by other columns."""
    build_serving(str(folder))

    class TitledAnswer(EventAnswer):
        """With a headline."""

        title: str

    add(folder, "/v/b.mp4", own={"events": row_type(TitledAnswer), "sources": SOURCE}, title="At the gate")
    hits = _hits(folder, "gate")
    upon, anew = build_serving(str(folder)), build_serving(str(folder), output=tmp_path / "anew.duckdb")
    assert upon is not None
    assert anew is not None
    assert upon.num_new == upon.num_documents
    assert _rows(upon.file) == _rows(anew.file)
    assert _hits(folder, "gate") == hits
    assert "At the gate" in {hit.title for hit in hits}


def test_keyframes_are_named_and_left_where_they_are(folder: Path) -> None:
    """A hit has its keyframe's time; the file holds no picture, and sql reads them from the parts."""
    build = build_serving(str(folder))
    assert build is not None
    assert {(hit.row_index, hit.keyframe_ms) for hit in _hits(folder, "courier", kind="events")} == {
        (0, 2500),
        (1, None),
    }
    with duckdb.connect(str(build.file), read_only=True) as plain:
        assert not plain.execute("FROM duckdb_tables() WHERE table_name = 'keyframes'").fetchall()
    with open_serving(str(folder)).catalog as served, open_catalog(str(folder)) as plain_views:
        sql = "FROM keyframes"
        assert served.query(sql) == plain_views.query(sql)
        assert served.query("SELECT octet_length(image) FROM keyframes").rows == [(90_000,)]


def test_temporary_tables_hide_no_pack_s_table(folder: Path) -> None:
    """After a search without a file, which makes some."""
    with open_serving(str(folder)).catalog as catalog:
        search(catalog, "van")
        assert catalog.query("SELECT colour, plates FROM sources").rows == [("green", ["AB12", "CD34"])]


def test_what_no_picture_shows_is_not_found(
    tmp_path: Path, make_bundle: Callable[..., Bundle], make_row: MakeRow
) -> None:
    """Rows that are in `…_all` only stay out of search and of the serving file's tables."""
    bundle = make_bundle()
    ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key", "object_rev")}
    scene = make_row(Scene, scene_index=1, title="Never seen", is_grounded=False, **ids)
    bundle = bundle.model_copy(update={"scenes": (*bundle.scenes, scene)})
    index = open_index(str(tmp_path / "index"), create=True)
    pair = (bundle.commit.video_id, bundle.commit.analysis_key)
    index.commit(*pair, encode_bundle(bundle))
    index.publish([pair])
    assert [hit.title for hit in _hits(tmp_path / "index", "never seen") if hit.words_score] == []
    build_serving(str(tmp_path / "index"))
    assert [hit.title for hit in _hits(tmp_path / "index", "never seen") if hit.words_score] == []
    with open_serving(str(tmp_path / "index")).catalog as served:
        assert served.query("SELECT title FROM scenes").rows == [("Opening",)]
        assert served.query("SELECT count(*) FROM scenes_all").rows == [(2,)]
