-- What each machine did, and the most memory a try took there.
SELECT coalesce(node, '') AS node, coalesce(device, '') AS device, count(*) AS attempts,
    count(*) FILTER (failure_class IS NOT NULL) AS failed,
    sum(coalesce(prefill_seconds, 0) - coalesce(wait_seconds, 0) + coalesce(generate_seconds, 0)) AS busy_seconds,
    sum(coalesce(prefill_seconds, 0) + coalesce(generate_seconds, 0)) AS held_seconds,
    max(peak_memory_bytes) AS peak_memory_bytes, max_by(uri, peak_memory_bytes) AS peak_uri
FROM attempts WHERE run_id BETWEEN $first AND $last
GROUP BY 1, 2 ORDER BY peak_memory_bytes DESC NULLS LAST, 1, 2
LIMIT 200
