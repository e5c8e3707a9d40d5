-- How many videos came to which end when. `$bucket` is the width of a column in seconds.
WITH ends AS (
    SELECT started_at + to_microseconds((seconds * 1e6)::BIGINT) AS moment, outcome
    FROM attempts WHERE run_id BETWEEN $first AND $last AND outcome <> 'retried'
    UNION ALL BY NAME
    -- What a run without recorded attempts did counts where it ended.
    SELECT r.ended_at AS moment, unnest(['indexed', 'partial', 'quarantined', 'next_run']) AS outcome,
        unnest([num_indexed, num_partial, num_quarantined, num_unfinished]) AS videos
    FROM runs AS r
    WHERE run_id BETWEEN $first AND $last AND run_id NOT IN (SELECT run_id FROM attempts)
)
SELECT least(floor(epoch(moment - $start::TIMESTAMPTZ) / $bucket), $buckets - 1)::BIGINT AS bucket, outcome,
    sum(coalesce(videos, 1))::BIGINT AS videos
FROM ends
WHERE coalesce(videos, 1) > 0
GROUP BY ALL
ORDER BY bucket, outcome
