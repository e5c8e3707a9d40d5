-- Every video that is set aside now, altogether or for its model, newest first.
SELECT c.uri, c.video_id, c.created_at, c.run_id BETWEEN $first AND $last AS is_new, c.failure_class,
    any_value(f.code) AS code, any_value(f.message) AS message, any_value(f.hint) AS hint,
    count(*) OVER () AS total
FROM commits AS c LEFT JOIN failures AS f ON f.analysis_key = c.analysis_key AND f.action = 'quarantined'
WHERE c.state = 'quarantined' OR c.failure_class = 'domain'
GROUP BY ALL ORDER BY c.created_at DESC, c.uri
LIMIT 50
