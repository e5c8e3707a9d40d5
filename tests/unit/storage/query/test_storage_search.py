"""Full text: the best rows for some words."""

import math
import re
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.commit import Bundle
from schemas.failures import PreflightError, UsageError
from schemas.tables import Character, Highlight, Scene
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving
from storage.query.catalog import Catalog, open_catalog
from storage.query.filters import Filters
from storage.query.search import search


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory, make_bundle: Callable[..., Bundle], make_row: Callable[..., Any]
) -> Path:
    """Two videos, described by hand."""
    city = make_bundle(uri="s3://films/2024/rush_hour-Zürich.mp4", titles=(), summary="A city wakes up")
    ids = {
        name: getattr(city.commit, name) for name in ("video_id", "analysis_key", "object_rev", "recipe_id")
    }
    scenes = (
        make_row(Scene, scene_index=0, title="Red car", summary="A red car waits for a red light", **ids),
        make_row(Scene, scene_index=1, title="Café", summary="People drink coffee. A car passes.", **ids),
        make_row(
            Scene, scene_index=2, title="Tram", tags=["Straße"], character_ids=["C1"], start_ms=9, **ids
        ),
    )
    update = {
        "scenes": scenes,
        "characters": (
            make_row(Character, character_id="C1", label="the conductor", description="tall", **ids),
        ),
        "highlights": (make_row(Highlight, title="東京", reason="Вид на город", **ids),),
    }
    folder = tmp_path_factory.mktemp("made")
    index = open_index(str(folder), create=True)
    for bundle in (
        city.model_copy(update=update),
        make_bundle(uri="/v/b.mp4", title="Birds", titles=("Nest",)),
    ):
        pair = bundle.commit.video_id, bundle.commit.analysis_key
        index.commit(*pair, encode_bundle(bundle))
        index.publish([pair])
    return folder


@pytest.fixture(scope="module")
def catalog(made: Path) -> Catalog:
    """What all read and none changes; its words are put in order once."""
    return open_catalog(str(made))


def _found(catalog: Catalog, text: str, k: int = 20, **filters: Any) -> list[tuple[str, str]]:
    """What is found by its words."""
    hits = search(catalog, text, k, Filters(**filters))
    return [(hit.kind, hit.title) for hit in hits if hit.words_score is not None]


def test_since_goes_by_the_date_that_is_meant(tmp_path: Path, make_bundle: Callable[..., Bundle]) -> None:
    """A film of 2021, copied in 2024 and indexed in 2026, and one that does not say when it was recorded."""
    dates = {"modified_at": datetime(2024, 5, 1, tzinfo=UTC), "created_at": datetime(2026, 6, 1, tzinfo=UTC)}
    recorded_at = datetime(2021, 4, 1, tzinfo=UTC)
    index = open_index(str(tmp_path), create=True)
    for bundle in (
        make_bundle(uri="/v/said.mp4", title="Nest", titles=(), recorded_at=recorded_at, **dates),
        make_bundle(uri="/v/silent.mp4", title="Nest", titles=(), **dates),
    ):
        pair = bundle.commit.video_id, bundle.commit.analysis_key
        index.commit(*pair, encode_bundle(bundle))
        index.publish([pair])
    build_serving(str(tmp_path), words_only=True)
    for opened in (open_catalog(str(tmp_path)), open_serving(str(tmp_path)).catalog):
        found = [
            [hit.uri for hit in search(opened, "nest", 20, Filters(since=date(year, 3, 1), by=by))]  # type: ignore[arg-type]
            for by, year in (
                ("recorded", 2021),
                ("recorded", 2022),
                ("modified", 2024),
                ("modified", 2025),
                ("indexed", 2026),
                ("indexed", 2027),
            )
        ]
        both, silent = ["/v/said.mp4", "/v/silent.mp4"], ["/v/silent.mp4"]
        assert found == [both, silent, both, [], both, []]
        hit = search(opened, "nest", 1)[0]
        assert (hit.recorded_at, hit.modified_at, hit.indexed_at) == (recorded_at, *dates.values())


def test_hits_name_the_model_that_wrote_the_row(
    tmp_path: Path, make_bundle: Callable[..., Bundle], make_row: Callable[..., Any]
) -> None:
    """Which need not be the one that wrote the video's summary."""
    bundle = make_bundle(uri="/v/a.mp4", title="Nest", model_id="large", model_revision="r2")
    ids = {name: getattr(bundle.commit, name) for name in ("video_id", "analysis_key")}
    scene = make_row(Scene, title="Nest again", model_id="small", model_revision="r1", **ids)
    bundle = bundle.model_copy(update={"scenes": (scene,)})
    index = open_index(str(tmp_path), create=True)
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    hits = search(open_catalog(str(tmp_path)), "nest")
    assert {(hit.kind, hit.model_id, hit.model_revision) for hit in hits} == {
        ("videos", "large", "r2"),
        ("scenes", "small", "r1"),
    }


def test_better_matches_come_first(catalog: Catalog) -> None:
    """More of the words, more often, in shorter texts."""
    assert _found(catalog, "red car") == [("scenes", "Red car"), ("scenes", "Café")]


def test_accents_case_and_punctuation_do_not_matter(catalog: Catalog) -> None:
    """Neither in the query nor in the text, and composed or not."""
    for text in ("cafe", "CAFÉ!", "cafe\u0301", "«Café»"):
        assert _found(catalog, text) == [("scenes", "Café")], text


def test_all_scripts_are_words(catalog: Catalog) -> None:
    """Letters and digits of any alphabet."""
    assert _found(catalog, "город") == [("highlights", "東京")]
    assert _found(catalog, "東京") == [("highlights", "東京")]
    assert _found(catalog, "straße") == [("scenes", "Tram")]


def test_file_names_summaries_tags_and_characters_count(catalog: Catalog) -> None:
    """A scene is found by who is in it, a video by its name."""
    assert _found(catalog, "rush") == [("videos", "rush_hour-Zürich.mp4")]
    assert _found(catalog, "zurich 2024") == [("videos", "rush_hour-Zürich.mp4")]
    assert _found(catalog, "wakes") == [("videos", "rush_hour-Zürich.mp4")]
    assert set(_found(catalog, "conductor")) == {("characters", "the conductor"), ("scenes", "Tram")}
    assert _found(catalog, "birds") == [("videos", "Birds")]


def test_a_hit_says_where_to_look(catalog: Catalog) -> None:
    """Video, times and text."""
    (hit,) = search(catalog, "tram")
    assert (hit.uri, hit.start_ms, hit.end_ms) == ("s3://films/2024/rush_hour-Zürich.mp4", 9, 0)
    (video,) = search(catalog, "rush")
    assert (video.start_ms, video.end_ms, video.text) == (None, None, "A city wakes up")


def test_kind_and_number_of_hits_can_be_limited(catalog: Catalog) -> None:
    """`k` cuts the list after it was ranked."""
    assert _found(catalog, "red car", k=1) == [("scenes", "Red car")]
    assert _found(catalog, "conductor", kind="characters") == [("characters", "the conductor")]
    with pytest.raises(UsageError, match="films"):
        search(catalog, "red", filters=Filters(kind="films"))


@pytest.mark.parametrize("text", ["", "  ", "?! — *"])
def test_a_query_without_words_is_refused(catalog: Catalog, text: str) -> None:
    """It would match nothing or everything."""
    with pytest.raises(UsageError):
        search(catalog, text)


def test_endings_do_not_matter(catalog: Catalog) -> None:
    """Neither in the query nor in the text."""
    assert _found(catalog, "waiting cars")[0] == ("scenes", "Red car")
    assert _found(catalog, "drinks") == [("scenes", "Café")]
    assert _found(catalog, "bird") == [("videos", "Birds")]


def test_meaning_finds_what_words_do_not(catalog: Catalog) -> None:
    """And each hit says which of the two found it."""
    hits = search(catalog, "automobile")
    assert (hits[0].title, hits[0].words_score) == ("Red car", None)
    assert hits[0].meaning_score == pytest.approx(0.5, abs=0.1)
    both = search(catalog, "red car")[0]
    assert both.words_score is not None
    assert both.meaning_score is not None
    assert both.score > 1 / 61


def test_matches_are_marked_in_the_text_as_it_is(catalog: Catalog) -> None:
    """Accents, endings and capitals included."""
    hit = search(catalog, "DRINKING cafes")[0]
    assert [hit.title[start:end] for start, end in hit.title_matches] == ["Café"]
    assert [hit.text[start:end] for start, end in hit.text_matches] == ["drink"]


def test_function_words_count_where_there_are_no_others(catalog: Catalog) -> None:
    """A query is searched by the words that tell something."""
    assert [hit.title for hit in search(catalog, "the tram")][:1] == ["Tram"]
    assert all(hit.words_score is None for hit in search(catalog, "the submarine"))
    assert any(hit.title == "The best" for hit in search(catalog, "the"))


def test_words_that_occur_nowhere_find_nothing(catalog: Catalog) -> None:
    """An answer, not an error."""
    assert search(catalog, "submarine") == []
    assert search(catalog, "x'; DROP VIEW videos; --") == []


def test_the_score_is_bm25(catalog: Catalog) -> None:
    """Equal to the formula written out in Python over the same texts."""
    texts = {
        "rush_hour-Zürich.mp4": "a city wakes up rush hour zurich mp4",
        "Birds": "birds b mp4",
        "the conductor": "the conductor tall",
        "a cyclist": "a cyclist",
        "東京": "東京 вид на город",
        "The best": "the best",
        "Red car": "red car a red car waits for a red light day",
        "Café": "cafe people drink coffee a car passes day",
        "Tram": "tram the conductor strasse day",
        "Nest": "nest a cyclist day",
    }
    words = {title: re.findall(r"\w+", text) for title, text in texts.items()}
    average = sum(map(len, words.values())) / len(words)

    def score(title: str) -> float:
        total = 0.0
        for term in ("red", "car"):
            num_with = sum(term in found for found in words.values())
            idf = math.log(1 + (len(words) - num_with + 0.5) / (num_with + 0.5))
            frequency = words[title].count(term)
            norm = 1.2 * (0.25 + 0.75 * len(words[title]) / average)
            total += idf * frequency * 2.2 / (frequency + norm)
        return total

    for hit in search(catalog, "red car", filters=Filters(kind="scenes")):
        assert hit.words_score == pytest.approx(score(hit.title))


def test_what_would_take_long_is_built_first(
    made: Path, tmp_path: Path, make_bundle: Callable[..., Bundle]
) -> None:
    """Rows that no build has seen are counted; the error says the command, and what is built is free."""
    catalog = open_catalog(str(shutil.copytree(made, tmp_path / "index")))
    with pytest.raises(PreflightError, match=r"^10 rows of") as raised:
        search(catalog, "car", most_unbuilt=9)
    assert "media-index build" in raised.value.hint
    assert search(catalog, "car", most_unbuilt=10)
    build_serving(catalog.url)
    with open_serving(catalog.url).catalog as built:
        assert search(built, "car", most_unbuilt=0)
    index, late = open_index(catalog.url), make_bundle(uri="/v/c.mp4", titles=("Late",))
    pair = late.commit.video_id, late.commit.analysis_key
    index.commit(*pair, encode_bundle(late))
    index.publish([pair])
    with open_serving(catalog.url).catalog as older, pytest.raises(PreflightError, match=r"^\d rows of"):
        search(older, "car", most_unbuilt=1)
