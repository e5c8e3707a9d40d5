"""What becomes of a video after a try: another one, rows, or what the policy of its failure says."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from jobs.attempts.breaker import Breaker, Suspicion
from jobs.attempts.deaths import WORKER_KILLED
from jobs.attempts.tries import Try
from jobs.attempts.work import Work
from jobs.driver.queue import WorkQueue
from jobs.failures import POLICIES, Stage, Trouble
from jobs.workers.postprocess import Indexed
from schemas.failures import FailureAction, FailureClass

Tries = tuple[Try, ...]  # all of one video in this run, in order; the last one is over, or ends now


class Settler(Protocol):
    """Makes outcomes durable. Called from the driver's thread only."""

    def indexed(self, work: Work, outcome: Indexed, tries: Tries) -> None:
        """Commit the video's rows."""

    def failed(self, work: Work, trouble: Trouble, action: FailureAction, tries: Tries) -> None:
        """Record a video whose tries are used up."""

    def retrying(self, work: Work, trouble: Trouble, tries: Tries) -> None:
        """A try failed and another will follow."""

    def unsettled(self, work: Work, tries: Tries) -> None:
        """The run ends before the video does."""

    def tick(self) -> None:
        """Called at least once a second."""


@dataclass
class _Story:
    """A video that has been tried and is not settled."""

    work: Work
    tries: Tries = ()
    by_class: Counter[FailureClass] = field(default_factory=Counter)
    num_kills: int = 0


class Verdicts:
    """Remembers only the videos under way. A verdict that may not be the video's fault waits for another
    video to get through; see `jobs.attempts.breaker`."""

    def __init__(self, queue: WorkQueue, settler: Settler) -> None:
        self.num_settled = 0  # for this run: the next one may try again
        self.num_failures = 0  # of them, those that count against the budget
        self._queue = queue
        self._settler = settler
        self._stories: dict[str, _Story] = {}
        self._breaker = Breaker()

    def tries(self, work: Work, current: Try) -> Tries:
        """The tries before this one, and this one."""
        story = self._stories.get(work.analysis_key)
        return (*(story.tries if story else ()), current)

    def num_kills(self, work: Work) -> int:
        """How many actors died with this video in their hands."""
        story = self._stories.get(work.analysis_key)
        return story.num_kills if story else 0

    def indexed(self, work: Work, outcome: Indexed, tries: Tries) -> None:
        """Its rows are made."""
        self.passed(Stage.ROWS)
        self._forget(work, counts=outcome.is_partial)
        self._settler.indexed(work, outcome, tries)

    def passed(self, *stages: Stage) -> None:
        """A video got through these stages: those that failed in them are at fault themselves."""
        for one in self._breaker.release(stages):
            self._settle(one, POLICIES[one.trouble.failure_class].action)

    def failed(self, work: Work, trouble: Trouble, tries: Tries) -> None:
        """The last of `tries` failed. Raises `MediaIndexError` when it is not the videos."""
        story = self._stories.setdefault(work.analysis_key, _Story(work))
        story.work, story.tries = work, tries
        story.num_kills += trouble.code == WORKER_KILLED
        story.by_class[trouble.failure_class] += 1
        num_tries = story.by_class[trouble.failure_class]
        policy = POLICIES[trouble.failure_class]
        again = _next_attempt(work, trouble)
        if again and trouble.can_retry and num_tries < policy.tries:
            delay_s = policy.backoff_s * 2 ** (num_tries - 1) * random.uniform(0.5, 1.5)
            self._queue.put_later(again, time.monotonic() + delay_s)
            self._settler.retrying(work, trouble, tries)
            return
        suspicion = Suspicion(work, trouble, tries)
        if not trouble.may_be_everywhere:
            self._settle(suspicion, policy.action)
        elif error := self._breaker.hold(suspicion):
            raise error

    def close(self, blames_videos: bool) -> None:
        """Nothing follows: settle what is held back, and tell what was tried in vain.

        `blames_videos`: all others had their chance to get through.
        """
        for one in self._breaker.release():
            action = POLICIES[one.trouble.failure_class].action
            self._settle(one, action if blames_videos else FailureAction.NEXT_RUN)
        for story in list(self._stories.values()):
            self._settler.unsettled(story.work, story.tries)
        self._stories.clear()

    def cut_off(self, work: Work, tries: Tries) -> None:
        """The run ends during the last of `tries`."""
        self._stories.setdefault(work.analysis_key, _Story(work)).tries = tries

    def _settle(self, one: Suspicion, action: FailureAction) -> None:
        self._forget(one.work, one.trouble.counts)
        self._settler.failed(one.work, one.trouble, action, one.tries)

    def _forget(self, work: Work, counts: bool) -> None:
        self._stories.pop(work.analysis_key, None)
        self.num_settled += 1
        self.num_failures += counts


def _next_attempt(work: Work, trouble: Trouble) -> Work | None:
    """None at the end of the memory ladder."""
    if trouble.failure_class is FailureClass.RESOURCE:
        return work.again().with_fewer_frames(trouble.num_frames)
    return work.again()
