"""What a plan will take, from what attempts so far took."""

from dataclasses import dataclass

from jobs.planning.plan import Plan
from jobs.planning.preflight import Preflight
from storage.query.catalog import Catalog, open_catalog

Range = tuple[float, float]  # likely, and at worst: by the median and the 90th percentile

# Of the latest attempts with the same weights, on what most of them ran on: seconds of an actor for a second
# of video, apart for what every video costs and for what grows with the number of prompts asked.
_RATES = """
WITH latest AS (
    SELECT a.*, (a.prefill_seconds + a.generate_seconds) / (a.video_ms / 1000) AS rate
    FROM attempts AS a JOIN runs AS r USING (run_id)
    WHERE a.outcome IN ('indexed', 'partial') AND a.video_ms > 0 AND r.model_revision = $revision
    ORDER BY a.started_at DESC LIMIT 5000
), usual AS (SELECT mode(device) AS device FROM latest)
SELECT device, count(*), quantile_cont(rate, 0.5), quantile_cont(rate, 0.9),
    coalesce(sum(prefill_seconds) / nullif(sum(prefill_seconds + generate_seconds), 0), 1)
FROM latest SEMI JOIN usual USING (device) GROUP BY device"""

# Duration where it is known, else by the size, as videos of that container go.
_HOURS = """
WITH known AS (SELECT video_id, object_rev, duration_ms FROM videos_all),
usual AS (
    SELECT lower(regexp_extract(uri, '[^.]*$')) AS extension,
        sum(duration_ms) / nullif(sum(size_bytes), 0) AS pace
    FROM videos GROUP BY extension
), overall AS (SELECT sum(duration_ms) / nullif(sum(size_bytes), 0) AS pace FROM videos)
SELECT sum(duration_ms) / 3.6e6, sum(duration_ms * share) / 3.6e6 FROM (
    SELECT coalesce(any_value(k.duration_ms), any_value(p.size_bytes * coalesce(u.pace, o.pace)))
            AS duration_ms,
        any_value(CASE WHEN len(p.tasks) = 0 THEN 1
            ELSE $prefill + (1 - $prefill) * len(p.tasks) / $num_tasks END) AS share
    FROM _planned AS p
    LEFT JOIN known AS k ON k.video_id = p.video_id AND p.has_rows AND p.reason <> 'changed'
    LEFT JOIN usual AS u ON u.extension = lower(regexp_extract(p.uri, '[^.]*$')) CROSS JOIN overall AS o
    GROUP BY p.video_id
)"""


@dataclass(frozen=True)
class Estimate:
    """None where nothing is known yet. Hours of an actor are those of one GPU, or of a CPU without GPUs."""

    num_videos: int
    video_bytes: int
    video_hours: float | None = None
    num_attempts: int = 0
    device: str | None = None
    num_actors: int = 1
    actor_hours: Range | None = None
    finish_hours: Range | None = None
    usd: Range | None = None


def estimate_of(plan: Plan, checked: Preflight, usd_per_gpu_hour: float | None) -> Estimate:
    """From the attempts that the index has recorded."""
    with open_catalog(checked.settings.index, checked.settings.endpoint_url, must_exist=False) as catalog:
        return _estimate(plan, checked, catalog, usd_per_gpu_hour)


def _estimate(plan: Plan, checked: Preflight, catalog: Catalog, usd_per_gpu_hour: float | None) -> Estimate:
    base = Estimate(plan.summary.num_videos, plan.summary.video_bytes)
    if not base.num_videos:
        return base
    found = catalog.query(_RATES, {"revision": checked.recipe.model_revision}).rows
    device, num_attempts, likely, worst, prefill = found[0] if found else (None, 0, None, None, 1.0)
    num_tasks = len(checked.recipe.prompts)
    catalog.connection.register("_planned", plan.videos.table)
    [(video_hours, weighted_hours)] = catalog.query(_HOURS, {"prefill": prefill, "num_tasks": num_tasks}).rows
    num_actors = checked.settings.num_actors or 1
    actor = (weighted_hours * likely, weighted_hours * worst) if found and weighted_hours else None
    return Estimate(
        base.num_videos,
        base.video_bytes,
        video_hours,
        num_attempts,
        device,
        num_actors,
        actor,
        finish_hours=(actor[0] / num_actors, actor[1] / num_actors) if actor else None,
        usd=(actor[0] * usd_per_gpu_hour, actor[1] * usd_per_gpu_hour)
        if actor and usd_per_gpu_hour is not None
        else None,
    )
