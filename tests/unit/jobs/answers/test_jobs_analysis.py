"""A video analysed in sections: scenes join up, names go on, and the end of a section cuts nothing."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from beside_film import FILM
from tiny_network import write_tiny_checkpoint

from jobs.answers.analysis import analyze
from jobs.answers.asking import Asker, PromptAnswer
from jobs.prompts.kv import BiLevelKv
from jobs.prompts.pack import load_packs
from schemas.answers import CharacterAnswer, SceneAnswer
from videoxl2.frames import FrameSpan, SamplingGrid
from videoxl2.generate.models.loading import load_model
from videoxl2.generate.session import Session

SUMMARY, CHARACTERS, SCENES, HIGHLIGHTS = load_packs()
KV = BiLevelKv(compression=2, dense_chunks=1, chunk_groups=1)
GRID = SamplingGrid(Fraction(1), 31)
LENGTH_MS = 30_400
INFO = replace(FILM, duration_ms=LENGTH_MS, num_frames=760)


@pytest.fixture(scope="module")
def asker(tmp_path_factory):
    """Untrained weights: whatever holds for them holds by construction."""
    return Asker(load_model(write_tiny_checkpoint(tmp_path_factory.mktemp("weights"), seed=5)))


def spans(size: int, num_frames: int = 31, per_span: int = 4) -> list[FrameSpan]:
    """Half a minute of noise, a picture a second."""
    noise = np.random.default_rng(1)
    return [
        FrameSpan(
            first,
            noise.integers(0, 255, (stop - first, size, size, 3), np.uint8),
            np.arange(first, stop) * 1000,
            np.arange(first, stop, dtype=np.int32),
            np.zeros(stop - first, np.uint8),
            (),
            0.0,
        )
        for first in range(0, num_frames, per_span)
        for stop in [min(first + per_span, num_frames)]
    ]


def spans_ms(answer: PromptAnswer) -> list[tuple[int, int]]:
    said: list[Any] = [record.answer for record in answer.records]
    return [(one.start_ms, one.end_ms) for one in said]


@pytest.mark.parametrize("section_frames", [None, 16])
def test_scenes_join_up_over_sections(asker, section_frames):
    """They cover the whole video without gap or overlap, however many sections it takes."""
    prompts = (replace(CHARACTERS, max_new_tokens=400), replace(SCENES, max_new_tokens=480, window_ms=10_000))
    grid = SamplingGrid(Fraction(1), 31)
    analysis = analyze(asker, INFO, grid, spans(asker.model.image_size), prompts, section_frames)
    characters, scenes = analysis.answers
    assert scenes.problem is None
    times = spans_ms(scenes)
    assert [start for start, _ in times] == [0, *(end for _, end in times[:-1])]
    assert times[-1][1] == LENGTH_MS
    assert analysis.sampled_ms == tuple(range(0, 31_000, 1000))
    assert analysis.shown == (asker.model.image_size, asker.model.image_size)
    labels = [r.answer.label.casefold() for r in characters.records if isinstance(r.answer, CharacterAnswer)]
    assert len(labels) == len(set(labels))
    named = {
        name.casefold()
        for r in scenes.records
        if isinstance(r.answer, SceneAnswer)
        for name in r.answer.characters
    }
    assert named <= set(labels)


def test_sections_answer_every_prompt_once(asker):
    """One summary out of all sections, and what it cost together."""
    grid = SamplingGrid(Fraction(1), 31)
    size = asker.model.image_size
    whole = analyze(asker, INFO, grid, spans(size), (SUMMARY,))
    sections = analyze(asker, INFO, grid, spans(size), (SUMMARY,), 12)
    assert len(whole.answers) == len(sections.answers) == 1
    assert len(whole.answers[0].records) == 1
    assert len(sections.answers[0].records) == 4
    assert sections.answers[0].usage.num_output_tokens > whole.answers[0].usage.num_output_tokens


def test_a_film_of_one_picture_has_answers(asker):
    """Shorter than the tenth of a second that answers count in, and still asked about once."""
    info = replace(INFO, duration_ms=40, num_frames=1)
    given = spans(asker.model.image_size, num_frames=1)
    scenes = replace(SCENES, max_new_tokens=480)
    (answer,) = analyze(asker, info, SamplingGrid(Fraction(1), 1), given, [scenes]).answers
    assert answer.problem is None
    times = spans_ms(answer)
    assert times[0][0] == 0
    assert all(end > start for start, end in times)


@pytest.fixture
def selected(monkeypatch):
    """The selections of each batch of prompts."""
    batches = []
    start_rows = Session.start_rows

    def noted(self, num_rows, selections=(), *, room=0):
        batches.append(tuple(selections))
        return start_rows(self, num_rows, selections, room=room)

    monkeypatch.setattr(Session, "start_rows", noted)
    return batches


def test_a_window_stays_dense_and_a_whole_video_is_searched(asker, selected):
    """Of 8 chunks of 4 s a window keeps its own, first and last; without windows the best one is found."""
    prompts = (SUMMARY, replace(SCENES, max_new_tokens=480, window_ms=10_000))
    analysis = analyze(Asker(asker.model, KV), INFO, GRID, spans(asker.model.image_size), prompts)
    (whole,) = selected[0]
    assert len(whole.dense) == 3
    assert len(whole.scores) == 8
    windows = next(batch for batch in selected if len(batch) == 3)
    assert [one.dense for one in windows] == [(1, 2, 3, 8), (1, 3, 4, 5, 8), (1, 6, 7, 8)]
    assert {(one.scores, one.compression) for one in windows} == {((), 2)}
    times = spans_ms(analysis.answers[1])
    assert [start for start, _ in times] == [0, *(end for _, end in times[:-1])]
    assert times[-1][1] == LENGTH_MS
    assert all(0 < r.confidence <= 1 for answer in analysis.answers for r in answer.records)


def test_chunks_are_those_of_the_section(asker, selected):
    """A section has keys and values of its own: its chunks begin where it does."""
    info, given = replace(INFO, duration_ms=20_400), spans(asker.model.image_size, num_frames=21)
    whole = Asker(asker.model, replace(KV, dense_chunks=0))
    analyze(whole, info, GRID, given, [SUMMARY], section_frames=12)
    chosen = {batch[0] for batch in selected}  # asked twice where an answer has a fault
    assert {(one.chunks[0].start_ms, len(one.scores)) for one in chosen} == {(0, 3), (8000, 3), (16_000, 0)}
