"""What plans say that signals take: by what there is to see and hear; when a run of them alone is done."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import av
import numpy as np
import pytest

from jobs.planning.estimate import estimate_of
from jobs.planning.lines import estimate_lines
from jobs.planning.plan import NIGHTLY, preview
from jobs.settings.config import Settings, resolve
from jobs.signals.cues import Cues
from jobs.signals.shots import Shots
from jobs.signals.signal import Look
from jobs.signals.watching import PASS_COSTS
from schemas.commit import RunRecord
from schemas.failures import AttemptOutcome, UsageError
from schemas.tables import Attempt, Run, SignalSeconds
from storage.index.index import open_index

BEGAN = datetime(2026, 11, 21, tzinfo=UTC)
DAY_S = 72_000


@pytest.fixture
def settings(tmp_path):
    """Of a film of three pictures that lasts twenty hours, and one of two seconds with sound."""
    library = tmp_path / "films"
    library.mkdir()
    _write(library / "day.mp4", [0, DAY_S / 2, DAY_S - 1])
    _write(library / "short.mp4", [number / 25 for number in range(50)], sound_s=2)

    def make(**changes: object) -> Settings:
        return resolve({"library": str(library), "index": str(tmp_path / "index"), **changes})

    return make


def _write(path, times_s, sound_s=0):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"bf": "0"})
        stream.width = stream.height = 64
        sound = container.add_stream("aac", rate=8000, layout="mono") if sound_s else None
        for time_s in times_s:
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            frame.pts, frame.time_base = round(time_s * 25), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if sound is not None:
            silence = np.zeros((1, 8000 * sound_s), np.float32)
            heard = av.AudioFrame.from_ndarray(silence, format="fltp", layout="mono")
            heard.rate = 8000
            container.mux([*sound.encode(heard), *sound.encode(None)])


def told(settings: Settings):
    checked, plan = preview(settings, NIGHTLY)
    return estimate_of(plan, checked)


def test_twenty_hours_of_stills_cost_no_more_than_their_pictures(settings):
    """Headers say how many there are, how large, and whether anything is to be heard."""
    estimate = told(settings())
    _, shots, cues, _ = estimate.signals
    assert estimate.video_hours == pytest.approx((DAY_S + 2) / 3600, rel=0.001)
    seconds, pictures = DAY_S + 2, 53
    look = Look(pictures / seconds, pictures * 64 * 64 / 1e6 / seconds, (2 + 3) / seconds, 2 / seconds)
    hours = seconds / 3600
    expected_s = Shots().rough_costs.seconds(2, hours, look=look) + PASS_COSTS.seconds(2, hours, look=look)
    assert shots.cpu_hours * 3600 == pytest.approx(expected_s, rel=0.01)
    assert shots.cpu_hours * 3600 < 1
    assert cues.cpu_hours * 3600 == pytest.approx(Cues().rough_costs.seconds(2, hours, look=look), rel=0.02)


def _publish_run(settings, make_row, num_cpus):
    """Record a run of 44 s: 7 s of start, 3 s of end, and eight videos for each CPU, each for 4 s in its
    hands, of which signals took 2 s of it."""
    recipe = preview(settings, NIGHTLY)[0].recipe
    index = open_index(settings.index, create=True)
    index.declare_recipe(recipe.record)
    attempts = [
        make_row(
            Attempt,
            run_id="r",
            recipe_id=recipe.recipe_id,
            plan_reason="new",
            outcome=AttemptOutcome.INDEXED,
            # Two are handed to each CPU, where the second waits for the first; then one every five seconds.
            started_at=BEGAN + timedelta(seconds=7 + 5 * max(0, place // num_cpus - 1)),
            seconds=4.0,
            video_ms=60_000,
            signal_seconds=2.0,
            finish_seconds=0.0,
            signals=[SignalSeconds(signal="shots", seconds=2.0)],
        )
        for place in range(8 * num_cpus)
    ]
    run = make_row(Run, run_id="r", model_id=None, started_at=BEGAN, ended_at=BEGAN + timedelta(seconds=44))
    index.publish((), [RunRecord(run=run, attempts=tuple(attempts))])


@pytest.mark.parametrize("num_cpus", [1, 2, 4])
def test_when_signals_alone_are_done_goes_by_the_latest_runs(settings, make_row, num_cpus):
    """Start and end; twice the time that a CPU is at work on signals, as then; and what it does besides,
    which was 2 s of the 34 for eight videos."""
    assert told(settings()).finish_hours is None
    _publish_run(settings(), make_row, num_cpus)
    estimate = told(settings())
    signals_s = sum(one.cpu_hours for one in estimate.signals) * 3600
    largest_s = signals_s * 50 / 53
    done_s = 10 + max((2 * signals_s + 2 * 0.25) / num_cpus, 2 * largest_s)
    assert [hours * 3600 for hours in estimate.finish_hours] == pytest.approx([done_s] * 2, rel=0.02)
    assert estimate.num_cpus == num_cpus
    (said,) = [line for line in estimate_lines(estimate) if "done in" in line]
    assert said.endswith(f"with {num_cpus} core{'s' * (num_cpus > 1)}, start-up included")


def test_with_a_model_signals_do_not_say_when_a_run_is_done(settings, make_row):
    """Runs of signals alone tell nothing of a model's time."""
    _publish_run(settings(), make_row, 2)
    estimate = told(settings(model="small"))
    assert (estimate.finish_hours, estimate.num_cpus) == (None, None)


@pytest.mark.parametrize("limit", ["20m", "1.50usd"])
def test_a_limit_of_cost_is_not_taken_for_one_of_signals(settings, limit):
    """It would hold nothing back; a number of pictures, as a settings file may have it, does no harm."""
    with pytest.raises(UsageError, match="what a model takes, and none is asked"):
        preview(settings(max_cost_per_video=limit), NIGHTLY)
    assert told(settings(max_cost_per_video="600frames")).num_videos == 2
