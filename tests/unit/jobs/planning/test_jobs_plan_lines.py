"""A plan in words: nothing that a person must know is missing, and nothing is said twice."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.planning.ceiling import Refused
from jobs.planning.costs.signal_costs import SignalEstimate
from jobs.planning.estimate import Estimate
from jobs.planning.lines import estimate_lines, no_index_lines, plan_lines
from jobs.planning.plan import NO_VIDEOS, Plan
from jobs.planning.reasons.reasons import Findings
from schemas.plan import PlanSummary, Reason
from storage.index.index import NOT_MADE

NOW = datetime(2026, 11, 21, 3, tzinfo=UTC)


def plan_of(reasons: dict[Reason, int], doubt: str | None = None, num_refused: int = 0, **said: Any) -> Plan:
    counted = Counter(reasons)
    values: dict[str, Any] = {"index_id": "1", "num_ignored": 0, "num_videos": 0, "video_bytes": 0} | said
    summary = PlanSummary(
        plan_id="p", library="films", recipe_id="r", created_at=NOW, reasons=counted, **values
    )
    found = Findings(NO_VIDEOS, NO_VIDEOS, (), counted, set())
    refused = tuple(Refused(f"{n}.mp4", "too long") for n in range(num_refused))
    return Plan(summary, NO_VIDEOS, found, doubt=doubt, refused=refused)


@pytest.mark.parametrize(
    ("plan", "lines"),
    [
        (plan_of({}), ["     0 videos listed, nothing to do"]),
        (plan_of({Reason.UNCHANGED: 7}), ["     7 unchanged  nothing to do"]),
        (
            plan_of({Reason.STALE_PROMPT: 8, Reason.MISSING: 1}),
            [
                "     8 stale_prompt  not now: media-index backfill --stale",
                "     1 missing  not now: media-index backfill --missing",
            ],
        ),
        (
            plan_of({Reason.DELETED: 3}, doubt="Half of the library is gone."),
            [
                "     3 deleted  gone from the library: their rows become history",
                "       Half of the library is gone.",
            ],
        ),
        (
            plan_of({Reason.ARCHIVED: 1}, num_ignored=1200, num_links_out=1),
            [
                "     1 archived  in a cold storage class: restore them first",
                "  1200 other objects left out by the filters (plan --show-ignored)",
                "     1 link leads out of the library, not followed (--follow-links)",
            ],
        ),
        (
            plan_of({Reason.ARCHIVED: 1}, num_links_out=2, listed_as_of=NOW - timedelta(hours=26)),
            [
                "     1 archived  in a cold storage class: restore them first",
                "       as of 2026-11-20 01:00 UTC, 26 h ago, by the S3 Inventory",
                "     2 links lead out of the library, not followed (--follow-links)",
            ],
        ),
    ],
)
def test_what_is_found_is_said_line_by_line(plan: Plan, lines: list[str]) -> None:
    """Reasons first, in their order, then what was left out and what is in doubt."""
    assert list(plan_lines(plan)) == lines


def test_five_refused_videos_are_named() -> None:
    """The others are counted."""
    said = list(plan_lines(plan_of({Reason.TOO_COSTLY: 7}, num_refused=7)))
    assert said[0] == "     7 too_costly  refused: more than --max-cost-per-video allows"
    assert said[1:6] == [f"       refused: {n}.mp4: too long" for n in range(5)]
    assert said[6:] == ["       and 2 more; --json names all"]


def test_a_plan_without_an_index_begins_with_that() -> None:
    """And names what may have been meant."""
    assert list(no_index_lines(plan_of({}), ["s3://b/catalog"])) == []
    new = plan_of({}, index_id=NOT_MADE)
    (first,) = no_index_lines(new, ())
    assert first.startswith("NO INDEX THERE YET")
    assert list(no_index_lines(new, ("a", "b")))[1:] == ["       did you mean the index a or b?"]


def test_an_estimate_says_what_it_rests_on() -> None:
    """Nothing to do, no history, a guess, and a full one with money."""
    assert list(estimate_lines(Estimate(0, 0))) == []
    unknown = list(estimate_lines(Estimate(1, 5_800_000, num_frames=30, num_guessed=1)))
    assert unknown[0] == "     1 video to analyse, 5.8 MB, 30 pictures"
    assert [line.split()[0] for line in unknown[1:]] == ["the", "no"]
    told: dict[str, Any] = {"num_frames": 240, "num_attempts": 8, "device": "cpu", "actor_hours": (1.0, 2.0)}
    full = Estimate(8, 10**9, 4.0, **told, finish_hours=(1.5, 2.5), usd=(1234.5, 2000))
    assert sum("a guess" in line for line in estimate_lines(full)) == 1
    assert list(estimate_lines(full))[-1] == "       1,234.50 to 2,000.00 USD"


def test_signals_alone_need_no_model() -> None:
    """Their core hours are the estimate."""
    one = SignalEstimate("captions", 1, 2.0, 0.5, None)
    heard = (SignalEstimate("speech", 1, 0.5, 1.0, None, num_pieces=n) for n in (1, 1200))
    signals = (one, SignalEstimate("cuts", 3, 2.0, 1.0, 0.04), *heard)
    said = list(estimate_lines(Estimate(3, 10**6, signals=signals)))
    assert said[1] == "       captions of 1 video, 2.0 h: about 0.50 h of a CPU core"
    assert said[2].endswith(" of a CPU core, 0.04 USD")
    assert [line.partition(":")[0].rpartition(", ")[2] for line in said[3:]] == [
        "some 1 piece of speech",
        "some 1,200 pieces of speech",
    ]
