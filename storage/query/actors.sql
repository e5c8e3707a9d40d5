-- Per run, how many models held a video at once: an actor has one at a time, so that is how many there were.
WITH held AS (
    -- As long as the try without its finish, at least what the model took; clocks may differ by a little.
    SELECT run_id, started_at AS begins, started_at + to_microseconds((greatest(
            seconds - coalesce(finish_seconds, 0) - 0.05, coalesce(prefill_seconds, 0) + coalesce(generate_seconds, 0)
        ) * 1e6)::BIGINT) AS ends
    FROM attempts WHERE run_id BETWEEN $first AND $last
),
steps AS (
    SELECT run_id, begins AS moment, 1 AS step FROM held WHERE ends > begins
    UNION ALL
    SELECT run_id, ends, -1 FROM held WHERE ends > begins
),
levels AS (
    -- At one instant ends come before beginnings.
    SELECT run_id, sum(step) OVER (PARTITION BY run_id ORDER BY moment, step ROWS UNBOUNDED PRECEDING) AS level FROM steps
)
SELECT run_id, max(level)::BIGINT AS actors FROM levels GROUP BY run_id
