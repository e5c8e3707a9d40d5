"""Answers about long videos, window by window, and what becomes of an answer that is not valid."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from jobs import asking
from jobs.analysis import Analysis
from jobs.asking import Asker, PromptAnswer
from jobs.plan import Reason, Work
from jobs.program_times import AnswerContext
from jobs.prompt_pack import load_prompts
from jobs.recipe import Recipe
from jobs.rows import RowBuilder
from jobs.wire import InvalidAnswerError
from schemas.identity import VideoObject
from videoxl2.frames import FrameSpan, MediaInfo, SamplingGrid
from videoxl2.model import VideoXL2
from videoxl2.random_checkpoint import write_random_checkpoint

SUMMARY, CHARACTERS, SCENES, HIGHLIGHTS = load_prompts()


@pytest.fixture(scope="module")
def asker(tmp_path_factory):
    """Untrained weights: whatever holds for them holds by construction."""
    return Asker(
        VideoXL2.from_pretrained(write_random_checkpoint(tmp_path_factory.mktemp("weights"), seed=3))
    )


@pytest.fixture(scope="module")
def session(asker):
    """A hundred seconds of noise, a picture every five."""
    import numpy as np

    size = asker.model.image_size
    pictures = np.random.default_rng(0).integers(0, 255, (20, size, size, 3), np.uint8)
    times_ms = np.arange(20) * 5000
    span = FrameSpan(0, pictures, times_ms, np.arange(20, dtype=np.int32), np.zeros(20, np.uint8), (), 0.0)
    return asker.model.prefill([span])


@pytest.fixture
def context():
    return AnswerContext(100_000, tuple(range(0, 100_000, 5000)), ("man in red", "dog"))


def spans_ms(answer: PromptAnswer) -> list[tuple[int, int]]:
    return [(round(r.answer.start_s * 1000), round(r.answer.end_s * 1000)) for r in answer.records]


@pytest.mark.parametrize("window_ms", [None, 20_000, 35_000, 70_000])
def test_windows_neither_lose_nor_double_time(asker, session, context, window_ms):
    """Scenes cover the whole video without gap or overlap, however it is cut into windows."""
    answer = asker.ask(session, replace(SCENES, window_ms=window_ms, max_new_tokens=900), context)
    assert answer.problem is None
    spans = spans_ms(answer)
    assert [start for start, _ in spans] == [0, *(end for _, end in spans[:-1])]
    assert spans[-1][1] == 100_000
    assert len(spans) >= 100_000 // (window_ms or 100_000) - 1


def test_confidence_is_a_probability(asker, session, context):
    """Between 0 and 1 for every record."""
    before = session.num_tokens
    for prompt in (SUMMARY, CHARACTERS, HIGHLIGHTS):
        records = asker.ask(session, prompt, context).records
        assert all(0 < record.confidence <= 1 for record in records)
    assert session.num_tokens == before, "a prompt leaves the cache as it was"


def test_an_invalid_answer_is_a_failure_with_its_text(asker, session, context, monkeypatch):
    """Should the construction ever fail, the text is kept and the other answers become rows."""

    def refuse(records, duration_ms, roster):
        raise InvalidAnswerError("record 1: no good")

    good = asker.ask(session, SUMMARY, context)
    monkeypatch.setattr(asking, "check_records", refuse)
    bad = asker.ask(session, replace(SCENES, max_new_tokens=900), context)
    assert bad.records is None
    bundle = bundle_of(good, bad)
    assert bundle.videos[0].is_partial
    assert bundle.videos[0].summary == good.records[0].answer.summary
    (failure,) = bundle.failures
    assert (failure.prompt_id, failure.message) == ("scenes@1", "record 1: no good")
    assert failure.answer_text == bad.text
    assert bundle.scenes == ()


def bundle_of(*answers: PromptAnswer):
    info = MediaInfo(
        container="mp4",
        video_codec="h264",
        audio_codecs=(),
        width=64,
        height=48,
        rotation=0,
        fps_num=25,
        fps_den=1,
        is_vfr=False,
        duration_ms=100_000,
        start_ms=0,
        num_frames=2500,
        timestamps="exact",
        title=None,
        size_bytes=1,
        warnings=(),
    )
    analysis = Analysis(
        info, SamplingGrid(Fraction(5), 20), tuple(range(0, 100_000, 5000)), (), answers, 0, 0
    )
    recipe = Recipe("m", "r", "auto", Fraction(1), 2048, load_prompts())
    work = Work(VideoObject("/a.mp4", 1, 1), "key", Reason.NEW, 2048)
    return RowBuilder(work, recipe, "run", datetime.now(UTC)).bundle(analysis, {})
