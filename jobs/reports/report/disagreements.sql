-- Runs of the period whose scenes begin where no shot does far more often than scenes that the same model found in
-- other runs: $far_ms milliseconds and more away from any. Of $fewest borders at least.
WITH borders AS (
    SELECT run_id, model_id, model_revision, start_off_ms >= $far_ms AS is_far
    FROM claims WHERE table_name = 'scenes' AND start_ms > 0 AND start_off_ms IS NOT NULL
),
by_run AS (
    SELECT run_id, model_id, model_revision, count(*) AS num_borders, count(*) FILTER (is_far) AS num_far
    FROM borders GROUP BY ALL
),
compared AS (
    SELECT *, num_far / num_borders AS share,
        sum(num_borders) OVER model - num_borders AS num_others, sum(num_far) OVER model - num_far AS num_others_far
    FROM by_run WINDOW model AS (PARTITION BY model_id, model_revision)
)
SELECT run_id, model_id, model_revision, num_borders, share, num_others_far / num_others AS usual
FROM compared
WHERE run_id BETWEEN $first AND $last AND least(num_borders, num_others) >= $fewest AND share > 2 * usual + 0.1
ORDER BY run_id
