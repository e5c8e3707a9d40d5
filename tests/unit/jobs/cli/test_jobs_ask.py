"""The verbs that ask an index, as a shell sees them."""

import json
import shutil

import pytest

from schemas.answer_tables import row_type
from schemas.answers import Moments, TimedAnswer
from schemas.tables import Scene
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index


class EventAnswer(TimedAnswer):
    """Something that happens."""

    layout = Moments(at_most=3, longest_s=9)

    kind: str
    description: str
    actors: list[str]


@pytest.fixture
def media_index(tmp_path, monkeypatch, media_index):
    """The console script's function in this process, in the folder that holds the index `catalog`."""
    monkeypatch.chdir(tmp_path)

    return lambda *arguments: media_index(*arguments, "--index", "catalog")


@pytest.fixture(scope="module")
def made(tmp_path_factory, make_bundle, make_row):
    """One film with two scenes."""
    bundle = make_bundle(uri="/films/night walk.mkv")
    ids = {name: getattr(bundle.videos[0], name) for name in ("video_id", "analysis_key", "object_rev")}
    scenes = (
        make_row(
            Scene, scene_index=0, title="Red cars", summary="[They] wait 🚗 שלום", tags=["Night"], **ids
        ),
        make_row(Scene, scene_index=1, title="A boat", start_ms=61_500, **ids),
    )
    bundle = bundle.model_copy(update={"scenes": scenes})
    folder = tmp_path_factory.mktemp("made")
    index = open_index(str(folder), create=True)
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    return folder


@pytest.fixture(autouse=True)
def catalog(tmp_path, made):
    """The same as the test's own."""
    shutil.copytree(made, tmp_path / "catalog")


def test_a_hit_shows_where_why_and_the_matches(media_index):
    """Brackets, emoji and right-to-left text come through."""
    media_index("build")
    done = media_index("search", "red car", "--limit", "1")
    assert done.code == 0
    where, said = done.stdout.splitlines()
    assert where.startswith("/films/night walk.mkv  0:00.0  scenes, words ")
    assert " and meaning 0." in where
    assert said.strip() == "*Red* *cars*: [They] wait 🚗 שלום"
    assert done.stderr == ""


def test_hits_for_machines_hold_offsets(media_index):
    """Of the matches, in characters."""
    (hit,) = json.loads(media_index("search", "cars", "--json", "--limit", "1").stdout)
    assert hit["title"] == "Red cars"
    assert hit["title_matches"] == [[4, 8]]
    assert hit["words_score"] > 0
    assert hit["score"] > 0
    assert (hit["row_index"], hit["keyframe_ms"]) == (0, None)


def test_a_kind_may_be_a_packs_table(media_index, make_bundle, make_row):
    """Known from the index, not from the command."""
    events = row_type(EventAnswer)
    bundle = make_bundle(uri="/films/gate.mkv")
    ids = {name: getattr(bundle.videos[0], name) for name in ("video_id", "analysis_key", "object_rev")}
    row = make_row(events, record_index=0, kind="arrival", description="A van stops", actors=["a man"], **ids)
    index = open_index("catalog", own={"events": events})
    pair = (bundle.commit.video_id, bundle.commit.analysis_key)
    index.commit(*pair, encode_bundle(bundle.model_copy(update={"own": {"events": (row,)}})))
    index.publish([pair])
    done = media_index("search", "van", "--kind", "events")
    assert done.stdout.splitlines()[1].strip() == "arrival: A *van* stops"
    assert "events" in media_index("search", "van", "--kind", "poem").stderr


@pytest.mark.parametrize(
    ("filters", "titles"),
    [
        (["--tag", "night"], ["Red cars"]),
        (["--kind", "scenes", "--video", "walk.mkv"], ["Red cars"]),
        (["--since", "2026-11-21", "--kind", "scenes"], ["Red cars"]),
        (["--since", "9999d", "--kind", "scenes"], ["Red cars"]),
        (["--since", "2026-11-22"], []),
        (["--since", "2026-11-22", "--by", "indexed", "--kind", "scenes"], []),
        (["--since", "2026-11-21", "--by", "modified", "--kind", "scenes"], ["Red cars"]),
        (["--kind", "videos"], []),
    ],
)
def test_filters(media_index, filters, titles):
    """Each leaves out what it says."""
    hits = json.loads(media_index("search", "red cars", "--json", *filters).stdout)
    assert [hit["title"] for hit in hits if hit["words_score"]] == titles


def test_hits_name_their_model(tmp_path, make_bundle, media_index):
    """After them; what has to be said of small on stderr, and with every hit in JSON."""
    bundle = make_bundle(uri="/films/drawn.mkv", title="Heron", model_id="small", model_revision="abc")
    index = open_index(str(tmp_path / "catalog"))
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    done = media_index("search", "heron", "--kind", "videos")
    assert done.stdout.splitlines()[-1] == "by small (abc)"
    assert "note: The model small understands drawn films" in done.stderr
    (hit,) = [
        one for one in json.loads(media_index("search", "heron", "--json").stdout) if one["words_score"]
    ]
    assert (hit["model_id"], hit["model_revision"]) == ("small", "abc")
    assert hit["model_note"].startswith("The model small understands")
    assert {"recorded_at", "modified_at", "indexed_at"} <= set(hit)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["search", "x", "--kind", "poem"], "Kinds are videos, scenes, characters, highlights"),
        (["search", "x", "--since", "yesterday"], "Write a date like 2026-11-01"),
        (["search", "x", "--tag", "nihgt"], "night"),
        (["search", "x", "--video", "other.mp4"], "other.mp4"),
        (["search", ""], "no word"),
        (["search", "🚗"], "no word"),
        (["search", "x" * 10_001], "10,001"),
        (["sql"], "--example"),
        (["sql", "select 1", "--example", "tag-counts"], "one of"),
        (["sql", "--example", "tag-count"], "tag-counts"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_a_wrong_question_is_two_lines_and_a_code(media_index, arguments, said):
    """What is wrong, and what to do."""
    done = media_index(*arguments)
    lines = done.stderr.strip().splitlines()
    assert done.code == 2
    assert lines[0].startswith("error: ")
    assert lines[-1].startswith("hint: ")
    assert said in done.stderr


@pytest.mark.parametrize(
    "text", ['it\'s "red"; DROP VIEW scenes --', "red %_\\ $terms ?", "red שלום", "red " * 2500]
)
def test_odd_queries_are_only_words(media_index, text):
    """Quotes, SQL, other scripts and ten thousand characters."""
    done = media_index("search", text, "--json")
    assert done.code == 0
    assert json.loads(done.stdout)[0]["title"] == "Red cars"


def test_the_slow_way_is_said_until_build(media_index):
    """On stderr, so that pipes are not disturbed; `build` twice has nothing to do."""
    assert "note: there is no serving.duckdb yet" in media_index("search", "red").stderr
    assert "note: there is no serving.duckdb yet" in media_index("sql", "select 1").stderr
    built = media_index("build")
    assert (built.code, "1 videos" in built.stdout, built.stderr) == (0, True, "")
    assert media_index("build").stdout == "nothing to do: the serving file is current\n"
    assert media_index("sql", "select 1").stderr == "(1 row)\n"


def test_a_file_elsewhere_can_be_used(media_index, tmp_path):
    """By those who may not write beside the index."""
    done = json.loads(media_index("build", "--output", "mine.duckdb", "--words-only", "--json").stdout)
    assert (done["num_vectors"], (tmp_path / "mine.duckdb").exists()) == (0, True)
    hits = media_index("search", "red", "--serving", "mine.duckdb")
    assert "Red" in hits.stdout
    assert hits.stderr.startswith("note: only words are searched")
    assert media_index("search", "red", "--serving", "none.duckdb").code == 8


def test_examples_are_listed_and_run(media_index):
    """By name."""
    listed = json.loads(media_index("sql", "--examples", "--json").stdout)
    assert len(listed) >= 10
    assert {"name", "question"} == set(listed[0])
    tags = json.loads(media_index("sql", "--example", "tag-counts", "--json").stdout)
    assert tags == [{"tag": "night", "scenes": 1, "videos": 1}]
