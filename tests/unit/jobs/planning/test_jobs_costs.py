"""Estimates: rates fitted to attempts, what settings ask, and the ceiling for one video."""

import tempfile
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from jobs.attempts.work import Work
from jobs.failures import VideoFailureError
from jobs.planning.ceiling import Ceiling
from jobs.planning.costs.asked import FrameSampling, asked_of
from jobs.planning.costs.headers import read_headers
from jobs.planning.costs.shapes import Shapes
from jobs.planning.costs.video_costs import Attempts, fit_costs
from jobs.settings.limits import CostLimit
from jobs.workers.reading.spans import Source, open_video
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.recipe import Budget
from storage.library.library import open_library
from storage.library.selection import Selection
from videoxl2.network.configs.picture_size import PixelBudget, Squares, qwen3_pictures

BUDGETS = {
    "summary": Budget(max_new_tokens=100, window_ms=None),
    "scenes": Budget(max_new_tokens=4000, window_ms=240_000),
}
SAMPLING = FrameSampling(1.0, 2048, is_split=False)


def attempts(durations_s, sampling=SAMPLING, budgets=BUDGETS) -> Attempts:
    """Of a model that takes 2 s a video, 0.1 s a picture, 0.5 s a question, 0.01 s a token; it writes a tenth
    of what it may, and 20 tokens with each answer."""
    asked = asked_of(1000 * np.array(durations_s, float), sampling, budgets)
    tokens = 20 * asked.questions + 0.1 * asked.token_room
    generate_s = 0.5 * asked.questions + 0.01 * tokens
    return Attempts(
        asked,
        tokens,
        np.zeros_like(tokens),
        1.5 + 0.1 * asked.frames,
        generate_s,
        np.full(len(durations_s), 0.5),
    )


@pytest.mark.parametrize(
    ("sampling", "budgets"),
    [
        (SAMPLING, BUDGETS),
        (FrameSampling(2.0, 2048, False), BUDGETS),
        (FrameSampling(0.5, 60, False), BUDGETS),
        (FrameSampling(1.0, 300, True), BUDGETS),
        (SAMPLING, {"plates": Budget(max_new_tokens=500, window_ms=60_000)}),
        (SAMPLING, {"summary": BUDGETS["summary"]}),
    ],
)
def test_rates_hold_for_other_settings_than_those_they_come_from(sampling, budgets):
    """More pictures, fewer, sections, other questions: of films of other lengths, too."""
    costs = fit_costs(attempts([30, 60, 90, 200, 600, 1500]))
    others = attempts([45, 300, 4000], sampling, budgets)
    took = others.prefill_s + others.generate_s + others.other_s
    assert costs.seconds(others.asked) == pytest.approx(took, rel=1e-6)


def test_pictures_in_their_own_shape_cost_what_their_tokens_do():
    """Small and tall videos and other budgets, by a rate that wide ones told; unknown ones are 16:9."""
    own = replace(SAMPLING, pictures=qwen3_pictures(16))
    lengths_ms = 1000 * np.array([30.0, 60, 90, 200, 600, 1500, 9000])
    wide = Shapes(np.full(7, 1280.0), np.full(7, 720.0))

    def took(asked):
        return 2 + 0.01 * asked.frames + 0.003 * asked.visual_tokens + 0.5 * asked.questions

    asked = asked_of(lengths_ms, own, {"summary": BUDGETS["summary"]}, shapes=wide)
    assert asked.visual_tokens[1] == 60 * 15 * 26 / 2  # 480 x 832 pixels, in tokens of 32 x 32 for two frames
    none = np.zeros_like(lengths_ms)
    costs = fit_costs(Attempts(asked, none, none, took(asked) - 0.5, np.full(7, 0.5), none))
    for sampling, shapes in (
        (own, Shapes(np.full(7, 96.0), np.full(7, 128.0))),
        (replace(own, pictures=own.pictures.within(PixelBudget(5000))), wide),
    ):
        other = asked_of(lengths_ms, sampling, {"summary": BUDGETS["summary"]}, shapes=shapes)
        assert costs.seconds(other) == pytest.approx(took(other), rel=1e-6)
        assert (other.visual_tokens < asked.visual_tokens)[:-1].all()
    unknown, usual = (
        asked_of(lengths_ms, own, BUDGETS, shapes=shapes)
        for shapes in (None, Shapes(np.full(7, 1920.0), np.full(7, 1080.0)))
    )
    assert unknown.visual_tokens.tolist() == usual.visual_tokens.tolist()


def test_films_of_one_length_still_have_rates():
    """What cannot be told apart is not made up: the videos come out right, and no rate is below 0."""
    same = attempts([60, 60, 60])
    costs = fit_costs(same)
    assert costs.seconds(same.asked).sum() == pytest.approx(
        (same.prefill_s + same.generate_s + same.other_s).sum()
    )
    assert min(costs.video_s, costs.frame_s, costs.question_s, costs.token_s) >= 0


def test_many_videos_take_together_what_they_took():
    """However the single ones scatter; the worst of ten says by how much."""
    scatter = np.random.default_rng(1).uniform(0.5, 1.5, 200)
    films = attempts(np.linspace(10, 900, 200))
    noisy = replace(films, prefill_s=films.prefill_s * scatter)
    costs = fit_costs(noisy)
    took = noisy.prefill_s + noisy.generate_s + noisy.other_s
    assert costs.seconds(noisy.asked).sum() == pytest.approx(took.sum())
    assert 1.0 < costs.worst < 1.6


def test_how_much_is_answered_is_told_by_attempts_at_the_same_questions():
    """Where there are any: "none" to every question about alarms says little of a breakdown into scenes."""
    plates = {"plates": Budget(max_new_tokens=500, window_ms=60_000)}
    others, alike = attempts([30, 60, 90, 200, 600]), attempts([60, 120, 300], budgets=plates)
    alike = replace(alike, tokens=np.full(3, 2.0), generate_s=np.full(3, 0.25))
    costs = fit_costs(Attempts.of([others, alike]), alike)
    wanted = attempts([45, 300, 4000], budgets=plates).asked
    guessed = fit_costs(others).tokens(wanted)
    assert costs.tokens(wanted).sum() < guessed.sum() / 4
    assert costs.frame_s == pytest.approx(0.1, rel=1e-6), "pictures cost what they cost all"


def test_the_longest_film_asked_again_is_not_what_others_are_expected_to_take():
    """Answers with faults are asked twice: a chance of every film, however long the one that had it."""
    usual = attempts([10, 20, 30, 15, 45, 25, 80, 12])
    again = np.where(usual.asked.frames == 80, usual.tokens, 0.0)
    costs = fit_costs(replace(usual, tokens=usual.tokens + again, again_tokens=again))
    assert costs.again_share == pytest.approx(1)
    extra = costs.tokens(usual.asked) / usual.tokens - 1
    assert extra.sum() == pytest.approx(1, rel=0.01), "one of eight, whichever"
    assert extra.argmax() == usual.asked.frames.argmax(), "and rather a long one than a short one"
    assert costs.tokens(usual.asked).sum() < (usual.tokens + 0.75 * again).sum()


def test_sampling_counts_pictures_as_the_reader_does():
    """Every 1/fps seconds, thinned out to the bound, or in sections that share a part."""
    lengths_ms = np.array([200, 10_000, 5_000_000])
    assert FrameSampling(1.0, 2048, False).frames(lengths_ms)[0].tolist() == [1, 10, 2048]
    assert FrameSampling(2.0, 2048, False).frames(lengths_ms)[0].tolist() == [1, 20, 2048]
    frames, sections = FrameSampling(1.0, 2048, True).frames(lengths_ms)
    assert sections.tolist() == [1, 1, 3]
    assert frames.tolist() == [1, 10, 5000 + 2 * 512]


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("20m", CostLimit("20m", seconds=1200)),
        ("1h30m", CostLimit("1h30m", seconds=5400)),
        ("1.50 usd", CostLimit("1.50usd", usd=1.5)),
        ("600 frames", CostLimit("600frames", frames=600)),
    ],
)
def test_a_ceiling_is_time_money_or_pictures(text, limit):
    """With a unit: a bare number could be any of them."""
    assert CostLimit.parse(text) == limit
    with pytest.raises(ValueError, match="20m"):
        CostLimit.parse("600")


def test_what_is_above_the_ceiling_is_refused_with_its_figures():
    """Twenty hours in three kilobytes are 2,048 pictures like any other twenty hours."""
    hours = 20 * 3_600_000
    by_frames = Ceiling(CostLimit.parse("600frames"), SAMPLING, BUDGETS, None, None)
    assert by_frames.objection(600_000, None) is None
    told = by_frames.objection(hours, None)
    assert told == "20.0 h of video, 2,048 pictures: more than --max-cost-per-video 600frames"
    costs = fit_costs(attempts([30, 60, 90, 200, 600, 1500]))
    by_time = Ceiling(CostLimit.parse("4m"), SAMPLING, BUDGETS, costs, 240.0)
    assert by_time.objection(600_000, None) is None
    assert "about" in by_time.objection(hours, None)
    assert by_time.objection(hours, ("summary",)) is None, "what is asked counts"


@pytest.fixture
def library(tmp_path):
    """A film of two pictures, ten hours each, one of three seconds, and two files that say nothing."""
    for name, last_s in (("day.mp4", 72_000), ("short.mp4", 3)):
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream("libx264", rate=1, options={"bf": "0"})
            stream.width = stream.height = 64
            for second in (0, last_s // 2, last_s - 1):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                frame.pts, frame.time_base = second, Fraction(1)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("no video")
    assert (tmp_path / "day.mp4").stat().st_size < 4000
    return tmp_path


def test_headers_say_how_long_a_video_is(library, tmp_path_factory, monkeypatch):
    """In the order asked; what cannot be read, or is not there, is unknown. Nothing stays behind."""
    temporary = tmp_path_factory.mktemp("tmp")
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)  # found anew
    opened = open_library(str(library))
    videos = [*opened.list_videos(Selection()), VideoObject(f"{library}/gone.mp4", 1, 1)]
    day, empty, short, text, gone = read_headers(opened, videos)
    assert (empty, text, gone) == (None, None, None)
    assert day.ms == pytest.approx(72_000_000, rel=0.01)
    assert short.ms == pytest.approx(3000, abs=1500)
    assert (day.width, day.height, day.pixels, day.has_sound) == (64, 64, 64 * 64, False)
    assert day.pictures == pytest.approx(3, rel=0.01), "not as many as other films have in a day"
    assert list(temporary.iterdir()) == []


def test_a_run_refuses_what_the_plan_could_not_know(library, tmp_path):
    """Where the true length shows: left to a run that may spend more, without a failure to count."""
    ceiling = Ceiling(CostLimit.parse("600frames"), SAMPLING, BUDGETS, None, None)
    opened = open_library(str(library))
    source = Source(opened, tmp_path, Fraction(1), Squares(64, 4), ceiling=ceiling)
    videos = {video.uri.rpartition("/")[2]: video for video in opened.list_videos(Selection())}
    works = {name: Work(video, "key", Reason.NEW, max_frames=2048) for name, video in videos.items()}
    assert open_video(source, works["short.mp4"]).grid.num_targets == 3
    with pytest.raises(VideoFailureError) as caught:
        open_video(source, works["day.mp4"])
    failure = caught.value.failure
    assert failure.code == "too_costly"
    assert "2,048 pictures: more than --max-cost-per-video 600frames" in failure.message
    assert (failure.counts, failure.can_retry, failure.may_be_everywhere) == (False, False, False)


def test_a_clock_that_jumps_is_not_refused_for_the_hours_between(tmp_path):
    """Two recordings in one transport stream, the second one's clock ten hours later: twenty seconds."""
    content = b""
    for first in (10, 36_000):
        path = tmp_path / "part.ts"
        with av.open(str(path), "w", options={"mpegts_copyts": "1"}) as container:
            stream = container.add_stream("mpeg2video", rate=25)
            stream.width = stream.height = 64
            for number in range(250):
                frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
                frame.pts, frame.time_base = first * 25 + number, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        content += path.read_bytes()
        path.unlink()
    (tmp_path / "jump.ts").write_bytes(content)
    opened = open_library(str(tmp_path))
    (said,) = read_headers(opened, list(opened.list_videos(Selection())))
    assert (length_ms := said.ms) == 20_000
    assert said.pictures == 500
    ceiling = Ceiling(CostLimit.parse("600frames"), SAMPLING, BUDGETS, None, None)
    assert ceiling.objection(length_ms, None) is None
    assert ceiling.objection(36_010_000, None) is not None
