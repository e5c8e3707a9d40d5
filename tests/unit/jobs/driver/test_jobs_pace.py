"""When a run will be through, by a clock that the test sets."""

import time

import pytest

from jobs.driver.telling.pace import Pace


@pytest.fixture
def clock(monkeypatch):
    """Seconds, as the pace reads them."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_the_rest_takes_as_long_as_what_is_done(clock):
    """In proportion to what videos cost, not to their number; nothing is said before the first one."""
    pace = Pace({"a": 1.0, "b": 1.0, "c": 8.0}, total_hours=1.0)
    pace.begin()
    assert pace.left_s() is None
    clock[0] += 20
    pace.settled("a", 360_000)
    assert pace.left_s() == pytest.approx(20 * 9)
    clock[0] += 20
    pace.settled("b", 0)
    assert pace.left_s() == pytest.approx(20 * 8)
    assert pace.words() == "0.10 of about 1.00 h of video, 0:02:40 left"
    assert pace.fields() == {
        "videos_done": 2,
        "videos_left": 1,
        "video_hours": 0.1,
        "video_hours_planned": 1.0,
        "eta_seconds": 160.0,
    }
    pace.settled("c", 0)
    assert pace.left_s() == 0


def test_the_history_speaks_before_the_first_video_is_through(clock):
    """Two actors, each second of theirs half a second of the run; what is seen then weighs more and more."""
    pace = Pace({str(n): 10.0 for n in range(10)}, None, prior_s=0.5)
    assert pace.left_s() == pytest.approx(50)
    pace.begin()
    clock[0] += 20
    assert pace.left_s() == pytest.approx(30)
    for number in range(4):
        pace.settled(str(number), 0)
    assert pace.left_s() == pytest.approx(60 * (20 + 0.5 * 20) / (40 + 20))
    clock[0] += 1000
    pace.settled("4", 0)
    assert pace.left_s() > 500


def test_a_first_video_that_outlasts_what_was_told_has_no_end_in_sight(clock):
    """Nothing is known of what takes longer than the history said; 0 s left would be wrong for hours."""
    pace = Pace({"a": 1.0}, total_hours=0.01, prior_s=2.0)
    pace.begin()
    assert pace.left_s() == pytest.approx(2.0)
    clock[0] += 100
    assert pace.fields()["eta_seconds"] is None
    assert "left" not in pace.words()
