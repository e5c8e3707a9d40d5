"""Runs that have nothing to analyse: rows get other names, a quiet night leaves no trace. No Ray."""

import io
import os
import shutil
from dataclasses import replace
from typing import Any

import pytest
from places import DATA
from rich.console import Console

from jobs.driver.run import run
from jobs.driver.settling.relinking import Relinking
from jobs.driver.telling.progress import Progress
from jobs.planning.plan import NIGHTLY, make_plan
from jobs.planning.preflight import check_plan, selection_of
from jobs.planning.reasons.copies import split_copies
from jobs.settings.config import Settings, resolve
from schemas.commit import Bundle, Commit, CommitState
from schemas.identity import VideoObject, digest
from schemas.measured import Caption, CaptionTrack
from schemas.plan import Reason
from schemas.tables import Failure, Scene, Video
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.catalog import open_catalog
from storage.query.plans import PlannedVideos

PARROT = DATA / "parrot"


@pytest.fixture
def place(tmp_path):
    """A library with one film and one broken file, and where its index will be."""
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "film.mp4").write_bytes(os.urandom(3_000_000))
    (tmp_path / "films" / "broken.mp4").write_text("no film")
    return tmp_path


@pytest.fixture
def settings(place):
    def make(library: str = "films", **more: Any) -> Settings:
        where = {"library": str(place / library), "index": str(place / "index"), "model": str(PARROT)}
        return resolve(where | more)

    return make


@pytest.fixture
def indexed(place, settings, make_row):
    """Index the two under the names that a path leads to, as a run would have."""

    def index_them(library: str = "films") -> None:
        recipe_id = check_plan(settings()).recipe.recipe_id
        index, pairs = open_index(settings().index, create=True), []
        for name, state in (("film.mp4", CommitState.ROWS), ("broken.mp4", CommitState.QUARANTINED)):
            path = place / library / name
            video = VideoObject(str(path), path.stat().st_size, path.stat().st_mtime_ns)
            is_film = state is CommitState.ROWS
            key = video.analysis_key(recipe_id)
            ids = {
                "video_id": video.video_id,
                "object_rev": video.object_rev,
                "recipe_id": recipe_id,
                "analysis_key": key if is_film else digest("quarantine", key, "r"),
                "run_id": "r",
            }
            told = {"state": state, "failure_class": None if is_film else "media"}
            commit = make_row(Commit, uri=video.uri, content_rev=video.content_rev, **told, **ids)
            rows: dict[str, Any] = {
                "videos": (make_row(Video, uri=video.uri, size_bytes=video.size_bytes, **ids),) * is_film,
                "scenes": (make_row(Scene, title="The end", **ids),) * is_film,
                "failures": (make_row(Failure, uri=video.uri, code="unreadable", **ids),) * (not is_film),
            }
            pairs.append((video.video_id, ids["analysis_key"]))
            index.commit(*pairs[-1], encode_bundle(Bundle(commit=commit, **rows)))
        index.publish(pairs)

    return index_them


@pytest.fixture
def captioned(place, settings, make_row):
    """Index a film with captions that lie beside it, and move both to a folder of their own."""
    films = place / "films"
    (films / "broken.mp4").unlink()
    (films / "film.en.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nHello\n")
    checked = check_plan(settings())
    (video,) = checked.library.list_videos(selection_of(settings()))
    recipe_id = checked.recipe.recipe_id
    key = video.analysis_key(recipe_id)
    ids = {"video_id": video.video_id, "object_rev": video.object_rev, "recipe_id": recipe_id} | {
        "analysis_key": key,
        "run_id": "r",
    }
    told = {"state": CommitState.ROWS, "failure_class": None, "sidecars_rev": video.sidecars_rev}
    bundle = Bundle(
        commit=make_row(Commit, uri=video.uri, content_rev=video.content_rev, **told, **ids),
        videos=(make_row(Video, uri=video.uri, size_bytes=video.size_bytes, **ids),),
        measured={
            "caption_tracks": (make_row(CaptionTrack, track=0, source="sidecar", **ids),),
            "captions": (make_row(Caption, track=0, text="Hello", **ids),),
        },
    )
    index = open_index(settings().index, create=True)
    index.declare_recipe(checked.recipe.record)
    index.commit(video.video_id, key, encode_bundle(bundle))
    index.publish([(video.video_id, key)])
    (films / "2026").mkdir()
    for name in ("film.mp4", "film.en.srt"):
        (films / name).rename(films / "2026" / name)
    return index


def captions(settings: Settings) -> list[Any]:
    with open_catalog(settings.index) as catalog:
        said = "SELECT uri, text FROM captions JOIN videos USING (analysis_key)"
        return catalog.query(said).rows


def quietly(settings: Settings) -> tuple[int, str]:
    said = io.StringIO()
    row = run(settings, Progress(Console(file=said, width=200)))
    assert row.num_planned == 0
    return row.exit_code, said.getvalue()


def names(settings: Settings, table: str) -> list[str]:
    with open_catalog(settings.index) as catalog:
        return [uri for (uri,) in catalog.query(f"SELECT uri FROM {table} ORDER BY 1").rows]


def test_copies_get_rows_or_are_set_aside_with_their_original(place, settings, indexed):
    """Copied later, linked hard: no model is loaded for them."""
    indexed()
    films = place / "films"
    shutil.copy(films / "film.mp4", films / "copy.mp4")
    os.link(films / "film.mp4", films / "link.mp4")
    shutil.copy(films / "broken.mp4", films / "broken copy.mp4")
    code, said = quietly(settings())
    assert code == 0
    assert "3 duplicate" in said
    assert names(settings(), "videos") == [f"{films}/{name}.mp4" for name in ("copy", "film", "link")]
    assert names(settings(), "failures") == [f"{films}/broken copy.mp4", f"{films}/broken.mp4"]
    with open_catalog(settings().index) as catalog:
        assert catalog.query("SELECT count(DISTINCT video_id), count(*) FROM scenes").rows == [(3, 3)]
        assert catalog.query("SELECT num_listed, num_unchanged, num_copied FROM runs").rows == [(5, 2, 3)]
    assert "5 unchanged" not in quietly(settings())[1]
    assert "3 unchanged" in quietly(settings())[1]


def test_a_copy_in_another_library_of_the_index_gets_its_rows(place, settings, indexed):
    """Written later and called otherwise; the film itself is neither listed there nor taken for deleted."""
    indexed()
    (place / "other").mkdir()
    (place / "other" / "again.mp4").write_bytes((place / "films" / "film.mp4").read_bytes())
    code, said = quietly(settings("other"))
    assert (code, "1 duplicate" in said) == (0, True), said
    assert names(settings(), "videos") == [f"{place}/films/film.mp4", f"{place}/other/again.mp4"]


def test_what_only_looks_like_another_is_analysed_after_all(place, settings, indexed):
    """The run compares every byte before it shares rows; also of files that it is to analyse itself."""
    indexed()
    films = place / "films"
    alike = bytearray((films / "film.mp4").read_bytes())
    for number in range(2):
        alike[400_000] ^= 1 + number  # between what a plan looks at
        (films / f"alike {number}.mp4").write_bytes(alike)
    checked = check_plan(settings())
    plan = make_plan(checked, NIGHTLY, "p")
    assert plan.summary.reasons == {Reason.UNCHANGED: 1, Reason.QUARANTINED: 1, Reason.DUPLICATE: 2}
    relinking = Relinking(checked.index, checked.recipe.recipe_id, "p", reads_texts=True)
    first, second = relinking.relink(plan.found.relinked)
    assert relinking.relinked == []
    for one in (first, second):
        assert (one.reason, one.carried_key, one.carried_id) == (Reason.NEW, None, None)
        assert one.analysis_key == one.video.analysis_key(checked.recipe.recipe_id)
    originals, copies = split_copies(PlannedVideos.of((first, second)))
    assert (len(originals), len(copies)) == (1, 1)
    (again,) = relinking.expect(originals, copies)
    assert (again.video, again.reason) == (second.video, Reason.NEW)


def test_a_quiet_night_leaves_the_index_as_it_is(place, settings, indexed):
    """File by file, but for the lease: what was built from the index stays current."""
    indexed()

    def files() -> set[str]:
        found = (path for path in (place / "index").rglob("*") if path.is_file())
        return {str(path) for path in found if path.parent.name != "leases"}

    before = files()
    code, said = quietly(settings())
    assert (code, files()) == (0, before)
    assert "1 unchanged" in said


def test_rows_under_a_links_name_move_to_the_real_one(place, settings, indexed):
    """A library that was reached through a link before goes on under its own name, for nothing."""
    (place / "by link").symlink_to("films")
    indexed("by link")
    code, said = quietly(settings("by link"))
    assert code == 0
    assert "2 moved" in said
    assert "2 deleted" in said
    assert names(settings(), "videos") == [f"{place}/films/film.mp4"]
    assert names(settings(), "failures") == [f"{place}/films/broken.mp4"]
    assert "moved" not in quietly(settings())[1]


def test_a_moved_film_keeps_its_captions_where_nobody_reads_them(place, settings, captioned):
    """A run that reads no captions has not looked what lies beside the film."""
    code, said = quietly(settings(signals=("cues",)))
    assert (code, "1 moved" in said) == (0, True), said
    assert captions(settings()) == [(f"{place}/films/2026/film.mp4", "Hello")]


def test_a_moved_film_keeps_its_captions_until_they_are_read(place, settings, captioned):
    """What lay beside it has moved with it, most likely; a copy of a film has no such claim."""
    (place / "films" / "2026" / "film.en.srt").write_text("1\n00:00:00,500 --> 00:00:01,500\nHello there\n")
    checked = check_plan(settings())
    (moved,) = make_plan(checked, NIGHTLY, "p").found.relinked
    shutil.copy(place / "films" / "2026" / "film.mp4", place / "films")  # copies are held against the first
    for reason, kept in ((Reason.DUPLICATE, 0), (Reason.MOVED, 1)):
        relinking = Relinking(checked.index, checked.recipe.recipe_id, reason.value, reads_texts=True)
        key = digest(moved.analysis_key, reason.value)
        found = PlannedVideos.of((replace(moved, reason=reason, analysis_key=key),))
        assert list(relinking.relink(found)) == []
        checked.index.publish(relinking.relinked)
        assert len(captions(settings())) == 1 + kept, reason
        assert [one.uri for one in relinking.beside_others] == [f"{place}/films/2026/film.mp4"]
