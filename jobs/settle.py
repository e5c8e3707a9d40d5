"""Settling: an outcome becomes durable by one commit, and visible with the next publish."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from jobs.failures import Stage, Trouble
from jobs.finishing import Indexed
from jobs.progress import Progress
from jobs.recipe import Recipe
from jobs.rows import RowBuilder
from jobs.work import Work
from schemas.commit import Commit, RunRecord
from schemas.failures import CommitUnknownError, FailureAction, FailureClass
from schemas.tables import Failure
from storage.bundles import encode_bundle
from storage.errors import ObjectError
from storage.index import Index

PUBLISH_EVERY_S = 30.0
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
    unfinished: list[Failure] = field(default_factory=list)

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


@dataclass(frozen=True)
class _Settlement:
    """A bundle on its way into the index, and what it says: rows, or why there are none."""

    work: Work
    bundle: bytes
    outcome: Indexed | Trouble


class IndexSettler:
    """Commits bundles as they come and publishes them in batches."""

    def __init__(self, index: Index, recipe: Recipe, run_id: str, progress: Progress) -> None:
        self.tally = Tally()
        self._index = index
        self._recipe = recipe
        self._run_id = run_id
        self._progress = progress
        self._to_publish: list[tuple[str, str]] = []
        self._marks: list[Commit] = []
        self._published_at = time.monotonic()
        self._uncommitted: list[_Settlement] = []
        self._commit_not_before = 0.0

    def indexed(self, work: Work, outcome: Indexed) -> None:
        """Commit the video's rows."""
        self._settle(_Settlement(work, outcome.bundle, outcome))

    def failed(self, work: Work, trouble: Trouble, action: FailureAction) -> None:
        """Quarantine the video, or leave it to the next run.

        A stale video is never quarantined: that would hide the rows it has.
        """
        rows = self._rows(work)
        if action is FailureAction.QUARANTINED and not work.has_rows:
            bundle = encode_bundle(rows.quarantine(trouble))
            self._settle(_Settlement(work, bundle, trouble))
        else:
            self.tally.unfinished.append(rows.failure(trouble, FailureAction.NEXT_RUN))
            self._progress.failed(work, trouble, FailureAction.NEXT_RUN)

    def retrying(self, work: Work, trouble: Trouble) -> None:
        """Only told; nothing is durable yet."""
        self._progress.retrying(work, trouble)

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
        if self._to_publish and now - self._published_at >= PUBLISH_EVERY_S:
            try:
                self.publish()
            except (ObjectError, CommitUnknownError) as error:
                self._progress.storage_trouble(error)
                self._published_at = now  # again in a while; what is committed is safe

    def finish(self) -> None:
        """Commit the rest, or give it to the next run."""
        deadline = time.monotonic() + COMMIT_DEADLINE_S
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
            self.tally.unfinished.append(self._rows(late.work).failure(trouble, FailureAction.NEXT_RUN))
        self._uncommitted.clear()

    def publish(self, record: RunRecord | None = None) -> None:
        """Make everything committed so far visible, with the run's own record at the end."""
        if self._to_publish or self._marks or record:
            self._index.publish(self._to_publish, [record] if record else [], self._marks)
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
                raise

    def _retry_commits(self) -> None:
        waiting, self._uncommitted = self._uncommitted, []
        for settlement in waiting:
            self._settle(settlement)

    def _commit(self, settlement: _Settlement) -> None:
        work, outcome = settlement.work, settlement.outcome
        created = self._index.commit(work.video.video_id, work.analysis_key, settlement.bundle)
        self._to_publish.append((work.video.video_id, work.analysis_key))
        if not created:
            self.tally.num_elsewhere += 1
            self._progress.settled_elsewhere(work)
        elif isinstance(outcome, Indexed):
            self.tally.add(outcome)
            self._progress.indexed(work, outcome)
        else:
            self.tally.num_quarantined += 1
            self._progress.failed(work, outcome, FailureAction.QUARANTINED)

    def _rows(self, work: Work) -> RowBuilder:
        return RowBuilder(work, self._recipe, self._run_id, datetime.now(UTC))
