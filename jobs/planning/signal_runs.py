"""What runs of signals alone took besides reading: their start and end, and the time between two videos."""

from dataclasses import dataclass

from jobs.attempts.work import WAITING_PER_CPU
from storage.query.actors import actors_by_run
from storage.query.catalog import Catalog

# Of the latest ones: seconds without any video at work, seconds with, videos, and seconds of their signals.
_LATEST = """
WITH tried AS (
    SELECT run_id, min(started_at) AS begins, count(*) AS num_videos, sum(signal_seconds) AS signals_s,
        max(started_at + to_microseconds((seconds * 1e6)::BIGINT)) AS ends
    FROM attempts WHERE outcome IN ('indexed', 'partial') AND signal_seconds > 0 GROUP BY run_id
)
SELECT run_id, epoch(t.begins - r.started_at) + greatest(0, epoch(r.ended_at - t.ends)),
    epoch(t.ends - t.begins), num_videos, signals_s
FROM tried AS t JOIN runs AS r USING (run_id) WHERE r.model_id IS NULL
ORDER BY r.started_at DESC LIMIT 10"""


@dataclass(frozen=True)
class SignalRuns:
    """Seconds: `idle_s` of a run without any video at work, `video_s` of a video on top of its signals."""

    idle_s: float
    video_s: float
    num_cpus: int  # at work in the latest run

    def wall_s(self, num_videos: int, signals_s: float, longest_s: float) -> float:
        """What so many videos take from the command to its end, whose signals take `signals_s` together."""
        shared_s = (signals_s + self.video_s * num_videos) / self.num_cpus
        return self.idle_s + max(shared_s, longest_s)


def read_signal_runs(catalog: Catalog) -> SignalRuns | None:
    """What the latest runs of signals alone took. None: there was none."""
    runs = catalog.query(_LATEST).rows
    if not runs:
        return None
    ids = [run[0] for run in runs]
    handed_out = actors_by_run(catalog, min(ids), max(ids))
    cpus = {one: max(1, handed_out.get(one, 1) // WAITING_PER_CPU) for one in ids}
    beside_s = sum(cpus[one] * busy_s - signals_s for one, _, busy_s, _, signals_s in runs)
    idle_s = sorted(run[1] for run in runs)[len(runs) // 2]
    num_videos = sum(run[3] for run in runs)
    return SignalRuns(float(idle_s), max(0.0, float(beside_s) / num_videos), cpus[ids[0]])
