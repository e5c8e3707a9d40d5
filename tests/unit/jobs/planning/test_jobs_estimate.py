"""What a plan says it will take, from the attempts that an index holds: real index, no video read."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from places import DATA

from jobs.planning.ceiling import split_costly
from jobs.planning.costs import lengths
from jobs.planning.costs.expected import expect
from jobs.planning.costs.history import read_history
from jobs.planning.costs.shapes import Shapes, shapes_of
from jobs.planning.estimate import estimate_of
from jobs.planning.lines import estimate_lines
from jobs.planning.plan import NIGHTLY, preview
from jobs.planning.preflight import check_plan
from jobs.settings.config import Settings, resolve
from jobs.signals.captions import Captions
from jobs.signals.cues import Cues
from jobs.signals.shots import Shots
from jobs.signals.signal import USUAL_TALK, Look
from jobs.signals.speech import SpeechSignal
from jobs.signals.strip import Strips
from jobs.signals.watching import PASS_COSTS
from schemas.commit import Commit, RunRecord
from schemas.failures import AttemptOutcome, UsageError
from schemas.identity import VideoObject
from schemas.measured import SpeechTrack
from schemas.plan import Reason
from schemas.rows import Lineage
from schemas.tables import Attempt, Run, SignalSeconds
from storage.index.commits.bundles import encode_bundle
from storage.index.index import open_index
from storage.query.catalog import open_catalog
from videoxl2.frames.probing.stated import Stated
from videoxl2.network.configs.picture_size import PixelBudget, qwen3_pictures

PARROT = DATA / "parrot"
BEGAN = datetime(2026, 11, 21, tzinfo=UTC)
SPEECH = SpeechSignal("tiny.en", Path("/weights"), "abc", 75_500_000, (("ctranslate2", "4.8.5"),))
LENGTHS_S = (30, 60, 90, 200, 600, 1500)


@pytest.fixture
def settings(tmp_path):
    """Of a library whose three files are 60 s, 600 s and 20 h long, as attempts in vain have found."""
    (tmp_path / "films").mkdir()
    for name in ("a", "b", "day"):
        (tmp_path / "films" / f"{name}.mp4").write_text(name)

    def make(**changes: object) -> Settings:
        where = {"library": str(tmp_path / "films"), "index": str(tmp_path / "index"), "model": str(PARROT)}
        return resolve({**where, **changes})

    return make


def attempts_of(make_row, recipe_id: str, answers_s: float, run_id: str = "r") -> list[Attempt]:
    """One after the other, from 5 s after the run began."""
    at = BEGAN + timedelta(seconds=5)
    attempts = []
    for length_s in LENGTHS_S:
        seconds = 1 + answers_s + 0.1 * length_s
        attempts.append(
            make_row(
                Attempt,
                run_id=run_id,
                recipe_id=recipe_id,
                plan_reason="new",
                outcome=AttemptOutcome.INDEXED,
                started_at=at,
                seconds=seconds,
                device="cpu",
                prefill_seconds=0.1 * length_s + 0.5,
                generate_seconds=answers_s,
                finish_seconds=0.0,
                video_ms=length_s * 1000,
                num_frames=length_s,
                num_output_tokens=100,
                num_again_tokens=0,
            )
        )
        at += timedelta(seconds=seconds)
    return attempts


@pytest.fixture
def history(settings, make_row):
    """Two actors' attempts: 1 s a video, 0.1 s a picture, 2 s for the answers; 7 s without any video."""
    recipe = check_plan(settings()).recipe
    index = open_index(settings().index, create=True)
    index.declare_recipe(recipe.record)
    attempts = attempts_of(make_row, recipe.recipe_id, answers_s=2.0)
    at = attempts[-1].started_at + timedelta(seconds=attempts[-1].seconds)
    for name, length_s in (("a", 60), ("b", 600), ("day", 72_000)):
        path = Path(settings().library) / f"{name}.mp4"
        found = path.stat()
        video = VideoObject(str(path), found.st_size, found.st_mtime_ns)
        ids = {"video_id": video.video_id, "object_rev": video.object_rev}
        outcome = {"outcome": AttemptOutcome.NEXT_RUN, "video_ms": length_s * 1000}
        attempts.append(
            make_row(Attempt, run_id="r", plan_reason="new", started_at=at, seconds=0.0, **ids, **outcome)
        )
    ended = at + timedelta(seconds=2)
    run = make_row(Run, run_id="r", started_at=BEGAN, ended_at=ended, model_revision=recipe.model_revision)
    index.publish((), [RunRecord(run=run, attempts=tuple(attempts))])


def told(settings: Settings):
    checked, plan = preview(settings, NIGHTLY)
    return plan, estimate_of(plan, checked)


def test_an_estimate_goes_by_what_the_model_would_see(settings, history):
    """Pictures, not seconds of video: a day is 2,048 of them; other rates and bounds count at once."""
    _, usual = told(settings())
    assert usual.num_frames == 60 + 600 + 2048
    assert (usual.num_attempts, usual.num_alike) == (len(LENGTHS_S), len(LENGTHS_S))
    assert usual.video_hours == pytest.approx((660 + 72_000) / 3600)
    _, dense = told(settings(fps="2"))
    assert dense.num_frames == 120 + 1200 + 2048
    _, sparse = told(settings(max_frames=50))
    assert sparse.num_frames == 150
    per_frame_s = (dense.actor_hours[0] - usual.actor_hours[0]) * 3600 / 660
    assert per_frame_s == pytest.approx(0.1, rel=0.01)


def test_what_was_decoded_otherwise_is_a_guess(settings, history, make_row):
    """And counts no more as soon as something was decoded as it is asked for; dense is priced as before."""
    _, dense = told(settings())
    _, guessed = told(settings(kv="bilevel"))
    assert guessed.actor_hours == dense.actor_hours
    lines = {name: "\n".join(estimate_lines(one)) for name, one in (("dense", dense), ("kv", guessed))}
    assert "decoded with this --kv" in lines["kv"]
    assert "--kv" not in lines["dense"]
    recipe = check_plan(settings(kv="bilevel")).recipe
    index = open_index(settings().index)
    index.declare_recipe(recipe.record)
    attempts = attempts_of(make_row, recipe.recipe_id, answers_s=20.0, run_id="pooled")
    ended, revision = BEGAN + timedelta(hours=1), recipe.model_revision
    run = make_row(Run, run_id="pooled", started_at=BEGAN, ended_at=ended, model_revision=revision)
    index.publish((), [RunRecord(run=run, attempts=tuple(attempts))])
    _, known = told(settings(kv="bilevel"))
    assert (known.num_attempts, known.is_decoded_alike) == (len(LENGTHS_S), True)
    before_answers_s = 3 * 1 + 0.1 * (60 + 600 + 2048)
    ten_times, once = (one.actor_hours[0] * 3600 - before_answers_s for one in (known, dense))
    assert ten_times == pytest.approx(10 * once, rel=0.01)
    _, again = told(settings())
    assert again.actor_hours == dense.actor_hours


def test_attempts_decoded_alike_count_however_few_they_are(settings, history, make_row):
    """On another card, too, than most attempts with the same weights."""
    recipe = check_plan(settings(kv="bilevel")).recipe
    index = open_index(settings().index)
    index.declare_recipe(recipe.record)
    (first, *_) = attempts_of(make_row, recipe.recipe_id, answers_s=2.0, run_id="pooled")
    started_at, ended = BEGAN - timedelta(days=30), BEGAN - timedelta(days=29)
    first = first.model_copy(update={"device": "card", "started_at": started_at})
    run = make_row(
        Run, run_id="pooled", started_at=started_at, ended_at=ended, model_revision=recipe.model_revision
    )
    index.publish((), [RunRecord(run=run, attempts=(first,))])
    with open_catalog(settings().index) as catalog:
        history = read_history(catalog, index, recipe)
    assert (history.device, history.num_attempts, history.is_decoded_alike) == ("card", 1, True)


def test_pictures_in_their_own_shape_are_reckoned_by_what_the_index_knows(settings, history, make_film):
    """Width and height of a row, turned upright, or of a header; others are taken as 1920x1080, and said."""
    checked, plan = preview(settings(), NIGHTLY)
    config = replace(checked.weights.config, own_shape=qwen3_pictures(16))
    checked = replace(checked, weights=replace(checked.weights, config=config))
    before = estimate_of(plan, checked)
    assert before.num_shapeless == 3
    said = list(estimate_lines(before))
    assert "       width and height of 3 not known yet: taken as 1920x1080" in said
    (row,) = (n for n, one in enumerate(plan.videos) if one.video.uri.endswith("/a.mp4"))
    video = list(plan.videos)[row].video
    bundle = make_film(video, duration_ms=60_000, width=64, height=128, rotation=270)
    index = open_index(settings().index)
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    shapes = expect(plan.videos, checked, reads_headers=False).shapes
    assert shapes.sides()[row] == (128, 64)
    other = (row + 1) % 3
    headers = {number: Stated(60_000, 1500.0, 640, 360, has_sound=False) for number in (row, other)}
    with open_catalog(settings().index) as catalog:
        shapes = shapes_of(plan.videos, catalog, headers)
    assert (shapes.sides()[row], shapes.sides()[other]) == ((128, 64), (640, 360)), "then by headers"
    after = estimate_of(plan, checked)
    assert after.num_shapeless == 2
    assert after.num_frames == before.num_frames
    assert not any("width and height" in line for line in estimate_lines(told_of_squares(settings)))


def test_attempts_at_videos_of_known_shape_tell_what_a_token_of_pictures_takes(settings, make_film, make_row):
    """Each by the shape in its row and the budget in its recipe: 2 s a video, 0.001 s a token."""
    checked = check_plan(settings())
    rule, recipe = qwen3_pictures(16), replace(checked.recipe, pixels=PixelBudget(at_once=5_000_000))
    index = open_index(settings().index, create=True)
    index.declare_recipe(recipe.record)
    attempts, keys = [], []
    for number, length_s in enumerate(LENGTHS_S):
        width, height, rotation = ((1280, 720, 0), (128, 96, 90))[number % 2]
        shown = (width, height) if not rotation else (height, width)
        video = VideoObject(f"/films/{number}.mp4", 7, number)
        bundle = make_film(video, duration_ms=length_s * 1000, width=width, height=height, rotation=rotation)
        ids = (bundle.commit.video_id, bundle.commit.analysis_key)
        index.commit(*ids, encode_bundle(bundle))
        keys.append(ids)
        size = rule.within(recipe.pixels).size(*shown, length_s)
        attempts.append(
            make_row(
                Attempt,
                run_id="r",
                recipe_id=recipe.recipe_id,
                video_id=video.video_id,
                object_rev=video.object_rev,
                plan_reason="new",
                outcome=AttemptOutcome.INDEXED,
                started_at=BEGAN,
                device="cpu",
                seconds=100.0,
                prefill_seconds=2 + 0.001 * length_s * rule.tokens(size) / 2,
                generate_seconds=1.0,
                video_ms=length_s * 1000,
                num_frames=length_s,
            )
        )
    run = make_row(Run, run_id="r", started_at=BEGAN, ended_at=BEGAN, model_revision=recipe.model_revision)
    index.publish(keys, [RunRecord(run=run, attempts=tuple(attempts))])
    with open_catalog(settings().index) as catalog:
        history = read_history(catalog, index, recipe, rule)
    assert history.costs.visual_s == pytest.approx(0.001, rel=0.01)
    assert history.costs.frame_s == pytest.approx(0, abs=1e-4)


def told_of_squares(settings):
    """The estimate for the model as it is."""
    return told(settings())[1]


def test_questions_that_were_never_asked_are_said_to_be_a_guess(settings, history):
    """How long answers to them are nobody knows."""
    _, usual = told(settings())
    _, other = told(settings(packs=["surveillance"]))
    assert other.num_alike == 0
    assert any("a guess" in line for line in estimate_lines(other))
    assert not any("a guess" in line for line in estimate_lines(usual))


def test_wall_time_has_start_up_and_end(settings, history):
    """Seven seconds of the last run without a video at work, and no more actors than said."""
    _, alone = told(settings())
    assert alone.finish_hours[0] * 3600 == pytest.approx(7 + alone.actor_hours[0] * 3600)
    _, pair = told(settings(num_actors=2))
    longest_s = (2048 * 0.1 + 1) + 1
    assert 7 + longest_s < pair.finish_hours[0] * 3600 < alone.finish_hours[0] * 3600
    _, priced = told(settings(usd_per_gpu_hour=3.0))
    assert priced.usd[0] == pytest.approx(3 * alone.actor_hours[0])


def test_as_many_actors_are_expected_as_worked_at_once_last_time(settings, history, make_row):
    """A plan does not look at the cluster: one actor a GPU is what the latest run had."""
    assert told(settings())[1].num_actors == 1
    index = open_index(settings().index)
    recipe = check_plan(settings()).recipe
    begun = [BEGAN + timedelta(days=1, seconds=s) for s in (0, 1, 2, 60)]
    one = {"run_id": "s", "recipe_id": recipe.recipe_id, "plan_reason": "new", "seconds": 60.0}
    attempts = tuple(make_row(Attempt, **one, started_at=at, finish_seconds=5.0) for at in begun)
    run = make_row(
        Run, run_id="s", started_at=begun[0], ended_at=begun[-1], model_revision=recipe.model_revision
    )
    index.publish((), [RunRecord(run=run, attempts=attempts)])
    assert told(settings())[1].num_actors == 3
    assert told(settings(num_actors=5))[1].num_actors == 5


def test_a_video_out_of_proportion_is_refused_by_name(settings, history):
    """By pictures, time or money; it is counted for what it is, and the rest is planned."""
    for limit in ("1000frames", "2m", "0.10usd"):
        plan, estimate = told(settings(max_cost_per_video=limit, usd_per_gpu_hour=3.0))
        assert plan.summary.reasons == {Reason.NEW: 2, Reason.TOO_COSTLY: 1}
        (refused,) = plan.refused
        assert refused.uri.endswith("/day.mp4")
        assert refused.why.startswith("20.0 h of video, 2,048 pictures, about ")
        assert estimate.num_frames == 660
    with pytest.raises(UsageError, match="price"):
        told(settings(max_cost_per_video="0.10usd"))


def test_no_video_is_refused_by_a_shape_that_nobody_told(settings, history, make_film, monkeypatch):
    """Pictures in their own shape: only a known one is held against time or money."""
    checked, plan = preview(settings(), NIGHTLY)
    config = replace(checked.weights.config, own_shape=qwen3_pictures(16))
    weights = replace(checked.weights, config=config)

    def refused(limit):
        limited = settings(max_cost_per_video=limit, usd_per_gpu_hour=3.0)
        rest, refused, ceiling = split_costly(
            plan.videos, replace(checked, weights=weights, settings=limited)
        )
        assert len(rest) + len(refused) == 3
        assert ceiling.objection(72_000_000, None, Shapes.unknown(1)), "the run looks, who opens the file"
        return [one.uri.rpartition("/")[2] for one in refused]

    assert refused("2m") == refused("0.10usd") == []
    assert refused("1000frames") == ["day.mp4"], "a number of pictures is the same in any shape"
    (day,) = (one.video for one in plan.videos if one.video.uri.endswith("/day.mp4"))
    stated = Stated(60_000, 1500.0, 640, 480, has_sound=False)
    with monkeypatch.context() as patched:
        patched.setattr(
            lengths, "read_headers", lambda _, videos: [stated if one == day else None for one in videos]
        )
        assert refused("2m") == ["day.mp4"], "a header tells the shape, and an attempt the length still"
    bundle = make_film(day, duration_ms=72_000_000, width=640, height=480)
    index = open_index(settings().index)
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    assert refused("2m") == refused("0.10usd") == ["day.mp4"]


def test_without_a_history_only_pictures_can_be_limited(settings):
    """What a video takes is not known yet, and a limit that does nothing would be a lie."""
    plan, _ = told(settings(max_cost_per_video="1000frames"))
    assert plan.summary.reasons == {Reason.NEW: 3}
    assert plan.ceiling.objection(72_000_000, None), "the run looks, whose readers know the length"
    with pytest.raises(UsageError, match="no attempt of this model"):
        told(settings(max_cost_per_video="2m"))


def test_signals_take_time_of_a_cpu_by_the_length_of_the_videos(settings, history, make_row):
    """By what the signal says of itself, until it has been read here; then by that."""
    _, estimate = told(settings(model=None, usd_per_cpu_hour=2.0))
    captions, shots, cues, strip = estimate.signals
    hours = (60 + 600 + 72_000) / 3600
    assert (captions.signal, captions.num_videos) == ("captions", 3)
    assert captions.video_hours == pytest.approx(hours)
    cost = Captions().rough_costs
    expected_s = 3 * cost.video_s + hours * cost.hour_s
    assert captions.cpu_hours * 3600 == pytest.approx(expected_s)
    assert captions.usd == pytest.approx(2 * captions.cpu_hours)
    said = list(estimate_lines(estimate))
    assert any("captions of 3 videos, " in line and "roughly" in line for line in said)
    watched = Shots().rough_costs.seconds(3, hours) + PASS_COSTS.seconds(3, hours)
    assert shots.cpu_hours * 3600 == pytest.approx(watched)
    assert cues.cpu_hours * 3600 == pytest.approx(Cues().rough_costs.seconds(3, hours))
    assert strip.cpu_hours * 3600 == pytest.approx(Strips().rough_costs.seconds(3, hours))
    assert not any("no estimate" in line or "pictures" in line for line in said)


def test_each_signal_goes_by_what_it_took_itself(settings, history, make_row):
    """What one took says nothing about another, nor about the same one with other weights."""
    captions, speech = Captions(), SPEECH
    checked, plan = preview(settings(model=None), NIGHTLY)
    checked = replace(checked, recipe=replace(checked.recipe, signals=(captions, speech)))
    first = estimate_of(plan, checked).signals
    index = open_index(settings().index)
    index.declare_recipe(checked.recipe.record)
    took_s = {
        "captions": 3 * captions.rough_costs.seconds(1, 1),
        "speech": speech.rough_costs.seconds(1, 1) / 2,
    }
    took = make_row(
        Attempt,
        run_id="t",
        recipe_id=checked.recipe.recipe_id,
        plan_reason="stale_signals",
        started_at=BEGAN,
        video_ms=3_600_000,
        signals=[SignalSeconds(signal=name, seconds=seconds) for name, seconds in took_s.items()],
    )
    index.publish((), [RunRecord(run=make_row(Run, run_id="t"), attempts=(took,))])
    then = estimate_of(plan, checked).signals
    assert [one.is_rough for one in (*first, *then)] == [True, True, False, False]
    assert then[0].cpu_hours == pytest.approx(3 * first[0].cpu_hours)
    assert then[1].cpu_hours == pytest.approx(first[1].cpu_hours / 2)
    other = replace(checked.recipe, signals=(captions, replace(speech, revision="other")))
    others = estimate_of(plan, replace(checked, recipe=other)).signals
    assert [one.is_rough for one in others] == [False, True]
    assert others[1].cpu_hours == pytest.approx(first[1].cpu_hours)


def test_the_pass_is_paid_for_once_and_by_what_there_is_to_see(settings, history, make_bundle):
    """Of two signals that watch, the first pays; larger films take longer."""
    checked, plan = preview(settings(model=None), NIGHTLY)
    watching = (Cues(), Captions(), Shadow())
    checked = replace(checked, recipe=replace(checked.recipe, signals=watching))
    hours = (60 + 600 + 72_000) / 3600
    first, _, second = estimate_of(plan, checked).signals
    assert (first.cpu_hours - second.cpu_hours) * 3600 == pytest.approx(PASS_COSTS.seconds(3, hours))
    bundle = make_bundle(
        duration_ms=60_000, width=3840, height=2160, fps_num=25, fps_den=1, audio_codecs=["aac"]
    )
    index = open_index(settings().index)
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    large, *_ = estimate_of(plan, checked).signals
    expected_s = PASS_COSTS.seconds(3, hours, look=Look(25.0, 25 * 3840 * 2160 / 1e6))
    assert large.cpu_hours * 3600 == pytest.approx(expected_s + Cues().rough_costs.seconds(3, hours))
    assert large.cpu_hours > 4 * first.cpu_hours


class Shadow(Cues):
    """Another signal that watches, and takes as long."""

    name = "shadow"


def test_speech_is_priced_by_its_pieces(settings, history, make_bundle, make_row):
    """As many as other videos have, whatever heard them; before, as if much were said in them."""
    checked, plan = preview(settings(model=None, usd_per_cpu_hour=1.0), NIGHTLY)
    checked = replace(checked, recipe=replace(checked.recipe, signals=(SPEECH,)))
    hours = (60 + 600 + 72_000) / 3600
    (usual,) = estimate_of(plan, checked).signals
    assert usual.num_pieces == round(USUAL_TALK.pieces(3, hours))
    bundle = make_bundle(duration_ms=7_200_000)
    ids = {name: getattr(bundle.commit, name) for name in Lineage.model_fields if name in Commit.model_fields}
    heard = make_row(SpeechTrack, num_pieces=12, heard_ms=7_200_000, dropped=[], warnings=[], **ids)
    bundle = bundle.model_copy(update={"measured": {"speech_tracks": (heard,)}})
    index = open_index(settings().index)
    index.commit(bundle.commit.video_id, bundle.commit.analysis_key, encode_bundle(bundle))
    index.publish([(bundle.commit.video_id, bundle.commit.analysis_key)])
    (quiet,) = estimate_of(plan, checked).signals
    costs = SPEECH.rough_costs
    assert quiet.num_pieces == pytest.approx(12 * hours / 2, rel=0.02)
    assert quiet.cpu_hours * 3600 == pytest.approx(
        costs.sound_hour_s * hours + costs.piece_s * quiet.num_pieces, rel=0.01
    )
    assert any(
        f"some {quiet.num_pieces} pieces" in line for line in estimate_lines(estimate_of(plan, checked))
    )


def test_what_was_asked_with_other_options_is_a_guess(settings, history):
    """They, or other files, change how many tokens a video has, so its attempts are another model's."""
    checked, plan = preview(settings(), NIGHTLY)
    assert estimate_of(plan, checked).is_decoded_alike
    for given in ({"model_options": (("pool-stride", "4"),)}, {"pictures_and_chat": "ab12"}):
        other = replace(checked, recipe=replace(checked.recipe, **given))
        assert not estimate_of(plan, other).is_decoded_alike
