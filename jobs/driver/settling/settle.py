"""Settling: an outcome becomes durable by one commit, and visible with the next publish."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.answers.rows import RowBuilder
from jobs.attempts.tries import AttemptHistory, Postprocessed
from jobs.driver.settling.tidying import Tidying
from jobs.driver.telling.progress import Progress
from jobs.driver.telling.tally import Tally
from jobs.failures import Stage, VideoFailure
from jobs.prompts.recipe import Recipe
from schemas.commit import Commit, RunRecord
from schemas.failures import (
    AttemptOutcome,
    CommitUnknownError,
    FailureAction,
    FailureClass,
    MediaIndexError,
)
from schemas.identity import VideoId
from storage.errors import ObjectError
from storage.index.commits.bundles import encode_bundle
from storage.index.index import Index

PUBLISH_EVERY_S = 30.0
PUBLISH_SOON_S = 3.0  # where much was committed since the last time
RETRY_COMMIT_EVERY_S = 5.0
COMMIT_DEADLINE_S = 120.0  # after the last video, for commits that storage refused so far
MAX_UNCOMMITTED = 64  # bundles in memory; then storage is down, and nothing more is worth computing


@dataclass(frozen=True)
class _Settlement:
    """A bundle on its way into the index: rows of a video, or why it is quarantined."""

    video: AttemptHistory
    key: str  # the analysis key, or a quarantine's own
    bundle: bytes
    stream: bytes  # the same, for publishing; empty where it is not at hand
    outcome: AttemptOutcome


class IndexSettler:
    """Commits bundles as they come and publishes them in batches."""

    def __init__(
        self,
        index: Index,
        recipe: Recipe,
        run_id: str,
        progress: Progress,
        tidying: Tidying | None = None,
    ) -> None:
        """`tidying` looks at the index after each publish; None: nobody does."""
        self.tally = Tally()
        self._tidying = tidying
        self.has_published = False  # anything that readers see
        self._index = index
        self._recipe = recipe
        self._run_id = run_id
        self._progress = progress
        self._to_publish: list[tuple[VideoId, str]] = []
        self._marks: list[Commit] = []
        self._published_at = time.monotonic()
        self._uncommitted: list[_Settlement] = []
        self._commit_not_before = 0.0

    def indexed(self, video: AttemptHistory, made: Postprocessed) -> None:
        """Commit the video's rows."""
        self.tally.add_try(video.last)
        outcome = AttemptOutcome.PARTIAL if made.is_partial else AttemptOutcome.INDEXED
        if made.is_aside:
            outcome = AttemptOutcome.QUARANTINED
        self._settle(_Settlement(video, video.work.analysis_key, made.bundle, made.stream, outcome))

    def failed(self, video: AttemptHistory, action: FailureAction) -> None:
        """Quarantine the video, or leave it to the next run.

        A video with rows is never quarantined: that would hide them.
        """
        self.tally.add_try(video.last)
        if action is FailureAction.QUARANTINED and not video.work.has_rows:
            rows = self._rows(video)
            bundle = encode_bundle(rows.quarantine(video))
            self._settle(_Settlement(video, rows.quarantine_key, bundle, b"", AttemptOutcome.QUARANTINED))
        else:
            self._leave(video)
            self._progress.failed(video, FailureAction.NEXT_RUN)

    def retrying(self, video: AttemptHistory) -> None:
        """Tell that another try follows; nothing is durable yet."""
        self.tally.add_try(video.last)
        self._progress.retrying(video)

    def unsettled(self, video: AttemptHistory) -> None:
        """Keep what its tries took."""
        if video.last.failure is None:  # cut off; the others have been counted
            self.tally.add_try(video.last)
        self.tally.attempts += self._rows(video).attempts(video.tries, AttemptOutcome.NEXT_RUN)

    def already_committed(self, video_id: VideoId, analysis_key: str) -> None:
        """Make visible what an interrupted run committed, or what an earlier revision had."""
        self._to_publish.append((video_id, analysis_key))

    def mark(self, marks: Iterable[Commit]) -> None:
        """Queue state changes (deleted, released) of videos for the next publish."""
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
            failure = VideoFailure(Stage.COMMIT, FailureClass.TRANSIENT, "not_committed", message, hint)
            self._leave(late.video.failed(failure))
        self._uncommitted.clear()

    def publish(self, record: RunRecord | None = None) -> None:
        """Make everything committed so far visible, with the run's own record at the end."""
        if self._to_publish or self._marks or record:
            snapshot = self._index.publish(self._to_publish, [record] if record else [], self._marks)
            self.has_published |= snapshot is not None
            if self._tidying:
                self._tidying.look(self._index.last_seen)
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
        video, outcome, key = settlement.video, settlement.outcome, settlement.key
        video_id, analysis_key = video.work.video.video_id, video.work.analysis_key
        is_aside = outcome is AttemptOutcome.QUARANTINED
        if key != analysis_key and self._index.is_committed(video_id, analysis_key):
            key, created = analysis_key, False  # another run has rows of it: they are not to be hidden
        else:
            created = self._index.commit(video_id, key, settlement.bundle, settlement.stream)
            created = created or self._is_ours(video_id, key)
        self._to_publish.append((video_id, key))
        if not created:
            self.tally.num_elsewhere += 1
            # No bundle says what this run spent on it.
            self.tally.attempts += self._rows(video).attempts(video.tries, outcome)
            self._progress.settled_elsewhere(video.work)
        elif is_aside:
            self.tally.num_quarantined += 1
            self._progress.failed(video, FailureAction.QUARANTINED)
        else:
            is_partial = outcome is AttemptOutcome.PARTIAL
            self.tally.add(video.last.usage, is_partial)
            self._progress.indexed(video, is_partial)

    def _leave(self, video: AttemptHistory) -> None:
        rows = self._rows(video)
        self.tally.unfinished.append(rows.failure(video.failure, FailureAction.NEXT_RUN))
        self.tally.attempts += rows.attempts(video.tries, AttemptOutcome.NEXT_RUN)

    def _is_ours(self, video_id: VideoId, key: str) -> bool:
        """Whether a commit that was there before was made by this run: its answer got lost."""
        return self._index.committed_by(video_id, key) == self._run_id

    def _rows(self, video: AttemptHistory) -> RowBuilder:
        return RowBuilder(video.work, self._recipe, self._run_id, datetime.now(UTC))
