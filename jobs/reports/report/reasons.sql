-- Videos that were tried, by why the plan had them.
WITH tries AS (FROM attempts WHERE run_id BETWEEN $first AND $last),
videos AS (
    SELECT plan_reason, run_id, video_id, max_by(outcome, attempt) AS outcome, max(video_ms) AS video_ms,
        sum(coalesce(prefill_seconds, 0) + coalesce(generate_seconds, 0)) AS gpu_seconds,
        sum(coalesce(signal_seconds, 0) + coalesce(finish_seconds, 0)) AS cpu_seconds
    FROM tries GROUP BY ALL
)
SELECT plan_reason AS reason, count(*) AS videos,
    count(*) FILTER (outcome = 'indexed') AS indexed,
    count(*) FILTER (outcome = 'partial') AS partial,
    count(*) FILTER (outcome = 'quarantined') AS quarantined,
    count(*) FILTER (outcome NOT IN ('indexed', 'partial', 'quarantined')) AS unfinished,
    coalesce(sum(video_ms), 0) / 3.6e6 AS video_hours,
    sum(gpu_seconds) / 3600 AS gpu_hours,
    sum(cpu_seconds) / 3600 AS cpu_hours
FROM videos GROUP BY reason ORDER BY videos DESC, reason
