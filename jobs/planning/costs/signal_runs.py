"""What runs of signals alone took besides reading: their start and end, and the time between two videos."""

from dataclasses import dataclass

from jobs.attempts.work import WAITING_PER_CPU
from storage.query.actors import actors_by_run
from storage.query.catalog import Catalog

# Of the latest ones: seconds without any video at work, seconds with, videos; seconds in which their signals
# were read, and of a CPU that these took.
_LATEST = """
WITH tried AS (
    SELECT run_id, min(started_at) AS begins, count(*) AS num_videos, sum(signal_seconds) AS signals_s,
        sum(seconds - coalesce(finish_seconds, 0)) AS wall_s,
        max(started_at + to_microseconds((seconds * 1e6)::BIGINT)) AS ends
    FROM attempts WHERE outcome IN ('indexed', 'partial') AND signal_seconds > 0 GROUP BY run_id
)
SELECT run_id, epoch(t.begins - r.started_at) + greatest(0, epoch(r.ended_at - t.ends)),
    epoch(t.ends - t.begins), num_videos, wall_s, signals_s
FROM tried AS t JOIN runs AS r USING (run_id) WHERE r.model_id IS NULL
ORDER BY r.started_at DESC LIMIT 10"""


@dataclass(frozen=True)
class SignalRuns:
    """Seconds: `idle_s` of a run without any video at work, `video_s` of a video on top of its signals."""

    idle_s: float
    video_s: float
    slowness: float  # seconds in which a CPU was at work on signals for one
    num_cpus: int  # at work in the latest run

    def wall_s(self, num_videos: int, signals_s: float, longest_s: float) -> float:
        """Return the seconds from the command to its end for so many videos, whose signals take `signals_s`
        of a CPU together, and those of one video at most `longest_s`."""
        shared_s = (self.slowness * signals_s + self.video_s * num_videos) / self.num_cpus
        return self.idle_s + max(shared_s, self.slowness * longest_s)


def read_signal_runs(catalog: Catalog) -> SignalRuns | None:
    """Read what the latest runs of signals alone took. None: there was none."""
    runs = catalog.query(_LATEST).rows
    if not runs:
        return None
    ids = [run[0] for run in runs]
    handed_out = actors_by_run(catalog, min(ids), max(ids))
    cpus = {one: max(1, handed_out.get(one, 1) // WAITING_PER_CPU) for one in ids}
    num_videos, wall_s, signals_s = (sum(run[place] for run in runs) for place in (3, 4, 5))
    beside_s = sum(cpus[run[0]] * run[2] for run in runs) - wall_s
    idle_s = sorted(run[1] for run in runs)[len(runs) // 2]
    return SignalRuns(
        float(idle_s), max(0.0, float(beside_s) / num_videos), float(wall_s / signals_s), cpus[ids[0]]
    )
