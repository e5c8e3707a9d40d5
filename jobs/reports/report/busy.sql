-- Seconds in which models computed, by time: each attempt's work is spread evenly over the time it took.
WITH held AS (
    SELECT epoch(started_at - $start::TIMESTAMPTZ) AS begins,
        begins + coalesce(prefill_seconds, 0) + coalesce(generate_seconds, 0) AS ends,
        coalesce(prefill_seconds, 0) - coalesce(wait_seconds, 0) + coalesce(generate_seconds, 0) AS busy
    FROM attempts WHERE run_id BETWEEN $first AND $last
),
pieces AS (
    SELECT *, unnest(range(floor(begins / $bucket)::BIGINT, floor(ends / $bucket)::BIGINT + 1)) AS bucket
    FROM held WHERE ends > begins
)
SELECT least(greatest(bucket, 0), $buckets - 1)::BIGINT AS bucket,
    sum(busy * (least(ends, (bucket + 1) * $bucket) - greatest(begins, bucket * $bucket)) / (ends - begins))
        AS busy_seconds
FROM pieces
GROUP BY ALL
ORDER BY bucket
