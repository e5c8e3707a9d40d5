"""What becomes of a video after a try: another one, rows, or what the policy of its failure says."""

import random
import time
from typing import Protocol

from jobs.attempts.actor_failures import LACKS_CODE_PAUSE_S, NODE_LACKS_CODE
from jobs.attempts.breaker import Breaker
from jobs.attempts.tries import AttemptHistory, Postprocessed, Try
from jobs.attempts.work import Work
from jobs.driver.loop.queue import WorkQueue
from jobs.driver.loop.supervise import OneHand
from jobs.failures import POLICIES, Stage, VideoFailure
from schemas.failures import FailureAction, FailureClass


class Settler(Protocol):
    """Makes outcomes durable. Called from the driver's thread only."""

    def indexed(self, video: AttemptHistory, made: Postprocessed) -> None:
        """Commit the video's rows."""

    def failed(self, video: AttemptHistory, action: FailureAction) -> None:
        """Record a video whose tries are used up."""

    def retrying(self, video: AttemptHistory) -> None:
        """A try failed and another will follow."""

    def unsettled(self, video: AttemptHistory) -> None:
        """The run ends before the video does."""

    def tick(self) -> None:
        """Called at least once a second."""


class FailurePolicy:
    """Remembers only the videos under way. A verdict that may not be the video's fault waits for another
    video to get through; see `jobs.attempts.breaker`."""

    def __init__(self, queue: WorkQueue, settler: Settler, hand: OneHand) -> None:
        self.num_settled = 0  # for this run: the next one may try again
        self.num_failures = 0  # of them, those that count against the budget
        self._queue = queue
        self._settler = settler
        self._hand = hand
        self._tried: dict[str, AttemptHistory] = {}  # videos that are not settled, by analysis key
        self._breaker = Breaker()

    def history(self, work: Work) -> AttemptHistory:
        """The tries at a video so far."""
        return self._tried.get(work.analysis_key, AttemptHistory(work))

    def with_try(self, work: Work, tried: Try) -> AttemptHistory:
        """The tries before this one, and this one."""
        return self.history(work).with_try(work, tried)

    def indexed(self, video: AttemptHistory, made: Postprocessed) -> None:
        """Note that its rows are made."""
        self.passed(Stage.ROWS)
        self._forget(video, counts=made.is_partial)
        self._hand.do(self._settler.indexed, video, made)

    def passed(self, *stages: Stage) -> None:
        """A video got through these stages: those that failed in them are at fault themselves."""
        for one in self._breaker.release(stages):
            self._settle(one, POLICIES[one.failure.failure_class].action)

    def failed(self, video: AttemptHistory) -> None:
        """The last try failed. Raises `MediaIndexError` when it is not the videos."""
        self._tried[video.work.analysis_key] = video
        failure = video.failure
        num_tries = video.num_failures(failure.failure_class)
        policy = POLICIES[failure.failure_class]
        again = _next_attempt(video.work, failure)
        if again and failure.can_retry and num_tries < policy.tries:
            delay_s = policy.backoff_s * 2 ** (num_tries - 1) * random.uniform(0.5, 1.5)
            delay_s += LACKS_CODE_PAUSE_S if failure.code == NODE_LACKS_CODE else 0.0
            self._queue.put_later(again, time.monotonic() + delay_s)
            self._hand.do(self._settler.retrying, video)
        elif not failure.may_be_everywhere:
            self._settle(video, policy.action)
        elif error := self._breaker.hold(video):
            raise error

    def close(self, blames_videos: bool) -> None:
        """Settle what is held back, as nothing follows, and tell what was tried in vain.

        `blames_videos`: all others had their chance to get through.
        """
        for one in self._breaker.release():
            action = POLICIES[one.failure.failure_class].action
            self._settle(one, action if blames_videos else FailureAction.NEXT_RUN)
        for video in list(self._tried.values()):
            self._hand.do(self._settler.unsettled, video)
        self._tried.clear()

    def cut_off(self, video: AttemptHistory) -> None:
        """The run ends during the last try."""
        self._tried[video.work.analysis_key] = video

    def _settle(self, video: AttemptHistory, action: FailureAction) -> None:
        self._forget(video, video.failure.counts)
        self._hand.do(self._settler.failed, video, action)

    def _forget(self, video: AttemptHistory, counts: bool) -> None:
        self._tried.pop(video.work.analysis_key, None)
        self.num_settled += 1
        self.num_failures += counts


def _next_attempt(work: Work, failure: VideoFailure) -> Work | None:
    """None at the end of the memory ladder."""
    if failure.failure_class is FailureClass.RESOURCE:
        return work.again().with_fewer_frames(failure.num_frames)
    return work.again()
