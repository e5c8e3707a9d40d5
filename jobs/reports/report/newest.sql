-- The newest videos, of the period's runs where they made any.
SELECT * FROM (
    SELECT uri, video_id, analysis_key, title, duration_ms, created_at FROM videos
    ORDER BY run_id BETWEEN $first AND $last DESC, created_at DESC, uri
    LIMIT 24
)
ORDER BY created_at DESC, uri
