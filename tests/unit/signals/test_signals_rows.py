"""Signals of real files become rows of one bundle, whatever else it holds: no Ray, no model."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, ClassVar

import av
import numpy as np
import pytest

from jobs.answers.carried import read_carried
from jobs.attempts.tries import AttemptHistory, Postprocessed, Try
from jobs.attempts.work import Work
from jobs.failures import VideoFailure
from jobs.prompts.recipe import Recipe
from jobs.signals.signal import Costs
from jobs.workers.postprocessing.postprocess import PostprocessJob, postprocess
from jobs.workers.reading.spans import Source
from schemas.failures import FailureAction, FailureClass
from schemas.measured import Chapter
from schemas.plan import PlannedVideo, Reason
from schemas.tables import TABLES, Attempt, Failure, Scene, Video
from storage.errors import NotFound, StorageUnavailable
from storage.index.commits.bundles import commits_of, encode_bundle, read_bundle, rows_of
from storage.index.layout import bundle_key
from storage.library.library import open_library
from storage.library.selection import Selection
from storage.objects.local import LocalStore


@dataclass(frozen=True)
class Sections:
    """A signal for these tests: a chapter for every half of the film; or it fails with `error`."""

    version: int = 1
    error: Exception | None = None
    waits_s: float = 0.0  # as for a busy machine, without a CPU at work
    name = "sections"
    tables = ("chapters",)
    rough_costs = Costs(0.1, 1.0)
    reads_sidecars = False
    settings: ClassVar[dict[str, str]] = {}

    def read(self, file, lineage):
        if self.error:
            raise self.error
        assert file.path.read_bytes()
        time.sleep(self.waits_s)
        half = file.info.duration_ms // 2
        for number in range(2):
            start = number * half
            yield Chapter(**lineage, chapter=number, start_ms=start, end_ms=start + half, title=f"{number}")


@pytest.fixture
def video(tmp_path):
    """A real film of two seconds in a folder."""
    path = tmp_path / "library" / "film.mp4"
    path.parent.mkdir()
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(20):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade, np.uint8))))
        out.mux(stream.encode(None))
    (found,) = open_library(str(path.parent)).list_videos(Selection())
    return found


@pytest.fixture
def indexed(tmp_path, video):
    """What a run without a model makes of the film: `indexed(signal, carried=…, …)`."""
    library, store = open_library(str(tmp_path / "library")), LocalStore(tmp_path / "index")

    def make(signal, old=None, found=video, **planned):
        recipe = Recipe(None, None, "auto", Fraction(1), 2048, (), signals=(signal,))
        key = found.analysis_key(recipe.recipe_id)
        carried = None
        if old is not None:
            carried = old.commit.analysis_key
            store.put_if_absent(bundle_key(found.video_id, carried), encode_bundle(old))
        reason = Reason.STALE_SIGNALS if old else Reason.NEW
        one = PlannedVideo(found, key, reason, bool(old), carried_key=carried, **planned)
        work = Work.first(one, 2048, has_model=False)
        history = AttemptHistory(work, (Try(1, datetime(2026, 11, 30, tzinfo=UTC), 0.0, None),))
        source = Source(library, tmp_path / "scratch", Fraction(1), None, bundles=store)
        made = postprocess(source, PostprocessJob(history, None), recipe, "run2")
        if isinstance(made, Postprocessed):
            table = read_bundle(made.bundle, "bundle")
            assert read_bundle(made.stream, "bundle").to_pylist() == table.to_pylist()
            return made, table
        return made

    return make


def test_a_video_without_a_model_is_its_facts_and_its_signals(indexed, video):
    """No model is named, nothing is made up, and the attempt says what was spent."""
    made, table = indexed(Sections())
    ((facts,), chapters) = rows_of(table, "videos", Video), rows_of(table, "chapters", Chapter)
    assert (facts.model_id, facts.summary, facts.num_frames_sampled, facts.is_partial) == (
        None,
        None,
        0,
        False,
    )
    assert facts.duration_ms == 2000
    assert [(one.start_ms, one.end_ms, one.signal_id) for one in chapters] == [
        (0, 1000, "sections@1"),
        (1000, 2000, "sections@1"),
    ]
    assert {one.analysis_key for one in (facts, *chapters)} == {
        commits_of([table])["analysis_key"][0].as_py()
    }
    (attempt,) = rows_of(table, "attempts", Attempt)
    assert (attempt.outcome, attempt.video_ms, attempt.device) == ("indexed", 2000, "cpu")
    assert attempt.signal_seconds > 0
    assert [(one.signal, one.seconds) for one in attempt.signals] == [("sections", attempt.signal_seconds)]
    assert made.usage.video_ms == 2000


def test_a_signal_takes_what_a_cpu_was_at_work_on_it(indexed, monkeypatch):
    """What a busy machine makes it wait is of the attempt, and not of the rates that plans go by."""
    monkeypatch.setattr(time, "process_time", lambda: 7.0)  # other threads of this process may be at work
    (attempt,) = rows_of(indexed(Sections(waits_s=0.5))[1], "attempts", Attempt)
    assert attempt.seconds >= 0.5
    assert attempt.signal_seconds == 0


def test_a_signal_that_fails_costs_its_own_rows(indexed):
    """A failure with its traceback; the video is there, partial."""
    made, table = indexed(Sections(error=ValueError("odd")))
    assert made.is_partial
    assert rows_of(table, "videos", Video)[0].is_partial
    (failure,) = rows_of(table, "failures", Failure)
    assert (failure.signal_id, failure.code, failure.action) == (
        "sections@1", "ValueError", FailureAction.KEPT_VALID_PART,
    )  # fmt: skip
    assert "odd" in failure.traceback
    assert rows_of(table, "chapters", Chapter) == ()


def test_storage_that_does_not_answer_is_tried_again(indexed, monkeypatch):
    """By the signal itself at first, then by the run."""
    monkeypatch.setattr("jobs.signals.reading.BACKOFF_S", 0.0)
    made = indexed(Sections(error=StorageUnavailable("no answer", "Wait.")))
    assert isinstance(made, VideoFailure)
    assert made.failure_class is FailureClass.TRANSIENT


def test_a_video_that_is_gone_is_no_failure_of_its_signals(indexed, video):
    """The whole attempt fails, as for the model."""
    made = indexed(Sections(), found=replace(video, size_bytes=video.size_bytes + 1))
    assert isinstance(made, VideoFailure)
    assert made.code != NotFound.code
    assert made.stage == "fetch"


def test_reading_again_leaves_all_else_as_it_is(indexed, video, make_film, make_row):
    """Scenes, their runs and their failures stay; the signal's rows and its earlier failure go."""
    scene = {"start_ms": 0, "end_ms": 900, "title": "Opening", "character_ids": ["C1"]}
    old = make_film(video, scenes=[scene], characters={"C1": "a cyclist"}, is_partial=True)
    ids = {
        name: getattr(old.commit, name) for name in ("video_id", "object_rev", "recipe_id", "analysis_key")
    }
    answer = make_row(Failure, **ids, prompt_id="summary@1", code="cut_short")
    signal = make_row(Failure, **ids, signal_id="sections@0", code="ValueError")
    stale = make_row(Chapter, **ids, title="of before")
    old = old.model_copy(update={"failures": (answer, signal), "measured": {"chapters": (stale,)}})
    made, table = indexed(Sections(), old, signals=("sections",), recipe_id="both")
    (commit,) = commits_of([table]).to_pylist()
    assert (commit["recipe_id"], commit["run_id"]) == ("both", "run2")
    moved = {"analysis_key": commit["analysis_key"]}
    for name in ("scenes", "characters", "appearances", "videos"):
        before = [row.model_copy(update=moved) for row in old.rows(name)]
        assert list(rows_of(table, name, TABLES[name])) == before, name
    assert rows_of(table, "failures", Failure) == (answer.model_copy(update=moved),)
    assert [one.title for one in rows_of(table, "chapters", Chapter)] == ["0", "1"]
    assert made.is_partial, "the summary is still cut short"


def test_tables_that_packs_brought_are_kept(indexed, video, make_film):
    """Also where the run knows nothing of the pack."""
    own = type("Plate", (Scene,), {"__annotations__": {"plate": str}})
    plate = own(**make_film(video, scenes=[{"title": "x"}]).scenes[0].model_dump(), plate="AB 123")
    old = make_film(video).model_copy(update={"own": {"plates": (plate,)}})
    _, table = indexed(Sections(), old, signals=("sections",))
    kept: Any
    (kept,) = rows_of(table, "plates", own)
    assert kept.plate == "AB 123"
    assert kept.analysis_key == commits_of([table])["analysis_key"][0].as_py()


@pytest.mark.parametrize("anew", [("sections",), ()])
def test_a_failure_goes_with_the_signal_that_is_read_again(tmp_path, video, make_film, make_row, anew):
    """Whatever its version was then, also where prompts are asked again beside it; else it stays."""
    store = LocalStore(tmp_path / "index")
    old = make_film(video)
    ids = {name: getattr(old.commit, name) for name in ("video_id", "object_rev", "recipe_id")}
    failed = make_row(Failure, analysis_key=old.commit.analysis_key, signal_id="sections@0", **ids)
    old = old.model_copy(update={"failures": (failed,)})
    store.put_if_absent(bundle_key(video.video_id, old.commit.analysis_key), encode_bundle(old))
    planned = PlannedVideo(
        video, "new", Reason.STALE_MODEL, True, signals=anew, carried_key=old.commit.analysis_key
    )
    carried = read_carried(store, Work.first(planned, 2048), (), (Sections(version=2),))
    assert carried.failures == (() if anew else (failed.model_copy(update={"analysis_key": "new"}),))
    assert dict(carried.measured).keys() >= {"captions"}
    assert ("chapters" in dict(carried.measured)) != bool(anew)
