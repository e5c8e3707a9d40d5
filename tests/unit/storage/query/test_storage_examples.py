"""The example queries, over a small index whose answers were worked out by hand."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from places import ROOT

from schemas.commit import Bundle, RunRecord
from schemas.failures import UsageError
from schemas.measured import Caption, CaptionTrack, Cue, ScreenText, Shot
from schemas.tables import Appearance, Character, Failure, Highlight, Scene
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving
from storage.query.catalog import Catalog, open_catalog
from storage.query.examples import find_example, queries_page, read_examples

MakeRow = Callable[..., Any]
PAGE = ROOT / "docs" / "queries.md"
DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
MADE = datetime(2026, 11, 21, tzinfo=UTC)
FIVE_DAYS_AGO = datetime.now(UTC) - timedelta(days=5)


_Scene = tuple[str, list[str], list[str]]  # setting, tags, character_ids; a minute each


@pytest.fixture(scope="module")
def folder(
    tmp_path_factory: pytest.TempPathFactory,
    make_bundle: Callable[..., Bundle],
    make_row: MakeRow,
    make_run_record: Callable[..., RunRecord],
) -> Path:
    """Two films of one week under the new recipe, an older one twice under the old one, one set aside."""

    def film(
        name: str, scenes: list[tuple[str, list[str], list[str]]], highlights: list[int], **video: Any
    ) -> Bundle:
        bundle = make_bundle(uri=f"s3://films/{name}", **video)
        ids = {k: getattr(bundle.commit, k) for k in ("video_id", "analysis_key", "object_rev", "recipe_id")}
        times = [{"start_ms": n * 60_000, "end_ms": (n + 1) * 60_000} for n in range(len(scenes))]
        rows: dict[str, Any] = {
            "scenes": [
                make_row(
                    Scene,
                    scene_index=n,
                    title=f"{name} {n}",
                    setting=s,
                    tags=tags,
                    character_ids=ids_,
                    **times[n],
                    **ids,
                )
                for n, (s, tags, ids_) in enumerate(scenes)
            ],
            "characters": [
                make_row(Character, character_id=c, label={"C1": "Ann", "C2": "Bob"}[c], kind="person", **ids)
                for c in ("C1", "C2")
            ],
            "appearances": [
                make_row(Appearance, character_id=c, scene_index=n, **times[n], **ids)
                for n, (_, _, cast) in enumerate(scenes)
                for c in cast
            ],
            "highlights": [
                make_row(
                    Highlight,
                    rank=n + 1,
                    score=score,
                    title=f"{score}",
                    reason="with Rob and Bob",
                    start_ms=1500,
                    **ids,
                )
                for n, score in enumerate(highlights)
            ],
        }
        said = [(30_000, "Ann", "Thank you, Bob."), (61_000, None, "No thanks."), (62_000, None, "Hm.")]
        captions = [
            make_row(Caption, track=0, cue=n, start_ms=at, end_ms=at + 900, speaker=who, text=text, **ids)
            for n, (at, who, text) in enumerate(said if name in ("a.mp4", "b.mp4") else ())
        ]
        tracks = [make_row(CaptionTrack, language="en", source="sidecar", num_cues=3, has_text=True, **ids)]
        pictures = make_row(CaptionTrack, source="stream", num_cues=0, has_text=False, **ids)
        written = [
            make_row(ScreenText, line=n, start_ms=2000, end_ms=end, box_top=top, text=text, **ids)
            for n, (end, top, text) in enumerate(
                [
                    (6500, 0.8, "Anna Keller"),
                    (2500, 0.8, "Blink"),
                    (90_000, 0.8, "Logo"),
                    (6500, 0.1, "Title"),
                ]
            )
        ]
        borders = [(0, 1000), (1000, 4000), (4000, 6000)] if name == "a.mp4" else []
        shots = [
            make_row(Shot, shot_index=n, start_ms=start, end_ms=end, **ids)
            for n, (start, end) in enumerate(borders)
        ]
        kinds = [("black", None), ("loudness", -23.5), ("silence", None), ("silence", None)]
        cues = [make_row(Cue, kind=kind, value=value, **ids) for kind, value in kinds if shots]
        measured = {
            "shots": tuple(shots),
            "cues": tuple(cues),
            "captions": tuple(captions),
            "caption_tracks": (*(tracks if captions else ()), pictures),
            "screen_text": tuple(written if name == "a.mp4" else ()),
        }
        own = {table: tuple(each) for table, each in rows.items()}
        return bundle.model_copy(update=own | {"measured": measured})

    old = {"recipe_id": "old", "modified_at": DAY - timedelta(days=30), "size_bytes": 2_000_000_000}
    old |= {"duration_ms": 3_600_000, "container": "avi", "video_codec": "mpeg4", "num_frames_sampled": 9}
    new = {"recipe_id": "new", "size_bytes": 1_000_000_000, "container": "mp4", "video_codec": "h264"}
    copied_late = {"recorded_at": DAY - timedelta(days=3), "modified_at": DAY + timedelta(days=60)}
    park: list[_Scene] = [("Park", ["dog", "Sun"], ["C1", "C2"]), ("park", ["dog"], ["C1", "C2"])]
    street: list[_Scene] = [("Street", ["sun"], ["C1"]), ("Street", [], [])]
    bundles = [
        film("a.mp4", park, [90, 70], modified_at=DAY, duration_ms=120_000, **new),
        film("b.mp4", street, [80], **copied_late, duration_ms=240_000, **new),
        film("c.avi", [("Hall", [], [])], [], **old),
        film("copy of c.avi", [], [99], **old),
    ]
    bad = make_bundle(uri="s3://films/bad.mp4", is_quarantined=True)
    failure = make_row(
        Failure,
        code="no_video",
        failure_class="media",
        action="quarantined",
        created_at=FIVE_DAYS_AGO,
        **{k: getattr(bad.commit, k) for k in ("video_id", "analysis_key", "uri")},
    )
    bundles.append(bad.model_copy(update={"failures": (failure,)}))
    folder = tmp_path_factory.mktemp("examples") / "index"
    index = open_index(str(folder), create=True)
    for bundle in bundles:
        index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    runs = [make_run_record("run-1"), make_run_record("run-2")]
    runs = [
        record.model_copy(update={"run": record.run.model_copy(update={"recipe_id": recipe})})
        for record, recipe in zip(runs, ("old", "new"), strict=True)
    ]
    index.publish(((bundle.commit.video_id, bundle.commit.analysis_key) for bundle in bundles), runs)
    return folder


@pytest.fixture(scope="module", params=["Parquet", "serving file"])
def catalog(folder: Path, request: pytest.FixtureRequest) -> Catalog:
    """Both ways to read the index."""
    if request.param == "Parquet":
        return open_catalog(str(folder))
    build_serving(str(folder), words_only=True)
    return open_serving(str(folder)).catalog


C, COPY = "s3://films/c.avi", "s3://films/copy of c.avi"
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "busiest-characters": [("Ann", "person", 3, 2, 3.0), ("Bob", "person", 2, 1, 2.0)],
    "caption-languages": [("not said", "stream", 4, 0, 4), ("en", "sidecar", 2, 6, 0)],
    "co-appearances": [("Ann", "Bob", 2, 1)],
    "duplicates": [(2_000_000_000, "1:00:00.0", 2, [C, COPY])],
    "failures-by-reason": [("media", "no_video", "quarantined", 1, 5, 5, "s3://films/bad.mp4")],
    "highlights-of-the-week": [
        (90, "a.mp4", "0:01.5", "90", "with Rob and Bob"),
        (80, "b.mp4", "0:01.5", "80", "with Rob and Bob"),
        (70, "a.mp4", "0:01.5", "70", "with Rob and Bob"),
    ],
    "hours-per-container-and-codec": [("avi", "mpeg4", 2, 2.0, 4.0), ("mp4", "h264", 2, 0.1, 2.0)],
    "longest-scenes-without-a-character": [
        ("b.mp4", "1:00.0", 60.0, "b.mp4 1"),
        ("c.avi", "0:00.0", 60.0, "c.avi 0"),
    ],
    "lower-thirds": [("a.mp4", "0:02.0", 4.5, "Anna Keller")],
    "recently-indexed": [
        ("a.mp4", MADE, None, DAY, None),
        ("b.mp4", MADE, DAY - timedelta(days=3), DAY + timedelta(days=60), None),
        ("c.avi", MADE, None, DAY - timedelta(days=30), None),
        ("copy of c.avi", MADE, None, DAY - timedelta(days=30), None),
    ],
    "said-while-seen": [
        ("a.mp4", "0:30.0", "Ann", "Thank you, Bob.", "a.mp4 0"),
        ("a.mp4", "1:01.0", None, "No thanks.", "a.mp4 1"),
    ],
    "scenes-per-setting-and-day": [
        (date(2026, 11, 20), "park", 2, 2.0),
        (date(2026, 11, 17), "street", 2, 2.0),
        (date(2026, 10, 21), "hall", 1, 1.0),
    ],
    "shots-and-cues": [("a.mp4", 3, "0:02.0", -23.5, 1, 2)],
    "stale-rows": [
        ("new", True, None, 2, 0.1, date(2026, 11, 21)),
        ("old", False, None, 2, 2.0, date(2026, 11, 21)),
    ],
    "tag-counts": [("dog", 2, 1), ("sun", 2, 2)],
    "scenes-off-the-shots": [
        ("a.mp4", "1:00.0", 54_000, 114_000, 1, None, "a.mp4 1"),
        ("a.mp4", "0:00.0", 0, 54_000, 3, None, "a.mp4 0"),
    ],
    "unsupported-names": [("Rob", None, 3, 2, "a.mp4")],
    "videos-without-a-highlight": [(C, "1:00:00.0", False)],
}


def test_every_example_has_an_answer_here() -> None:
    """None is left untested."""
    assert [example.name for example in read_examples()] == sorted(ANSWERS)


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_examples_answer_their_question(catalog: Catalog, name: str) -> None:
    """Worked out by hand from the films above."""
    example = find_example(name)
    assert example.question.endswith("?")
    assert catalog.query(example.sql).rows == ANSWERS[name]


def test_an_unknown_example_is_the_users_mistake() -> None:
    """With the one they may have meant."""
    with pytest.raises(UsageError) as caught:
        find_example("tag-count")
    assert "tag-counts" in caught.value.hint


def test_the_page_is_up_to_date() -> None:
    """Repair: python -m storage.query.examples docs/queries.md."""
    assert PAGE.read_text(encoding="utf-8") == queries_page()


def test_macros_and_derived_views_are_in_every_door(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Catalog, serving file, plain DuckDB on views.sql and on the serving file."""
    build_serving(str(folder), words_only=True)
    monkeypatch.chdir(folder)
    plain = duckdb.connect()
    plain.execute(Path("views.sql").read_text(encoding="utf-8"))
    doors = [
        lambda sql: open_catalog(str(folder)).query(sql).rows,
        lambda sql: open_serving(str(folder)).catalog.query(sql).rows,
        lambda sql: plain.execute(sql).fetchall(),
        lambda sql: duckdb.connect("serving.duckdb", read_only=True).execute(sql).fetchall(),
    ]
    for door in doors:
        assert door("SELECT title FROM scenes_at('/a.mp4', 60000)") == [("a.mp4 1",)]
        assert door("SELECT title FROM scenes_at('/a.mp4', 120000)") == []
        assert door("SELECT timecode(59990), timecode(3723400)") == [("0:59.9", "1:02:03.4")]
        assert door("SELECT file_name(max(uri)) FROM videos") == [("copy of c.avi",)]
        assert door("SELECT count(*) FROM scene_tags WHERE tag = 'sun'") == [(2,)]
        assert door("SELECT count(*) FROM scene_characters WHERE label = 'Ann'") == [(3,)]
