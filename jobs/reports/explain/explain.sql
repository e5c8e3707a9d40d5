-- Each query is named by the comment before it; all are about the video $video_id.

-- revisions: what the library object was, oldest first
WITH known AS (
    SELECT object_rev, created_at, uri FROM commits_all WHERE video_id = $video_id
    UNION ALL
    SELECT object_rev, created_at, uri FROM failures_all WHERE video_id = $video_id
    UNION ALL
    SELECT object_rev, started_at, uri FROM attempts WHERE video_id = $video_id
),
described AS (
    SELECT object_rev, arg_max(struct_pack(size_bytes, modified_at, duration_ms, width, height, video_codec), created_at)
        AS facts
    FROM videos_all WHERE video_id = $video_id GROUP BY object_rev
)
SELECT k.object_rev, min(k.created_at) AS first_seen, max(k.created_at) AS last_seen, any_value(d.facts.size_bytes)
    AS size_bytes, any_value(d.facts.modified_at) AS modified_at, any_value(d.facts.duration_ms) AS duration_ms,
    any_value(d.facts.width) AS width, any_value(d.facts.height) AS height,
    any_value(d.facts.video_codec) AS video_codec
FROM known AS k LEFT JOIN described AS d USING (object_rev)
GROUP BY k.object_rev ORDER BY first_seen, k.object_rev;

-- commits: what was said of the video, oldest first; the last one counts
FROM commits_all WHERE video_id = $video_id ORDER BY snapshot;

-- tries: every one, oldest first
FROM attempts WHERE video_id = $video_id ORDER BY started_at, run_id, attempt;

-- failures: every one, oldest first
SELECT a.*, EXISTS (FROM failures AS f WHERE f.run_id = a.run_id AND f.analysis_key = a.analysis_key
    AND f.code = a.code AND f.prompt_id IS NOT DISTINCT FROM a.prompt_id
    AND f.signal_id IS NOT DISTINCT FROM a.signal_id) AS counts
FROM failures_all AS a WHERE a.video_id = $video_id ORDER BY a.created_at, a.code;

-- copies: other videos that have, or had, the same bytes
SELECT DISTINCT uri FROM commits_all
WHERE video_id <> $video_id AND content_rev <> ''
    AND content_rev IN (SELECT content_rev FROM commits_all WHERE video_id = $video_id)
ORDER BY uri LIMIT 5;

-- video: its row in the commit that counts
FROM videos_all WHERE video_id = $video_id AND analysis_key = $analysis_key
