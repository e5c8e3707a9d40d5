-- Why are videos or answers missing, and for how long?
SELECT failure_class, code, action, count(DISTINCT video_id) AS videos,
    date_diff('day', min(created_at), now()) AS oldest_days,
    date_diff('day', max(created_at), now()) AS newest_days, min(uri) AS example
FROM failures
GROUP BY ALL
ORDER BY videos DESC, failure_class, code, action
