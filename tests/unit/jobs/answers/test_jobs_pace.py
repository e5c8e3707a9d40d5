"""A checkpoint that counts frames: it is told times of its own, and every row has those of the video."""

import json
from dataclasses import replace
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from beside_film import FILM
from tiny_network import write_tiny_checkpoint

from jobs.answers.analysis import analyze
from jobs.answers.asking import Asker
from jobs.prompts.pack import load_packs
from jobs.prompts.program.times import AnswerContext, Times
from jobs.prompts.said import SaidLine
from schemas.answers import SceneAnswer, Tiles, TimedAnswer
from videoxl2 import CheckpointError
from videoxl2.frames import FrameSpan, SamplingGrid
from videoxl2.generate.models.loading import load_model
from videoxl2.generate.prefill.chunked import PrefillOptions
from videoxl2.network.configs.config import ModelConfig
from videoxl2.network.configs.config_file import read_config
from videoxl2.network.configs.pace import REAL_TIME, Pace
from videoxl2.network.configs.source import revision_of

NUM_FRAMES = 16
SUMMARY, _, SCENES, HIGHLIGHTS = load_packs()
PROMPTS = (SUMMARY, replace(SCENES, max_new_tokens=480), replace(HIGHLIGHTS, max_new_tokens=300))


def counting(folder, seconds=1):
    """The checkpoint, which says that a frame is so many seconds to it."""
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"mm_seconds_per_frame": seconds}))
    return folder


@pytest.fixture(scope="module")
def asker(tmp_path_factory):
    return Asker(load_model(write_tiny_checkpoint(tmp_path_factory.mktemp("real"), seed=5)))


@pytest.fixture(scope="module")
def counter(tmp_path_factory):
    """The same weights."""
    return Asker(load_model(counting(write_tiny_checkpoint(tmp_path_factory.mktemp("counted"), seed=5))))


def analysis(asker, step_ms, prompts=PROMPTS, section_frames=None):
    """What is said of sixteen frames of noise that are so far apart."""
    side, noise = asker.model.image_size, np.random.default_rng(1)
    spans = [
        FrameSpan(
            first,
            noise.integers(0, 255, (4, side, side, 3), np.uint8),
            np.arange(first, first + 4) * step_ms,
            np.arange(first, first + 4, dtype=np.int32),
            np.zeros(4, np.uint8),
            (),
            0.0,
        )
        for first in range(0, NUM_FRAMES, 4)
    ]
    info = replace(FILM, duration_ms=NUM_FRAMES * step_ms)
    grid = SamplingGrid(Fraction(step_ms, 1000), NUM_FRAMES)
    return analyze(asker, info, grid, spans, prompts, section_frames)


def timed(one):
    """Start and end of every record, by prompt."""
    return [
        [(r.answer.start_ms, r.answer.end_ms) for r in answer.records if isinstance(r.answer, TimedAnswer)]
        for answer in one.answers
    ]


@pytest.mark.parametrize("section_frames", [None, 8])
def test_a_frame_is_a_second_to_it(asker, counter, section_frames):
    """The same words with the same confidence, at three quarters of the times: stamps, prompts and answers
    are counted, also where a video is taken in sections."""
    prompts = (SUMMARY, replace(HIGHLIGHTS, max_new_tokens=300))
    real = analysis(asker, 1000, prompts, section_frames)
    counted = analysis(counter, 750, prompts, section_frames)
    assert any(timed(real)) or section_frames
    assert [a.text for a in counted.answers] == [a.text for a in real.answers]
    assert [[(4 * a, 4 * b) for a, b in spans] for spans in timed(counted)] == [
        [(3 * a, 3 * b) for a, b in spans] for spans in timed(real)
    ]
    for a, b in zip(counted.answers, real.answers, strict=True):
        assert [r.confidence for r in a.records] == [r.confidence for r in b.records]
        assert [r.video_gain for r in a.records] == [r.video_gain for r in b.records]
    assert counted.sampled_ms == tuple(range(0, 12_000, 750))


@pytest.mark.parametrize(("step_ms", "every"), [(500, 2), (300, 3)])
def test_frames_between_are_left_out(asker, counter, step_ms, every):
    """Answers rest on those that were shown, and rows say how many these are."""
    counted = analysis(counter, step_ms)
    assert counted.sampled_ms == tuple(range(0, NUM_FRAMES * step_ms, every * step_ms))
    assert counted.grid == SamplingGrid(Fraction(every * step_ms, 1000), len(counted.sampled_ms))
    assert {ms % (every * step_ms) for spans in timed(counted) for a, b in spans for ms in (a, b)} <= {
        0,
        NUM_FRAMES * step_ms % (every * step_ms),
    }
    if step_ms == 500:
        side, noise = asker.model.image_size, np.random.default_rng(1)
        frames = np.concatenate([noise.integers(0, 255, (4, side, side, 3), np.uint8) for _ in range(4)])
        seldom = SimpleNamespace(frames=frames[::2], pts_ms=np.arange(8) * 1000)
        session = asker.model.prefill([seldom])
        context = AnswerContext(8000, session.frame_times_ms, window_ms=(0, 8000))
        assert asker.ask(session, SUMMARY, context) == counted.answers[0]


@pytest.mark.parametrize(("step_s", "held"), [("2", 2), ("3", 3), ("5/2", 2), ("10", 10)])
def test_a_frame_is_shown_as_long_as_it_stands_for(asker, counter, step_s, held):
    """Keys and values are those of a video in which every frame comes so often, a second from one to the
    next; times to choose from are those of the frames that there are."""
    step_s, side = Fraction(step_s), counter.model.image_size
    frames = np.random.default_rng(2).integers(0, 255, (11, side, side, 3), np.uint8)
    real_ms = np.array([round(1000 * n * step_s) for n in range(11)])
    options = PrefillOptions(step_s=step_s, expected_frames=11)
    spans = [SimpleNamespace(frames=frames[n : n + 5], pts_ms=real_ms[n : n + 5]) for n in (0, 5, 10)]
    counted = counter.model.prefill(spans, prefill=options)
    often = SimpleNamespace(frames=frames.repeat(held, axis=0), pts_ms=np.arange(11 * held) * 1000)
    whole = asker.model.prefill([often])
    assert counted.layout == whole.layout
    for layer in range(counted.cache.shape.num_layers):
        for a, b in zip(*(each.cache.read(layer, each.layout.end) for each in (counted, whole)), strict=True):
            assert torch.equal(a, b)
    assert counted.frame_times_ms == tuple(real_ms)
    assert len(counted.group_times_ms) == len(whole.group_times_ms)
    assert set(counted.group_times_ms) <= set(counted.frame_times_ms)
    assert counted.pace.told_ms(int(real_ms[-1])) == 10 * held * 1000


def test_times_are_real_unless_a_checkpoint_counts(asker, counter):
    """Half a second apart the same frames are told otherwise; at one a second a count is the time."""
    prompts = (SUMMARY, replace(SCENES, max_new_tokens=480))
    assert analysis(counter, 1000, prompts).answers == analysis(asker, 1000, prompts).answers
    first, second = (analysis(each, 500, (SUMMARY,)).answers[0] for each in (asker, counter))
    assert first.records[0].confidence != second.records[0].confidence


def test_scenes_cover_a_video_at_any_rate(counter):
    """Without gap or overlap, from frame to frame."""
    for step_ms in (300, 2500):
        [answer] = analysis(counter, step_ms, PROMPTS[1:2]).answers
        [spans] = timed(analysis(counter, step_ms, PROMPTS[1:2]))
        assert answer.problem is None
        assert [a for a, _ in spans] == [0, *(b for _, b in spans[:-1])]
        assert {a % step_ms for a, _ in spans} == {0}
        assert spans[-1][1] == NUM_FRAMES * step_ms


@pytest.mark.parametrize("fps", ["1/2", "2/3", "3/2", "24000/1001"])
def test_every_frame_has_a_second_of_its_own_and_gets_its_time_back(fps):
    """Whatever the rate, to the millisecond; borders of windows and the video's end as well."""
    step_s = 1 / Fraction(fps)
    pace = Pace(Fraction(fps))
    frames_ms = tuple(round(1000 * n * step_s) for n in range(120))
    duration_ms = round(1000 * (120 * step_s - step_s / 4))
    times = Times.of(AnswerContext(duration_ms, frames_ms, pace=pace))
    assert times.stamps == tuple(range(0, 1200, 10))
    assert [times.instant_ms(stamp) for stamp in times.stamps] == list(frames_ms)
    assert times.instant_ms(times.last) == duration_ms
    assert 1195 <= times.last <= 1198
    window = Times.of(
        AnswerContext(duration_ms, frames_ms, window_ms=(frames_ms[30], frames_ms[60]), pace=pace)
    )
    assert (window.first, window.last, len(window.stamps)) == (300, 600, 30)
    assert window.meant_ms(59_000) == frames_ms[59]


@pytest.mark.parametrize("factor", [Fraction(1, 2), Fraction(2)])
def test_bounds_of_an_answer_are_real_time(factor):
    """How many records there are, and how short or long, does not follow how often a film was looked at."""
    step_ms = round(1000 / factor)
    context = AnswerContext(100_000, tuple(range(0, 100_000, step_ms)), pace=Pace(factor))
    times, real = Times.of(context), Times.of(replace(context, pace=REAL_TIME))
    tiles = Tiles(at_most=40, usual_s=8.0, shortest_s=4.0)
    assert times.max_tiles(tiles) == real.max_tiles(tiles) == 13
    ends = [times.instant_ms(end) for end in times.tile_ends(tiles, times.first, is_last=False)]
    assert ends == [real.instant_ms(end) for end in real.tile_ends(tiles, real.first, is_last=False)]
    assert ends[0] == 4000


def test_prompts_tell_times_at_the_models_pace():
    """The window, scenes found before and what is said: all of them as the stamps."""
    scene = SceneAnswer(
        start_ms=10_000,
        end_ms=12_500,
        title="A walk",
        summary="They walk.",
        setting="street",
        time_of_day="day",
        mood="calm",
        actions=[],
        objects=[],
        tags=[],
        characters=[],
    )
    context = AnswerContext(
        90_000,
        (0,),
        window_ms=(9000, 60_000),
        scenes=(scene,),
        said=(SaidLine(20_000, 21_000, "Go."),),
        pace=Pace(Fraction(2)),
    )
    told = HIGHLIGHTS.fill(context)
    assert "between 18.0 and 120.0 seconds" in told
    assert "20.0 - 25.0 seconds: A walk" in told
    [captioned] = (one for one in load_packs(["captioned"]) if one.name == "summary")
    assert "40.0 - 42.0 seconds: Go." in captioned.fill(context)


def test_a_checkpoint_says_in_its_config_that_it_counts(tmp_path):
    """Published ones do not; another value is another revision, so answers made before are stale."""
    folder = write_tiny_checkpoint(tmp_path)
    assert read_config(folder).frame_s is None
    assert ModelConfig().pace(Fraction(1, 2)) == REAL_TIME
    before = revision_of(folder)
    assert read_config(counting(folder, 0.5)).pace(Fraction(2, 3)).factor == Fraction(3, 4)
    assert revision_of(folder) != before
    load_model(folder).save_pretrained(tmp_path / "saved")
    assert read_config(tmp_path / "saved").frame_s == Fraction(1, 2)


@pytest.mark.parametrize(
    ("family", "seconds"), [("Video-XL-2", 0), ("Video-XL-2", "often"), ("LLaVA-Video", 1)]
)
def test_a_count_that_cannot_be_is_refused(tmp_path, family, seconds):
    """Of no seconds, and by a model that has no stamps."""
    folder = counting(write_tiny_checkpoint(tmp_path, family=family), seconds)
    with pytest.raises(CheckpointError, match="has an unusable value"):
        read_config(folder)
