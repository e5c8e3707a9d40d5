"""Compaction by itself: once the index has many small files, they are merged beside the run."""

from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from jobs.driver.telling.progress import Progress
from schemas.failures import LeaseHeldError, MediaIndexError
from storage.index.publishing.snapshots import Snapshot
from storage.upkeep.compact import Compaction, compact, is_due


class Tidying:
    """Merges in a thread of its own, one time after the other. What goes wrong is told and harms nothing."""

    def __init__(
        self, url: str, endpoint_url: str | None, at: int, progress: Progress, scratch: Path | None = None
    ) -> None:
        """`at`: how many small files of a table are not merged yet; 0: nothing is ever merged."""
        self._url = url
        self._endpoint_url = endpoint_url
        self._at = at
        self._progress = progress
        self._scratch = scratch
        self._pool = ThreadPoolExecutor(1, "compaction")
        self._work: Future[Compaction | None] | None = None

    def look(self, snapshot: Snapshot | None) -> None:
        """Begin where it is due and none is under way."""
        if self._work is not None and not self._work.done():
            return
        self._tell()
        if is_due(snapshot, self._at):
            self._work = self._pool.submit(self._compact)

    def finish(self) -> None:
        """Wait for the one under way."""
        self._pool.shutdown()
        self._tell()

    def _compact(self) -> Compaction | None:
        return compact(self._url, self._endpoint_url, lambda holder: None, self._scratch, at_ease=True)

    def _tell(self) -> None:
        work, self._work = self._work, None
        try:
            if work and (done := work.result()):
                self._progress.compacted(done)
        except LeaseHeldError:  # somebody else is at it, or a video is being forgotten
            pass
        except (MediaIndexError, OSError) as error:
            self._progress.not_compacted(error)
