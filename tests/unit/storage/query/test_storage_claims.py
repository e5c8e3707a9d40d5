"""What the index's own signals say to what a model claims: the same through every door."""

import ast
import subprocess
import sys

import pytest

from schemas.identity import VideoObject
from schemas.measured import MEASURED_TABLES, Caption, Chapter
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.built.build import build_serving
from storage.query.built.database import open_serving
from storage.query.catalog import open_catalog
from storage.query.filters import Filters
from storage.query.search import make_searchable, search

Shot, ScreenText, Speech = (MEASURED_TABLES[name] for name in ("shots", "screen_text", "speech"))
SHOTS = [(0, 4000), (4000, 9000), (9000, 9500), (9500, 20_000)]
SUMMARY = "Rob meets Ann Müller. Then Eve drives to Oslo with O’Brien, I'm told by Dr. Who on Monday."


@pytest.fixture
def publish(tmp_path):
    """Put bundles into an index; its folder."""

    def do(*bundles):
        index = open_index(str(tmp_path / "index"), create=not (tmp_path / "index").exists())
        for bundle in bundles:
            index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
        index.publish((one.commit.video_id, one.commit.analysis_key) for one in bundles)
        return index.url

    return do


@pytest.fixture
def film(make_film, make_row):
    """A film with scenes, a highlight, a character and shots; `told` are rows of signals by table."""

    def make(name="a.mp4", summary=SUMMARY, shots=SHOTS, title=None, reason="It is in Oslo.", **told):
        video = VideoObject(f"/films/{name}", 7, 0, etag=name)
        who = {"character_ids": ["C1"], "model_id": "m", "model_revision": "1"}
        scenes = [
            {"start_ms": 0, "end_ms": 4000, "summary": "A man waits.", **who},
            {"start_ms": 4300, "end_ms": 9800, "summary": summary, **who},
        ]
        best = [{"start_ms": 12_000, "end_ms": 13_000, "reason": reason}]
        bundle = make_film(video, scenes, {"C1": "the man called Rob"}, best, title=title)
        ids = {
            field: getattr(bundle.commit, field)
            for field in ("video_id", "object_rev", "recipe_id", "analysis_key")
        }
        measured = {
            table: tuple(make_row(kind, **ids, **one) for one in rows) for table, (kind, rows) in told.items()
        }
        found = ({"shot_index": n, "start_ms": start, "end_ms": end} for n, (start, end) in enumerate(shots))
        measured["shots"] = tuple(make_row(Shot, **ids, **one) for one in found)
        return bundle.model_copy(update={"measured": measured})

    return make


def said(*texts):
    return {"captions": (Caption, [{"text": text} for text in texts])}


BORDERS = """
    select table_name, row_index, character_id, start_off_ms, end_off_ms, num_shots, claims.model_id
    from claims join videos using (video_id) where uri like '%a.mp4' order by all"""
UNREAD = """
    select num_shots, start_off_ms, count(*)
    from claims join videos using (video_id) where uri like '%b.mp4' group by all"""
NAMES = "select distinct table_name, name from unsupported_names() order by all"


@pytest.mark.parametrize("door", ["parts", "serving file", "views.sql", "serving file alone"])
def test_every_door_says_what_supports_a_claim(door, publish, film, tmp_path):
    """Milliseconds to the nearest border of a shot, the shots it lies in, its model, names that nothing bears
    out. Where no shots were read nothing is said: null is not 0, and another film's are not asked."""

    told = {
        "captions": (Caption, [{"text": "so ann and MULLER came", "speaker": None}]),
        "speech": (Speech, [{"text": "it was rob's idea"}]),
        "screen_text": (ScreenText, [{"text": "DR WHO"}]),
        "chapters": (Chapter, [{"title": "Luleå"}]),
    }
    url = publish(film(**told), film("b.mp4", shots=[]))
    borders, unread, names = _answers(door, url, tmp_path / "index", (BORDERS, UNREAD, NAMES))
    assert borders == [
        ("appearances", 0, "C1", 0, 0, 1, None),
        ("appearances", 1, "C1", 300, 300, 3, None),
        ("highlights", 1, None, 2500, 3500, 1, None),
        ("scenes", 0, None, 0, 0, 1, "m"),
        ("scenes", 1, None, 300, 300, 3, "m"),
    ]
    assert unread == [(None, None, 5)]
    assert names == [("highlights", "Oslo"), ("scenes", "Eve"), ("scenes", "Oslo"), ("scenes", "O’Brien")]


def _answers(door, url, folder, queries):
    if door == "parts":
        with open_catalog(url) as catalog:
            return [catalog.query(query).rows for query in queries]
    if door != "views.sql":
        assert build_serving(url, words_only=True)
    if door == "serving file":
        served = open_serving(url)
        assert served.note is None
        with served.catalog as catalog:
            return [catalog.query(query).rows for query in queries]
    first = "c.execute(open('views.sql').read())"
    if door == "serving file alone":
        first = "c.execute(\"ATTACH 'serving.duckdb' AS s (READ_ONLY)\"); c.execute('USE s')"
    ask = f"print(repr([c.execute(query).fetchall() for query in {queries!r}]))"
    code = f"import duckdb; c = duckdb.connect(); {first}; {ask}"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return ast.literal_eval(done.stdout)


def test_names_in_the_file_and_its_metadata_are_borne_out(publish, film):
    """The name of the file, not of its folders; the title, and chapters. Where nothing was said or written
    nobody can tell: a title alone does not say what is not in the film."""
    chapter = {"chapters": (Chapter, [{"title": "With Mr. O'Brien"}])}
    title = "Who is Müller, Ann? And Eve?"
    known = film("oslo 2026 - rob.mp4", title=title, **said("nothing of that"), **chapter)
    other = film("x.mp4", summary="He is seen in Films", **said("nothing"))
    silent = film("y.mp4", title="A film")
    with open_catalog(publish(known, other, silent)) as catalog:
        names = catalog.query("select distinct video_id, name from unsupported_names() order by all").rows
    assert names == [(other.commit.video_id, name) for name in ("Films", "Oslo", "Rob")]


TEXTS = {
    "Rob waits. Ann comes! Is Eve there? “Tom,” says Kim: Bob left.": ["Eve", "Kim"],
    "It is Monday in May, I'm sure, says DJ Zed on TV.": ["Zed"],
    "He meets Dr. Picard, Mrs. Crusher and St. John.": ["Crusher", "John", "Picard"],
    "with Jean-Luc in the Café Zürich": ["Café", "Jean", "Luc", "Zürich"],
    "with Élodie’s dog and O’Brien": ["O’Brien", "Élodie’s"],
    "a 3D film, A4 paper, X": [],
    "она едет в Москву": ["Москву"],
}


def test_a_name_is_capitalised_within_a_sentence(publish, film):
    """Sentences begin as they will; what is capitalised anyway is none. One video can be asked by itself."""
    films = [film(f"{n}.mp4", summary=text, **said("oslo, rob")) for n, text in enumerate(TEXTS)]
    with open_catalog(publish(*films)) as catalog:
        query = "select distinct name from unsupported_names(?) order by 1"
        ids = [one.commit.video_id for one in films]
        found = [[name for (name,) in catalog.query(query, [one]).rows] for one in ids]
        all_names = [name for (name,) in catalog.query(query, [None]).rows]
    assert dict(zip(TEXTS, found, strict=True)) == TEXTS
    assert all_names == sorted({name for names in TEXTS.values() for name in names})


@pytest.mark.parametrize("is_built", [False, True])
def test_a_search_can_leave_out_what_is_spoken_against(publish, film, is_built):
    """Scenes with a border over a second from a shot's, and what has a name that nobody says; nothing where
    nothing was read."""
    one = film(summary="A harbour with Eve", **said("the harbour, by Bob and Rob"))
    unread = film("b.mp4", summary="A harbour with Eve", shots=[])
    far = film("c.mp4", shots=[(0, 2000), (2000, 20_000)], reason="A nest.", **said("rob, eve"))
    url = publish(one, unread, far)
    if is_built:
        build_serving(url, words_only=True)
    with open_serving(url, history=False).catalog as catalog:
        make_searchable(catalog)
        names = {video.videos[0].video_id: video.videos[0].uri for video in (one, unread, far)}

        def found(text, **filters):
            hits = search(catalog, text, 10, Filters(**filters))
            return sorted((names[hit.video_id], hit.kind) for hit in hits)

        a, b, c = (f"/films/{name}.mp4" for name in "abc")
        assert found("harbour") == [(a, "captions"), (a, "scenes"), (b, "scenes")]
        assert found("harbour", supported=True) == [(a, "captions"), (b, "scenes")]
        assert found("waits", kind="scenes") == [(a, "scenes"), (b, "scenes"), (c, "scenes")]
        assert found("waits", supported=True, kind="scenes") == [(a, "scenes"), (b, "scenes")]
        assert found("Oslo", kind="highlights") == [(a, "highlights"), (b, "highlights")]
        assert found("Oslo", supported=True) == [(b, "highlights")]
        assert found("nest", supported=True) == [(c, "highlights")], "it begins within a shot"
