-- What went wrong, alike failures together, with what was said about the latest one that was not tried again.
WITH said AS (FROM failures_all WHERE run_id BETWEEN $first AND $last),
tried AS (FROM attempts WHERE run_id BETWEEN $first AND $last AND failure_class IS NOT NULL),
alike AS (
    SELECT run_id, video_id, uri, analysis_key, started_at AS moment, failure_class, code, stage,
        coalesce(fingerprint, code, '') AS fingerprint, outcome AS ended, 1 AS tries
    FROM tried
    UNION ALL BY NAME
    SELECT run_id, video_id, uri, analysis_key, created_at AS moment, failure_class, code, stage,
        code AS fingerprint, action AS ended, attempts AS tries
    FROM said AS s
    WHERE NOT EXISTS (
        FROM tried AS t WHERE t.run_id = s.run_id AND t.analysis_key = s.analysis_key AND t.code = s.code)
),
groups AS (
    SELECT failure_class, code, fingerprint, max_by(stage, moment) AS stage,
        count(DISTINCT video_id) AS videos, sum(tries)::BIGINT AS tries,
        count(DISTINCT video_id) FILTER (ended = 'quarantined') AS quarantined,
        count(DISTINCT video_id) FILTER (ended IN ('partial', 'kept_valid_part')) AS partial,
        count(DISTINCT video_id) FILTER (ended = 'next_run') AS unfinished,
        max_by(struct_pack(uri, video_id, run_id, analysis_key), (ended <> 'retried', moment)) AS example
    FROM alike GROUP BY failure_class, code, fingerprint
),
words AS (
    SELECT run_id, analysis_key, code, any_value(message) AS message, any_value(hint) AS hint
    FROM said GROUP BY run_id, analysis_key, code
)
SELECT g.* EXCLUDE (example), g.example.uri AS uri, g.example.video_id AS video_id, w.message, w.hint
FROM groups AS g LEFT JOIN words AS w
    ON w.run_id = g.example.run_id AND w.analysis_key = g.example.analysis_key AND w.code = g.code
ORDER BY quarantined + unfinished DESC, videos DESC, failure_class, g.code, fingerprint
