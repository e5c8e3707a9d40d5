-- What the attempts took in all, and per hour of video of those that became rows.
WITH tries AS (FROM attempts WHERE run_id BETWEEN $first AND $last),
videos AS (
    SELECT run_id, video_id, max(video_ms) FILTER (outcome IN ('indexed', 'partial')) / 3.6e6 AS hours,
        sum(coalesce(prefill_seconds, 0) + coalesce(generate_seconds, 0)) AS gpu_seconds
    FROM tries GROUP BY run_id, video_id
)
SELECT (SELECT count(*) FROM tries) AS attempts,
    sum(COLUMNS('^(wait|prefill|generate|signal|finish)_seconds$|^num_(frames|.*_tokens)$')),
    sum(video_ms) FILTER (outcome IN ('indexed', 'partial')) AS video_ms,
    max(peak_memory_bytes) AS peak_memory_bytes,
    coalesce(sum(coalesce(prefill_seconds, 0) + coalesce(generate_seconds, 0))
        FILTER (outcome NOT IN ('indexed', 'partial')), 0) AS lost_seconds,
    (SELECT coalesce(sum(hours), 0) FROM videos) AS video_hours,
    (SELECT quantile_cont(gpu_seconds / hours, 0.5) FROM videos WHERE hours > 0) AS p50,
    (SELECT quantile_cont(gpu_seconds / hours, 0.9) FROM videos WHERE hours > 0) AS p90
FROM tries
