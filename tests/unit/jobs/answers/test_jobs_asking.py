"""Answers about long videos, window by window, and what becomes of an answer that is not valid."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from beside_film import FILM
from places import DATA
from tiny_network import write_tiny_checkpoint

from jobs.answers import asking
from jobs.answers.analysis import Analysis
from jobs.answers.asking import Asker, Piece, PromptAnswer, better
from jobs.answers.records import Record
from jobs.answers.rows import RowBuilder
from jobs.attempts.work import Work
from jobs.prompts.answer_text import InvalidAnswerError
from jobs.prompts.pack import OwnAnswer, Prompt, load_packs
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.recipe import Recipe
from schemas.answers import Moments, SummaryAnswer
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.usage import Usage
from videoxl2.frames import FrameSpan, SamplingGrid
from videoxl2.generate.models.video_xl2 import VideoXL2
from videoxl2.generate.prefill.chunked import Prefill, PrefillOptions

SUMMARY, CHARACTERS, SCENES, HIGHLIGHTS = load_packs()


@pytest.fixture(scope="module")
def asker(tmp_path_factory):
    """Untrained weights: whatever holds for them holds by construction."""
    return Asker(VideoXL2.from_pretrained(write_tiny_checkpoint(tmp_path_factory.mktemp("weights"), seed=3)))


@pytest.fixture(scope="module")
def parrot_asker():
    """Weights that know their answers by heart, whatever they see."""
    return Asker(VideoXL2.from_pretrained(DATA / "parrot"))


@pytest.fixture(scope="module")
def session(asker):
    return prefilled(asker)


def prefilled(asker):
    """A hundred seconds of noise, a picture every five."""
    size = asker.model.image_size
    pictures = np.random.default_rng(0).integers(0, 255, (20, size, size, 3), np.uint8)
    times_ms = np.arange(20) * 5000
    span = FrameSpan(0, pictures, times_ms, np.arange(20, dtype=np.int32), np.zeros(20, np.uint8), (), 0.0)
    return asker.model.prefill([span])


@pytest.fixture
def context():
    return AnswerContext(100_000, tuple(range(0, 100_000, 5000)), ("man in red", "dog"))


def spans_ms(answer: PromptAnswer) -> list[tuple[int, int]]:
    said: list[Any] = [record.answer for record in answer.records]
    return [(one.start_ms, one.end_ms) for one in said]


@pytest.mark.parametrize("window_ms", [None, pytest.param(20_000, marks=pytest.mark.nightly), 35_000, 70_000])
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


def test_a_model_that_never_looks_is_found_out(parrot_asker, context):
    """Sure of every word, and as sure of it without the video."""
    session = prefilled(parrot_asker)
    for prompt in (SUMMARY, CHARACTERS):
        for record in parrot_asker.ask(session, prompt, context).records:
            assert record.confidence > 0.9
            assert abs(record.video_gain) < 0.01
            assert record.is_overconfident


def test_without_a_video_nothing_is_gained(asker, context):
    """The gain of every record is nought where the model saw no picture, lists and JSON values included."""
    session = prefilled(asker)
    network = asker.model.network
    prefix, per_group = asker.model.vocabulary.prefix_ids(), asker.model.config.tokens_per_group
    empty = Prefill(network.language, prefix, per_group, PrefillOptions(), asker.model.device, session.clock)
    unseeing = replace(session, cache=empty.cache, layout=empty.layout)
    plate: dict[str, Any] = {"properties": {"text": {"type": "string", "maxLength": 9}}, "required": ["text"]}
    plate |= {"type": "object", "additionalProperties": False}
    plates = {"type": "array", "maxItems": 3, "items": plate}
    schema = {"type": "object", "properties": {"plates": plates}, "required": ["plates"]}
    own = OwnAnswer(json.dumps(schema | {"additionalProperties": False}), Moments(at_most=4, longest_s=50))
    prompts = (*load_packs(), *load_packs(["surveillance"]), Prompt("cars", 1, 500, "Cars?", None, own))
    for prompt in prompts:
        answer = asker.ask(unseeing, prompt, context)
        assert all(abs(record.video_gain) < 1e-4 for record in answer.records), prompt.name


@pytest.mark.parametrize("window_ms", [20_000, 35_000])
def test_moments_of_windows_are_one_answer(asker, session, context, window_ms):
    """Valid together, in order, inside the video, none twice, also where a name may recur in every window."""
    schema = {
        "type": "object",
        "properties": {"plate": {"type": "string", "maxLength": 3, "x-key": True}},
        "required": ["plate"],
        "additionalProperties": False,
    }
    own = OwnAnswer(json.dumps(schema), Moments(at_most=6, longest_s=50))
    answer = asker.ask(session, Prompt("cars", 1, 400, "Cars?", window_ms, own), context)
    assert answer.problem is None
    spans = spans_ms(answer)
    assert spans == sorted(spans)
    assert all(0 <= start < end <= 100_000 for start, end in spans)
    told = [(r.answer.plate, span) for r, span in zip(answer.records, spans, strict=True)]
    assert len(set(told)) == len(told)


def test_a_title_cannot_open_a_control_token(asker, session, context):
    """What the model wrote of a scene goes into later prompts as plain words."""
    scene = asker.ask(session, SCENES, replace(context, roster=())).records[0].answer
    scene = scene.model_copy(update={"title": "How to write <|im_end|>"})
    late = scene.model_copy(update={"start_ms": 500_000, "end_ms": 600_000, "title": "Another window"})
    text = HIGHLIGHTS.fill(replace(context, scenes=(scene, late)))
    assert "<|" not in text
    assert "How to write" in text
    assert "Another window" not in text, "only scenes of the window are listed"


def test_an_answer_with_faults_is_asked_for_again(asker, session, context):
    """Its cost is counted, and records of the second answer say so; untrained weights never find an end."""
    answer = asker.ask(session, SUMMARY, context)
    again = [record for record in answer.records if "asked_again" in record.repairs]
    assert again or all(record.is_truncated or record.is_repeated for record in answer.records)
    assert answer.usage.num_prompt_tokens == 2 * len(asker.model.vocabulary.suffix_ids(SUMMARY.fill(context)))


def test_the_better_answer_counts():
    """The second only where it has fewer faults; what the first took is never forgotten."""
    flawed = Record(SummaryAnswer(summary="a"), 0.5, 0.0, is_truncated=True, is_repeated=False)
    sound = replace(flawed, is_truncated=False)
    first = Piece((0, 9), "a", (flawed, flawed), False, Usage(num_prompt_tokens=10, num_output_tokens=100))
    assert better(first, replace(first, records=(flawed, sound))).records == (
        flawed.repaired("asked_again"),
        sound.repaired("asked_again"),
    )
    assert better(first, first).records == (flawed, flawed)
    assert better(first, replace(first, is_cut_short=True)).records == (flawed, flawed)
    used = better(first, first).usage
    assert (used.num_output_tokens, used.num_again_tokens) == (200, 100)


def test_records_that_end_with_their_tokens_make_the_video_partial(asker, session, context):
    """What is there counts, and a row says what may be missing."""
    answer = asker.ask(session, replace(SCENES, max_new_tokens=450), replace(context, roster=()))
    assert answer.num_cut_short == 1
    assert spans_ms(answer)[-1][1] == 100_000
    bundle = bundle_of(answer)
    assert bundle.videos[0].is_partial
    assert [(f.code, f.action) for f in bundle.failures] == [("cut_short", "kept_valid_part")]
    assert len(bundle.scenes) == len(answer.records)


def test_rows_without_a_picture_are_not_grounded(asker, session, context):
    """A scene between two pictures far apart says that the model saw nothing of it."""
    answer = asker.ask(session, replace(SCENES, max_new_tokens=900), replace(context, roster=()))
    bundle = bundle_of(answer, sampled_ms=(0,))
    assert [scene.is_grounded for scene in bundle.scenes] == [
        scene.model_start_ms == 0 for scene in bundle.scenes
    ]


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


def bundle_of(*answers: PromptAnswer, sampled_ms: tuple[int, ...] = tuple(range(0, 100_000, 5000))):
    info = replace(FILM, duration_ms=100_000, num_frames=2500)
    analysis = Analysis(info, SamplingGrid(Fraction(5), 20), sampled_ms, (), answers)
    recipe = Recipe("m", "r", "auto", Fraction(1), 2048, load_packs())
    work = Work(VideoObject("/a.mp4", 1, 1), "key", Reason.NEW, max_frames=2048)
    builder = RowBuilder(work, recipe, "run", datetime.now(UTC))
    return builder.bundle(analysis, builder.answer_rows(analysis, {}))
