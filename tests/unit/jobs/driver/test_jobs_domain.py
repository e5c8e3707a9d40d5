"""A video that its model was not made for: rows of signals, a reason, no further try. No Ray, no model."""

import io
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console

from jobs.attempts.tries import ActorLocation, AttemptHistory, Postprocessed, Try
from jobs.attempts.work import Work
from jobs.driver.settling.relinking import Relinking
from jobs.driver.settling.settle import IndexSettler
from jobs.driver.telling.progress import Progress
from jobs.failures import Stage, VideoFailure, VideoFailureError, out_of_domain
from jobs.planning.reasons.reasons import examine
from jobs.planning.retry import release
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.signals.known import signals_named
from jobs.workers.domain import DomainGuard
from jobs.workers.postprocessing.postprocess import PostprocessJob, postprocess
from jobs.workers.reading.spans import Source, open_video
from schemas.failures import FailureAction, FailureClass, UsageError
from schemas.plan import Reason
from storage.index.index import open_index
from storage.library.library import open_library
from storage.library.selection import Selection
from storage.query.catalog import open_catalog
from videoxl2.domain import fit_domain, picture_statistics
from videoxl2.network.configs.picture_size import Squares

PLAIN = picture_statistics(np.full((48, 72, 3), 120, np.uint8))
SRT = "1\n00:00:00,200 --> 00:00:01,000\nThe harbour is closed.\n"
SIGNALS = signals_named(("captions",))


def domain(around, max_distance=3.0):
    """Everything within a hundredth of these statistics is usual."""
    return fit_domain(
        around + np.random.default_rng(3).normal(size=(120, len(around))) * 0.01, max_distance, "test"
    )


def recipe(model="m", revision="r1", signals=SIGNALS, **more) -> Recipe:
    prompts = load_packs() if model else ()
    return Recipe(
        model, revision if model else None, "auto", Fraction(1), 2048, prompts, False, signals, **more
    )


@pytest.fixture
def library(tmp_path):
    """One plain film of two seconds, with captions beside it."""
    folder = tmp_path / "library"
    folder.mkdir()
    with av.open(str(folder / "film.mkv"), "w") as out:
        stream = out.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(20):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 120, np.uint8), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    (folder / "film.en.srt").write_text(SRT, encoding="utf-8")
    return open_library(str(folder))


@pytest.fixture
def index(tmp_path):
    return open_index(str(tmp_path / "index"), create=True)


@pytest.fixture
def planned(library, index):
    """What a nightly or backfill with this recipe finds to do of the film."""

    def find(wanted: Recipe):
        index.declare_recipe(wanted.record)
        videos = library.list_videos(Selection(with_sidecars=True))
        return examine(videos, index, wanted.record, True, wanted.of_sidecars, wanted.tasks_of_said)

    return find


def source(library, index, tmp_path: Path, guard=None, signals=SIGNALS) -> Source:
    scratch = tmp_path / "scratch"
    return Source(
        library, scratch, Fraction(1), Squares(96, 4), bundles=index.store, signals=signals, guard=guard
    )


@pytest.fixture
def refuse(library, index, planned, tmp_path):
    """Have a recipe's model refuse the film, and settle what comes of it: the outcome, and the settler."""
    numbers = iter(range(100))

    def do(wanted: Recipe, failure: VideoFailure | None = None):
        (one,) = planned(wanted).costly
        failure = failure or out_of_domain("m", 9.0, 3.0)
        work = Work.first(one, 2048)
        tried = Try(1, datetime(2026, 11, 30, tzinfo=UTC), 0.5, ActorLocation("n", "gpu-1", "H200"))
        video = AttemptHistory(work, (replace(tried, failure=failure),))
        run_id = f"run{next(numbers)}"
        made = postprocess(source(library, index, tmp_path), PostprocessJob(video, None), wanted, run_id)
        settler = IndexSettler(index, wanted, run_id, Progress(Console(file=io.StringIO())))
        if isinstance(made, Postprocessed):
            settler.indexed(video.using(made.usage), made)
        else:
            settler.failed(video.failed(made), FailureAction.QUARANTINED)
        settler.publish()
        return made, settler

    return do


@pytest.fixture
def rows(index):
    def ask(query):
        with open_catalog(index.url) as catalog:
            return catalog.query(query).rows

    return ask


def test_the_guard_lets_through_what_is_inside(library, index, tmp_path, planned):
    """And says of what is outside how far it is."""
    (one,) = planned(recipe()).costly
    work = Work.first(one, 2048)
    inside = DomainGuard("m", domain(PLAIN))
    assert open_video(source(library, index, tmp_path, inside), work).grid.num_targets == 2
    outside = DomainGuard("m", domain(PLAIN + 1))
    with pytest.raises(VideoFailureError) as caught:
        open_video(source(library, index, tmp_path, outside), work)
    failure = caught.value.failure
    assert (failure.failure_class, failure.code, failure.stage) == ("domain", "out_of_domain", Stage.MODEL)
    assert "3.0 is the limit" in failure.message
    assert not failure.counts, "no night has too many of them"


def test_signals_are_committed_and_the_model_says_nothing(refuse, rows):
    """Captions are there, the failure says why nothing else is, no row names the model as its maker."""
    made, settler = refuse(recipe())
    assert made.is_aside
    assert (settler.tally.num_quarantined, settler.tally.num_indexed) == (1, 0)
    assert rows("select text from captions") == [("The harbour is closed.",)]
    assert rows("select model_id, summary, is_partial, num_frames_sampled from videos") == [
        (None, None, False, 0)
    ]
    assert rows("select failure_class, code, action, stage from failures") == [
        ("domain", "out_of_domain", "quarantined", "model")
    ]
    assert rows("select state, failure_class from commits") == [("rows", "domain")]
    assert rows("select outcome, code, device from attempts") == [("quarantined", "out_of_domain", "H200")]


def test_tomorrow_it_is_not_tried_again(refuse, planned):
    """By the same recipe; another model, or another description of the same one, is a reason to ask."""
    refuse(recipe())
    assert planned(recipe()).reasons == {Reason.UNCHANGED: 1}
    for other in (recipe("n", "r2"), recipe(domain_revision="d2")):
        found = planned(other)
        assert found.reasons == {Reason.MISSING: 1}, "no model has said anything of it"
        (one,) = found.costly
        assert (one.tasks, one.signals) == (None, ())


def test_signals_that_are_read_anew_leave_it_set_aside(refuse, planned, library, index, tmp_path, rows):
    """The mark and the reason stay, and nothing is asked of the model."""
    refuse(recipe(signals=()))
    wanted = recipe()
    (one,) = planned(wanted).costly
    assert (one.reason, one.tasks) == (Reason.MISSING_SIGNALS, ())
    work = Work.first(one, 2048)
    video = AttemptHistory(work, (Try(1, datetime(2026, 11, 30, tzinfo=UTC), 0.0, None),))
    made = postprocess(source(library, index, tmp_path), PostprocessJob(video, None), wanted, "later")
    assert isinstance(made, Postprocessed)
    assert not made.is_partial
    index.commit(work.video.video_id, work.analysis_key, made.bundle, made.stream)
    index.publish([(work.video.video_id, work.analysis_key)])
    assert rows("select text from captions") == [("The harbour is closed.",)]
    assert rows("select state, failure_class from commits") == [("rows", "domain")]
    assert rows("select code from failures") == [("out_of_domain",)]
    assert planned(wanted).reasons == {Reason.UNCHANGED: 1}


def test_a_copy_of_it_is_set_aside_with_it(refuse, planned, index, rows, tmp_path):
    """It gets the rows of signals and the reason, but not the other's captions; nobody measures it again."""
    refuse(recipe())
    film = tmp_path / "library" / "film.mkv"
    shutil.copy2(film, film.with_name("copy.mkv"))
    found = planned(recipe())
    assert +found.reasons == {Reason.UNCHANGED: 1, Reason.DUPLICATE: 1}
    relinking = Relinking(index, recipe().recipe_id, "later", reads_texts=True)
    assert list(relinking.relink(found.relinked)) == []
    index.publish(relinking.relinked)
    assert rows("select count(distinct video_id), count(*) from commits where failure_class = 'domain'") == [
        (2, 2)
    ]
    assert rows("select file_name(uri), code from failures order by 1") == [
        ("copy.mkv", "out_of_domain"),
        ("film.mkv", "out_of_domain"),
    ]
    assert rows("select file_name(uri) from captions join videos using (analysis_key)") == [("film.mkv",)]


@pytest.mark.parametrize(("maker", "are_kept"), [("r1", False), ("r2", True)])
def test_rows_that_are_there_stay_unless_the_same_weights_made_them(
    refuse, index, library, rows, make_bundle, planned, maker, are_kept
):
    """An index of before its model could refuse holds fiction of this model; another model's rows are not
    touched by this one's refusal."""
    before = recipe("m", maker)
    (one,) = planned(before).costly
    ids = {"video_id": one.video.video_id, "object_rev": one.video.object_rev, "recipe_id": before.recipe_id}
    ids |= {"analysis_key": one.analysis_key, "model_id": "m", "model_revision": maker}
    bundle = make_bundle()
    commit = {**ids, "content_rev": one.video.content_rev, "uri": one.video.uri}
    commit |= {"sidecars_rev": one.video.sidecars_rev}
    tables = {
        name: tuple(row.model_copy(update=ids) for row in bundle.rows(name)) for name in ("videos", "scenes")
    }
    changed = {"commit": bundle.commit.model_copy(update=commit)} | tables
    from storage.index.commits.bundles import encode_with_stream

    index.commit(one.video.video_id, one.analysis_key, *encode_with_stream(bundle.model_copy(update=changed)))
    index.publish([(one.video.video_id, one.analysis_key)])
    assert rows("select count(*) from scenes") == [(1,)]
    made, settler = refuse(recipe("m", "r1", domain_revision="d1"))
    assert rows("select count(*) from scenes") == [(int(are_kept),)]
    if are_kept:
        assert isinstance(made, VideoFailure)
        (left,) = settler.tally.unfinished
        assert (left.code, left.action) == ("out_of_domain", "next_run")
    else:
        assert rows("select code, action from failures") == [("out_of_domain", "quarantined")]


def test_it_cannot_be_released_to_the_same_model(refuse, index):
    """A retry would end alike, and hide the rows that are there."""
    refuse(recipe())
    with pytest.raises(UsageError, match="set aside for its model alone") as caught:
        release(index.url, None, ["film.mkv"], [], False)
    assert "backfill --missing" in caught.value.hint
    assert release(index.url, None, [], [], True) == []


def test_the_class_has_a_policy():
    """Set aside at once, whatever the run's budget of failures."""
    failure = out_of_domain("m", 9.0, 3.0)
    assert failure.failure_class is FailureClass.DOMAIN
    assert not failure.may_be_everywhere
