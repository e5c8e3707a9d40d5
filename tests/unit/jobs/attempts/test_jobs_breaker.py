"""The circuit breaker: when it is not the videos."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jobs.attempts.breaker import Breaker
from jobs.attempts.tries import AttemptHistory, Try
from jobs.attempts.work import Work
from jobs.failures import BREAKS_AT, Stage, VideoFailure
from schemas.failures import FailureClass
from schemas.identity import VideoObject
from schemas.plan import Reason

BUG = VideoFailure(Stage.MODEL, FailureClass.BUG, "ValueError", "oops", "report it")
OUTAGE = VideoFailure(Stage.FETCH, FailureClass.TRANSIENT, "storage_unavailable", "503", "check the storage")
POISON = VideoFailure(Stage.MODEL, FailureClass.POISON, "worker_killed", "died, time 2", "check the GPU")


def tried(number: int, failure: VideoFailure) -> AttemptHistory:
    work = Work(VideoObject(f"/{number}.mp4", 1, 1), f"key{number}", Reason.NEW, max_frames=9)
    return AttemptHistory(work, (Try(1, datetime.now(UTC), 1.0, None, failure=failure),))


@pytest.mark.parametrize(
    ("failure", "says"),
    [(BUG, "met a bug"), (OUTAGE, "storage or disk outage"), (POISON, "failed alike")],
)
def test_it_opens_at_the_same_failure_of_video_after_video(failure, says):
    """And says what it is, with the remedy."""
    breaker = Breaker()
    failures = [replace(failure, message=f"{failure.message} {n}") for n in range(BREAKS_AT)]
    *before, last = [breaker.hold(tried(n, one)) for n, one in enumerate(failures)]
    assert before == [None] * (BREAKS_AT - 1)
    assert says in last.message
    assert f"{BREAKS_AT} videos in a row" in last.message
    assert (last.hint, last.exit_code) == (failure.hint, 1)


def test_bugs_of_every_kind_add_up_and_other_failures_do_not():
    """Five bugs are five bugs; five videos with nothing in common are just bad."""
    breaker = Breaker()
    words = ("a", "b", "c", "d", "e")
    for n, word in enumerate(words):
        assert breaker.hold(tried(n, replace(POISON, message=word))) is None
    errors = [breaker.hold(tried(9 + n, replace(BUG, message=word))) for n, word in enumerate(words)]
    assert errors[-1] is not None


def test_a_video_that_gets_through_ends_the_row_for_the_stages_it_passed():
    """A model that works says nothing of a bug in making rows."""
    breaker = Breaker()
    breaker.hold(tried(1, BUG))
    breaker.hold(tried(2, replace(BUG, stage=Stage.ROWS)))
    assert [one.work.analysis_key for one in breaker.release((Stage.READ, Stage.MODEL))] == ["key1"]
    assert [one.work.analysis_key for one in breaker.release()] == ["key2"]


def test_facts_about_one_object_say_nothing_of_the_run():
    """Ten archived or deleted objects in a row are ten objects."""
    for code in ("not_found", "object_changed", "archived"):
        gone = replace(OUTAGE, code=code, can_retry=False)
        assert not gone.may_be_everywhere
        assert not gone.counts
    corrupt = VideoFailure(Stage.READ, FailureClass.MEDIA, "no_video", "no video", "replace it")
    assert not corrupt.may_be_everywhere
    assert OUTAGE.may_be_everywhere
