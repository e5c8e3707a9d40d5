"""Captions are searched in the language that they are in."""

import pytest

from schemas.failures import UsageError
from schemas.measured import Caption, CaptionTrack
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving
from storage.query.filters import Filters
from storage.query.search import search
from storage.query.words.stemming import stem

SAID = {
    "en": "The houses were closed.",
    "de-CH": "Die Häuser waren geschlossen.",
    "ru": "Дома были закрыты.",
    "ja": "閉まっていた 家",
    None: "Locked houses, no language said.",
}


@pytest.fixture(scope="module", params=["Parquet", "serving file"])
def catalog(request, tmp_path_factory, make_bundle, make_row):
    """A film with a caption in each of the languages, both ways to read it."""
    folder = tmp_path_factory.mktemp("said")
    bundle = make_bundle(titles=("A street",))
    ids = {k: getattr(bundle.commit, k) for k in ("video_id", "analysis_key", "object_rev", "recipe_id")}
    captions = tuple(
        make_row(
            Caption, track=n, start_ms=1000 * n, end_ms=1000 * n + 900, language=language, text=text, **ids
        )
        for n, (language, text) in enumerate(SAID.items())
    )
    tracks = tuple(make_row(CaptionTrack, track=n, origin=f"{n}", **ids) for n in range(len(SAID)))
    bundle = bundle.model_copy(update={"measured": {"captions": captions, "caption_tracks": tracks}})
    index = open_index(str(folder), create=True)
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    if request.param != "Parquet":
        build_serving(str(folder))
    with open_serving(str(folder)).catalog as opened:
        yield opened


@pytest.mark.parametrize(
    ("words", "languages"),
    [
        ("house", ["en", None]),
        ("Haus", ["de-CH"]),
        ("häuser", ["de-CH"]),
        ("дом", ["ru"]),
        ("家", ["ja"]),
    ],
)
def test_words_are_found_by_the_endings_of_their_language(catalog, words, languages):
    """And marked in the text; a text that says no language is English."""
    hits = search(catalog, words, filters=Filters(kind="captions"))
    assert {hit.language for hit in hits} == set(languages)
    assert all(hit.text_matches for hit in hits)
    assert all(hit.meaning_score is None for hit in hits), "captions are found by their words alone"


def test_a_language_keeps_its_regions(catalog):
    """`de` takes `de-CH`; one that no row is in is a mistake, with those that there are."""
    assert [hit.language for hit in search(catalog, "Haus house", filters=Filters(language="de"))] == [
        "de-CH"
    ]
    assert search(catalog, "house", filters=Filters(language="de")) == []
    with pytest.raises(UsageError) as caught:
        search(catalog, "house", filters=Filters(language="fr"))
    assert "de-CH, en, ja, ru" in caught.value.hint


def test_what_is_said_between_two_times(catalog):
    """All that is shown for a moment of it, in order; the end is not part of it."""
    ((video_id,),) = catalog.query("SELECT video_id FROM videos").rows
    query = "SELECT start_ms, said_in, text FROM said_between(?, 1899, 3000)"
    said = list(SAID.values())
    assert catalog.query(query, [video_id]).rows == [(1000, "1", said[1]), (2000, "2", said[2])]


def test_a_language_without_a_stemmer_keeps_its_words():
    """Of others each has its own; without a language it is English."""
    assert stem(["running", "家"], "ja") == ["running", "家"]
    assert stem(["running"]) == stem(["running"], "en") == ["run"]
    assert stem(["hauser"], "de") == ["haus"]
