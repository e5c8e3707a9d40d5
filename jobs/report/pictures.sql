-- The first scene of the newest videos with its keyframe, of the period's runs where they made any.
WITH newest AS (
    SELECT video_id, analysis_key, uri, title, duration_ms, created_at
    FROM videos
    ORDER BY run_id BETWEEN $first AND $last DESC, created_at DESC, uri
    LIMIT 24
),
first_scenes AS (
    SELECT analysis_key, min(scene_index) AS scene_index, arg_min(title, scene_index) AS scene_title,
        arg_min(start_ms, scene_index) AS start_ms
    FROM scenes WHERE analysis_key IN (SELECT analysis_key FROM newest) GROUP BY analysis_key
),
stored AS (
    SELECT analysis_key, arg_min(media_type, (row_index, at_ms)) AS media_type,
        arg_min(image, (row_index, at_ms)) AS image, arg_min(at_ms, (row_index, at_ms)) AS at_ms
    FROM keyframes
    WHERE table_name = 'scenes' AND analysis_key IN (SELECT analysis_key FROM newest)
        AND octet_length(image) <= $most_bytes
    GROUP BY analysis_key
)
SELECT n.uri, n.video_id, n.title, n.duration_ms, n.created_at, s.scene_title, coalesce(k.at_ms, s.start_ms) AS at_ms,
    k.media_type, k.image
FROM newest AS n LEFT JOIN first_scenes AS s USING (analysis_key) LEFT JOIN stored AS k USING (analysis_key)
ORDER BY n.created_at DESC, n.uri
