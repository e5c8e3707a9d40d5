"""The limits of a run: what a person writes, and when they are reached."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from jobs.settings.config import Settings, resolve
from jobs.settings.limits import CostLimit, Deadline, Duration, Ending, FailureLimit, Limits
from schemas.failures import UsageError

NOW = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)


def limits(num_planned=1000, max_failures=None, deadline=None) -> Limits:
    return Limits(num_planned, FailureLimit.parse(max_failures) if max_failures else None, deadline)


@pytest.mark.parametrize(
    ("text", "num_planned", "most"), [("20", 1000, 20), ("1%", 1000, 10), ("0.5%", 300, 1), ("0", 9, 0)]
)
def test_as_many_failures_as_said_are_borne(text, num_planned, most):
    """And not one more; a share is of the planned videos."""
    run = limits(num_planned, text)
    assert run.reached(NOW, num_planned, most) is None
    assert run.reached(NOW, num_planned, most + 1) is Ending.FAILURES


def test_the_first_videos_are_no_judgement():
    """One failure among the first few may be an accident; of a small plan it counts at the end."""
    assert limits(1000, "0").reached(NOW, 19, 1) is None
    assert limits(1000, "0").reached(NOW, 20, 1) is Ending.FAILURES
    assert limits(5, "0").reached(NOW, 4, 1) is None
    assert limits(5, "0").reached(NOW, 5, 1) is Ending.FAILURES


@pytest.mark.parametrize(
    ("text", "hours"), [("6h", 6), ("90m", 1.5), ("1h30m", 1.5), ("1.5h", 1.5), ("PT90M", 1.5), ("1d", 24)]
)
def test_a_duration_counts_from_the_start(text, hours):
    """In hours, minutes, days, seconds, or several of them."""
    at = Deadline.parse(text).at(NOW)
    assert at - NOW == timedelta(hours=hours)
    run = limits(deadline=at)
    assert run.reached(at - timedelta(seconds=1), 0, 0) is None
    assert run.reached(at, 0, 0) is Ending.DEADLINE


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "started_at", "expected"),
    [
        ("07:00", datetime(2026, 11, 21, 22, 30, tzinfo=UTC), datetime(2026, 11, 22, 6, 0, tzinfo=UTC)),
        ("23:45", datetime(2026, 11, 21, 22, 30, tzinfo=UTC), datetime(2026, 11, 21, 22, 45, tzinfo=UTC)),
        # Clocks go back at 01:00 UTC: the night has an hour more.
        ("07:00", datetime(2026, 10, 24, 21, 0, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),
    ],
)
@pytest.mark.usefixtures("berlin")
def test_a_time_of_day_is_its_next_occurrence_here(text, started_at, expected):
    """On this machine's clock, also in the night when clocks change."""
    assert Deadline.parse(text).at(started_at) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("max_failures", value) for value in ("-1", "1.5", "some", "%", "200%", "-5%")),
        *(("deadline", value) for value in ("6", "25:00", "7:5", "", "h", "0s", "PT0S")),
        *(("max_cost_per_video", value) for value in ("0m", "0usd", "0frames", "5", "-1usd")),
        *(("fps", value) for value in ("fast", "1/0", "nan")),
    ],
)
def test_what_is_no_limit_is_refused(name, value):
    """With an example of what is one."""
    with pytest.raises(UsageError, match=r"e\.g\."):
        resolve({"library": "a", "index": "b", "model": "m", name: value})


def test_limits_are_stored_as_they_were_said():
    """The run keeps its settings; they read back equal, and a file may say a plain number."""
    settings = resolve({"library": "a", "index": "b", "model": "m", "max_failures": 7, "deadline": "07:00"})
    assert Settings.model_validate_json(settings.model_dump_json()) == settings
    assert settings.model_dump(mode="json")["max_failures"] == "7"


@pytest.mark.parametrize(
    ("kind", "text", "advice"),
    [
        (FailureLimit, "1.5", "a number of videos"),
        (FailureLimit, "many", "a number of videos"),
        (FailureLimit, "101%", "at most 100%"),
        (Deadline, "soon", "Give a duration"),
        (Deadline, "0h", "more than 0"),
        (CostLimit, "0m", "more than 0"),
        (CostLimit, "cheap", "a time, e.g. 20m"),
        (Duration, "0s", "at least a second"),
    ],
)
def test_what_is_no_limit_is_answered_with_an_example(kind, text, advice):
    """Of the same kind, so that it can be typed at once."""
    with pytest.raises(ValueError, match=advice):
        kind.parse(text)


@pytest.mark.parametrize(
    "limit",
    [FailureLimit.parse("1%"), Deadline.parse("6h"), CostLimit.parse("600frames"), Duration.parse("7d")],
)
def test_a_limit_is_taken_as_it_is(limit):
    """From Python as from a flag."""
    assert type(limit).parse(limit) is limit
