"""Settling: an outcome becomes durable by one commit, and visible with the next publish."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from jobs.answers.rows import RowBuilder
from jobs.attempts.tries import Try
from jobs.attempts.work import Work
from jobs.driver.progress import Progress
from jobs.failures import Stage, Trouble
from jobs.prompts.recipe import Recipe
from jobs.workers.postprocess import Indexed
from schemas.commit import Commit, RunRecord
from schemas.failures import (
    AttemptOutcome,
    CommitUnknownError,
    FailureAction,
    FailureClass,
    MediaIndexError,
)
from schemas.tables import Attempt, Failure
from storage.errors import ObjectError
from storage.index.bundles import encode_bundle
from storage.index.index import Index

PUBLISH_EVERY_S = 30.0
PUBLISH_SOON_S = 3.0  # where much was committed since the last time
RETRY_COMMIT_EVERY_S = 5.0
COMMIT_DEADLINE_S = 120.0  # after the last video, for commits that storage refused so far
MAX_UNCOMMITTED = 64  # bundles in memory; then storage is down, and nothing more is worth computing


@dataclass
class Tally:
    """Running totals of a run."""

    num_indexed: int = 0
    num_partial: int = 0
    num_quarantined: int = 0
    num_elsewhere: int = 0  # settled by another run meanwhile
    video_ms: int = 0
    num_frames: int = 0
    num_prompt_tokens: int = 0
    num_output_tokens: int = 0
    prefill_seconds: float = 0.0
    generate_seconds: float = 0.0
    busy_seconds: float = 0.0  # these two and the tries: of all attempts, those in vain included
    wait_seconds: float = 0.0
    tries: Counter[str] = field(default_factory=Counter)  # by failure class, "none" for those without
    unfinished: list[Failure] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)  # those that no bundle holds

    @property
    def num_settled(self) -> int:
        """Videos that need no further run."""
        return self.num_indexed + self.num_partial + self.num_quarantined + self.num_elsewhere

    def add(self, outcome: Indexed) -> None:
        """Count a video whose rows this run committed."""
        self.num_partial += outcome.is_partial
        self.num_indexed += not outcome.is_partial
        self.video_ms += outcome.video_ms
        self.num_frames += outcome.num_frames
        self.num_prompt_tokens += outcome.num_prompt_tokens
        self.num_output_tokens += outcome.num_output_tokens
        self.prefill_seconds += outcome.prefill_seconds
        self.generate_seconds += outcome.generate_seconds

    def add_try(self, tried: Try) -> None:
        """Count a try that is over."""
        self.tries[tried.trouble.failure_class if tried.trouble else "none"] += 1
        self.busy_seconds += tried.spent.busy_seconds
        self.wait_seconds += tried.spent.wait_seconds or 0.0


@dataclass(frozen=True)
class _Settlement:
    """A bundle on its way into the index, and what it says: rows, or why there are none."""

    work: Work
    key: str  # the analysis key, or a quarantine's own
    bundle: bytes
    outcome: Indexed | Trouble
    tries: tuple[Try, ...]


class IndexSettler:
    """Commits bundles as they come and publishes them in batches."""

    def __init__(self, index: Index, recipe: Recipe, run_id: str, progress: Progress) -> None:
        self.tally = Tally()
        self.has_published = False  # anything that readers see
        self._index = index
        self._recipe = recipe
        self._run_id = run_id
        self._progress = progress
        self._to_publish: list[tuple[str, str]] = []
        self._marks: list[Commit] = []
        self._published_at = time.monotonic()
        self._uncommitted: list[_Settlement] = []
        self._commit_not_before = 0.0

    def indexed(self, work: Work, outcome: Indexed, tries: tuple[Try, ...]) -> None:
        """Commit the video's rows."""
        self.tally.add_try(tries[-1])
        self._settle(_Settlement(work, work.analysis_key, outcome.bundle, outcome, tries))

    def failed(self, work: Work, trouble: Trouble, action: FailureAction, tries: tuple[Try, ...]) -> None:
        """Quarantine the video, or leave it to the next run.

        A video with rows is never quarantined: that would hide them.
        """
        self.tally.add_try(tries[-1])
        rows = self._rows(work)
        if action is FailureAction.QUARANTINED and not work.has_rows:
            bundle = encode_bundle(rows.quarantine(trouble, tries))
            self._settle(_Settlement(work, rows.quarantine_key, bundle, trouble, tries))
        else:
            self._leave(work, trouble, tries)
            self._progress.failed(work, trouble, FailureAction.NEXT_RUN, tries[-1])

    def retrying(self, work: Work, trouble: Trouble, tries: tuple[Try, ...]) -> None:
        """Only told; nothing is durable yet."""
        self.tally.add_try(tries[-1])
        self._progress.retrying(work, trouble, tries[-1])

    def unsettled(self, work: Work, tries: tuple[Try, ...]) -> None:
        """Keep what its tries took."""
        if tries[-1].trouble is None:  # cut off; the others have been counted
            self.tally.add_try(tries[-1])
        self.tally.attempts += self._rows(work).attempts(tries, AttemptOutcome.NEXT_RUN)

    def already_committed(self, video_id: str, analysis_key: str) -> None:
        """Make visible what an interrupted run committed, or what an earlier revision had."""
        self._to_publish.append((video_id, analysis_key))

    def mark(self, marks: Iterable[Commit]) -> None:
        """Say with the next publish what is so about videos that get no rows now."""
        self._marks += marks

    def tick(self) -> None:
        """Commit what storage refused before, and publish, so that readers follow a long run."""
        now = time.monotonic()
        if self._uncommitted and now >= self._commit_not_before:
            self._retry_commits()
        wait_s = PUBLISH_SOON_S if self._index.is_publish_due else PUBLISH_EVERY_S
        if self._to_publish and now - self._published_at >= wait_s:
            try:
                self.publish()
            except (ObjectError, CommitUnknownError) as error:
                self._progress.storage_trouble(error)
                self._published_at = now  # again in a while; what is committed is safe

    def finish(self, wait_s: float = COMMIT_DEADLINE_S) -> None:
        """Commit the rest, or give it to the next run."""
        deadline = time.monotonic() + wait_s
        while self._uncommitted and time.monotonic() < deadline:
            self._retry_commits()
            if self._uncommitted:
                time.sleep(RETRY_COMMIT_EVERY_S)
        for late in self._uncommitted:
            message, hint = (
                "the index's storage refused the commit",
                "check the storage, then repeat the command",
            )
            trouble = Trouble(Stage.COMMIT, FailureClass.TRANSIENT, "not_committed", message, hint)
            self._leave(late.work, trouble, (*late.tries[:-1], replace(late.tries[-1], trouble=trouble)))
        self._uncommitted.clear()

    def publish(self, record: RunRecord | None = None) -> None:
        """Make everything committed so far visible, with the run's own record at the end."""
        if self._to_publish or self._marks or record:
            snapshot = self._index.publish(self._to_publish, [record] if record else [], self._marks)
            self.has_published |= snapshot is not None
        self._to_publish, self._marks = [], []
        self._published_at = time.monotonic()

    def _settle(self, settlement: _Settlement) -> None:
        try:
            self._commit(settlement)
        except (ObjectError, CommitUnknownError) as error:
            self._progress.storage_trouble(error)
            self._uncommitted.append(settlement)
            self._commit_not_before = time.monotonic() + RETRY_COMMIT_EVERY_S
            if len(self._uncommitted) > MAX_UNCOMMITTED:
                raise MediaIndexError(
                    f"storage outage: {len(self._uncommitted)} commits to the index wait, "
                    f"the last one: {error.message}",
                    error.hint,
                ) from error

    def _retry_commits(self) -> None:
        waiting, self._uncommitted = self._uncommitted, []
        for settlement in waiting:
            self._settle(settlement)

    def _commit(self, settlement: _Settlement) -> None:
        work, outcome = settlement.work, settlement.outcome
        video_id, key = work.video.video_id, settlement.key
        if isinstance(outcome, Trouble) and self._index.is_committed(video_id, work.analysis_key):
            key, created = work.analysis_key, False  # another run has rows of it: they are not to be hidden
        else:
            stream = outcome.stream if isinstance(outcome, Indexed) else b""
            created = self._index.commit(video_id, key, settlement.bundle, stream)
            created = created or self._is_ours(video_id, key)
        self._to_publish.append((video_id, key))
        if not created:
            self.tally.num_elsewhere += 1
            self.tally.attempts += self._attempts_elsewhere(settlement)
            self._progress.settled_elsewhere(work)
        elif isinstance(outcome, Indexed):
            self.tally.add(outcome)
            self._progress.indexed(work, outcome, settlement.tries[-1])
        else:
            self.tally.num_quarantined += 1
            self._progress.failed(work, outcome, FailureAction.QUARANTINED, settlement.tries[-1])

    def _leave(self, work: Work, trouble: Trouble, tries: tuple[Try, ...]) -> None:
        rows = self._rows(work)
        self.tally.unfinished.append(rows.failure(trouble, FailureAction.NEXT_RUN))
        self.tally.attempts += rows.attempts(tries, AttemptOutcome.NEXT_RUN)

    def _is_ours(self, video_id: str, key: str) -> bool:
        """Whether a commit that was there before was made by this run: its answer got lost."""
        return self._index.committed_by(video_id, key) == self._run_id

    def _attempts_elsewhere(self, settlement: _Settlement) -> tuple[Attempt, ...]:
        """What this run spent on a video that another run settled first; no bundle says it."""
        outcome = AttemptOutcome.QUARANTINED
        if isinstance(settlement.outcome, Indexed):
            is_partial = settlement.outcome.is_partial
            outcome = AttemptOutcome.PARTIAL if is_partial else AttemptOutcome.INDEXED
        return self._rows(settlement.work).attempts(settlement.tries, outcome)

    def _rows(self, work: Work) -> RowBuilder:
        return RowBuilder(work, self._recipe, self._run_id, datetime.now(UTC))
