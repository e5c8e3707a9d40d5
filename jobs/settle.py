"""Settling: an outcome becomes durable by one commit, and visible with the next publish."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from storage.bundles import encode_bundle
from storage.index import Index

from jobs.actor import Indexed
from jobs.failures import Trouble
from jobs.plan import Work
from jobs.progress import Progress
from jobs.recipe import Recipe
from jobs.rows import RowBuilder
from schemas.commit import RunRecord
from schemas.failures import FailureAction
from schemas.tables import Failure

PUBLISH_EVERY_S = 30.0


@dataclass
class Tally:
    """Running totals of a run."""

    num_indexed: int = 0
    num_partial: int = 0
    num_quarantined: int = 0
    video_ms: int = 0
    num_frames: int = 0
    num_prompt_tokens: int = 0
    num_output_tokens: int = 0
    prefill_seconds: float = 0.0
    generate_seconds: float = 0.0
    unfinished: list[Failure] = field(default_factory=list)


class Desk:
    """Settles outcomes: commits bundles as they come and publishes them in batches."""

    def __init__(self, index: Index, recipe: Recipe, run_id: str, progress: Progress) -> None:
        self.tally = Tally()
        self._index = index
        self._recipe = recipe
        self._run_id = run_id
        self._progress = progress
        self._to_publish: list[tuple[str, str]] = []
        self._published_at = time.monotonic()

    def indexed(self, work: Work, outcome: Indexed) -> None:
        """Commit the video's rows."""
        self._commit(work, outcome.bundle)
        tally = self.tally
        tally.num_partial += outcome.is_partial
        tally.num_indexed += not outcome.is_partial
        for name in ("video_ms", "num_frames", "num_prompt_tokens", "num_output_tokens"):
            setattr(tally, name, getattr(tally, name) + getattr(outcome, name))
        tally.prefill_seconds += outcome.prefill_seconds
        tally.generate_seconds += outcome.generate_seconds
        self._progress.indexed(work, outcome)

    def failed(self, work: Work, trouble: Trouble, action: FailureAction, attempts: int) -> None:
        """Quarantine the video, or leave it to the next run."""
        rows = RowBuilder(work, self._recipe, self._run_id, datetime.now(UTC))
        if action is FailureAction.QUARANTINED:
            self._commit(work, encode_bundle(rows.quarantine(trouble, attempts)))
            self.tally.num_quarantined += 1
        else:
            self.tally.unfinished.append(rows.failure(trouble, action, attempts))
        self._progress.failed(work, trouble, action)

    def retrying(self, work: Work, trouble: Trouble) -> None:
        """Only told; nothing is durable yet."""
        self._progress.retrying(work, trouble)

    def already_committed(self, work: Work) -> None:
        """Make visible what an interrupted run committed, or what an earlier revision had."""
        self._to_publish.append((work.video.video_id, work.analysis_key))

    def tick(self) -> None:
        """Publish when it is time, so that readers follow a long run."""
        if self._to_publish and time.monotonic() - self._published_at >= PUBLISH_EVERY_S:
            self.publish()

    def publish(self, record: RunRecord | None = None) -> None:
        """Make everything committed so far visible, with the run's own record at the end."""
        if self._to_publish or record:
            self._index.publish(self._to_publish, [record] if record else [])
        self._to_publish = []
        self._published_at = time.monotonic()

    def _commit(self, work: Work, bundle: bytes) -> None:
        self._index.commit(work.video.video_id, work.analysis_key, bundle)
        self._to_publish.append((work.video.video_id, work.analysis_key))
