"""One pass for a video's model and its signals: the rule that chooses it, and what is left to do then."""

import pickle
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from cue_films import moving, write_pictures
from tone_films import tones

from jobs.answers.analysis import Analysis
from jobs.answers.asking import PromptAnswer
from jobs.answers.records import Record
from jobs.attempts.tries import AttemptHistory, Postprocessed, Try
from jobs.attempts.work import Work
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.signals.captions import Captions
from jobs.signals.cues import Cues
from jobs.signals.shots import Shots
from jobs.signals.signal import signal_id
from jobs.signals.strip import Strips
from jobs.workers.postprocessing.postprocess import PostprocessJob, postprocess
from jobs.workers.reading.one_pass import AT_ANY_PRICE, UNKNOWN_PACE, first_pace, pass_through, takes_one_pass
from jobs.workers.reading.spans import MAX_AHEAD, Source, frames_per_span, open_video, read_one_span
from schemas.answers import SceneAnswer
from schemas.identity import VideoObject
from schemas.measured import MEASURED_TABLES
from schemas.plan import Reason
from storage.index.commits.bundles import read_bundle
from storage.library.local import LocalLibrary
from videoxl2.frames import Span
from videoxl2.network.configs.picture_size import OwnShape, PictureSize, PixelBudget, Squares

SIGNALS = (Captions(), Shots(), Cues(), Strips())
RECIPE = Recipe("m", "r", "auto", Fraction(1), 2048, load_packs(), signals=SIGNALS)
SIZE = (96, 54)


@pytest.fixture
def work(tmp_path):
    """A film of three shots of five seconds."""
    path = tmp_path / "library" / "film.mp4"
    path.parent.mkdir()
    pictures = [picture for seed in (1, 5, 9) for picture in moving(seed, 50, SIZE)]
    write_pictures(path, pictures, tones(15, 2.0, 9.0), rate=Fraction(10))
    found = path.stat()
    video = VideoObject(str(path), found.st_size, found.st_mtime_ns)
    return Work(video, "key", Reason.NEW, max_frames=2048)


@pytest.fixture
def source(tmp_path):
    library = LocalLibrary(tmp_path / "library")
    return Source(library, tmp_path / "scratch", Fraction(1), Squares(56, 4), signals=SIGNALS)


SHAPED = OwnShape(28, 784, is_shared=True, most=PixelBudget(at_once=15 * 56 * 84))


@pytest.fixture
def shaped(source):
    """Shows pictures in their own shape, all frames together within a budget."""
    return replace(source, pictures=SHAPED, max_frames=15)


def test_pictures_of_a_model_with_shapes_are_read_in_their_own(shaped, work):
    """By spans and by a pass alike, in the size that the video's own sides and frames lead to."""
    opened = open_video(shaped, work)
    assert opened.size == SHAPED.size(96, 54, 15) == (28, 84)
    spans = [read_one_span(shaped, work, opened, span) for span in opened.spans]
    assert [span.frames.shape[1:] for span in spans] == [(28, 84, 3)]
    passed = list(pass_through(shaped, work, opened))
    assert np.array_equal(passed[0].frames.frames, spans[0].frames)


def test_fewer_frames_after_memory_ran_out_are_no_larger(shaped, work):
    """Else a budget of all frames would give each of the fewer ones more pixels, and as many tokens."""
    wide = replace(shaped, pictures=replace(SHAPED, most=PixelBudget(at_once=8 * 56 * 84)))
    fewer = open_video(wide, replace(work, max_frames=4))
    assert fewer.grid.num_targets == 4
    assert fewer.size == open_video(wide, work).size != wide.pictures.size(96, 54, 4)


def test_sections_share_the_size_of_what_is_shown_at_once(shaped, work):
    """A budget of all frames is that of one section, whose frames the model sees together."""
    split = open_video(replace(shaped, is_split=True, max_frames=4), replace(work, max_frames=4))
    assert split.grid.num_targets == 15
    assert split.size == SHAPED.size(96, 54, 4)


@pytest.mark.parametrize(
    ("size", "num_frames"), [((384, 384), 151), ((28, 56), 256), ((1088, 1920), 10), ((4000, 6000), 2)]
)
def test_spans_hold_as_many_pictures_as_make_an_object(size, num_frames):
    """However large a picture is, an object stays near 64 MiB, down to one pair."""
    assert frames_per_span(PictureSize(*size)) == num_frames


def scene(start_ms, end_ms):
    said: dict[str, Any] = dict.fromkeys(("title", "summary", "setting", "mood"), "x")
    said |= {name: [] for name in ("actions", "objects", "tags", "characters")}
    return SceneAnswer(start_ms=start_ms, end_ms=end_ms, time_of_day="day", **said)


def analysis_of(opened, spans):
    """Two scenes of what was seen in the spans."""
    (prompt,) = (prompt for prompt in RECIPE.prompts if prompt.answer is SceneAnswer)
    records = [
        Record(one, 1.0, 1.0, is_truncated=False, is_repeated=False)
        for one in (scene(0, 6000), scene(6000, 15_000))
    ]
    seen_ms = tuple(ms for span in spans for ms in span.pts_ms.tolist())
    answers = (PromptAnswer(prompt, "", tuple(records), None, 0, 0),)
    return Analysis(opened.info, opened.grid, seen_ms, (), answers, before=opened.before)


def bundle_of(source, work, analysis):
    video = AttemptHistory(work, (Try(1, datetime(2026, 11, 30, tzinfo=UTC), 1.0, None),))
    outcome = postprocess(source, PostprocessJob(video, pickle.dumps(analysis)), RECIPE, "run")
    assert isinstance(outcome, Postprocessed)
    (bundle,) = read_bundle(outcome.bundle, "bundle").to_pylist()
    return bundle, outcome.usage


def passed(source, work, opened):
    """The spans of a pass, and what signals found in it."""
    steps, spans = pass_through(source, work, opened), []
    while True:
        try:
            spans.append(next(steps).frames)
        except StopIteration as end:
            return spans, pickle.loads(pickle.dumps(end.value))


def rows_of(bundle, table):
    """Without when they were made."""
    return [{**row, "created_at": None} for row in bundle[table]]


def test_after_a_pass_nothing_is_opened_and_rows_are_the_same(source, work, monkeypatch):
    """Shots, cues, strip and keyframes, each with its lineage: as if they had been read after the model."""
    opened = open_video(source, work)
    alone = [read_one_span(source, work, opened, span) for span in opened.spans]
    apart, _ = bundle_of(source, work, analysis_of(opened, alone))
    spans, watched = passed(source, work, opened)
    assert [span.frames.tobytes() for span in spans] == [span.frames.tobytes() for span in alone]
    analysis = analysis_of(opened, spans)
    analysis = replace(analysis, before=replace(analysis.before, watched=watched))
    for again in ("watching.watching.open_film", "frames.reading.reader.open_film"):
        monkeypatch.setattr(f"videoxl2.{again}", lambda *_: pytest.fail("opened again"))
    bundle, usage = bundle_of(source, work, analysis)
    tables = [table for signal in SIGNALS for table in signal.tables if table in MEASURED_TABLES]
    for table in (*tables, "scenes", "keyframes"):
        assert rows_of(bundle, table) == rows_of(apart, table), table
    assert [len(bundle[table]) for table in ("shots", "shot_keyframes", "keyframes", "strips")] == [
        3,
        3,
        2,
        1,
    ]
    assert bundle["scenes"][1]["start_ms"] == 5000, "snapped to a shot"
    assert not bundle["failures"]
    assert [one.signal for one in usage.signals] == [signal.name for signal in SIGNALS]
    assert usage.finish_seconds > 0, "what the pass took is not taken off"


def test_what_a_pass_did_not_find_is_read_later(source, work):
    """A signal that comes to a recipe between two runs of post-processing, or one that had no part in it."""
    opened = open_video(source, work)
    spans, watched = passed(source, work, opened)
    outcomes = {name: one for name, one in watched.outcomes.items() if name != "strip"}
    before = replace(opened.before, watched=replace(watched, outcomes=outcomes))
    bundle, _ = bundle_of(source, work, replace(analysis_of(opened, spans), before=before))
    (strip,) = bundle["strips"]
    assert strip["signal_id"] == signal_id(Strips())


@pytest.mark.parametrize(
    ("changes", "frame_s", "expected"),
    [
        ({}, AT_ANY_PRICE, True),
        ({}, 1.0, True),
        ({}, 0.001, False),  # the model would wait
        ({}, UNKNOWN_PACE, False),
        ({"signals": ()}, AT_ANY_PRICE, False),
        ({"signals": (Captions(),)}, AT_ANY_PRICE, False),
        ({"signals": (Shots(is_draft=True), Cues(is_draft=True))}, AT_ANY_PRICE, False),
    ],
)
def test_one_pass_is_made_where_the_model_need_not_wait_for_it(source, work, changes, frame_s, expected):
    """And where signals look at every picture, of the film as it is."""
    opened = open_video(source, work)
    assert takes_one_pass(replace(source, **changes), work, opened, frame_s) is expected


def test_no_more_spans_pile_up_than_are_read_ahead(source, work):
    """A long video in sections is read as the model asks for it."""
    opened = open_video(source, work)
    spans = tuple(Span(n, n + 1) for n in range(MAX_AHEAD + 1))
    assert takes_one_pass(source, work, replace(opened, spans=spans[:-1]), AT_ANY_PRICE)
    assert not takes_one_pass(source, work, replace(opened, spans=spans), AT_ANY_PRICE)


@pytest.mark.parametrize(
    ("device", "num_threads", "expected"),
    [
        ("cpu", 1, AT_ANY_PRICE),
        ("cpu", 3, AT_ANY_PRICE),
        ("cpu", 15, UNKNOWN_PACE),
        ("cuda", 0, UNKNOWN_PACE),
    ],
)
def test_where_few_cores_do_everything_one_pass_is_made_from_the_first_video_on(
    device, num_threads, expected
):
    """Elsewhere the model has to tell first how long it takes."""
    assert first_pace(device, num_threads) == expected
