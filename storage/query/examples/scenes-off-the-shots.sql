-- Which scenes begin or end where no shot does, by more than a second?
SELECT file_name(v.uri) AS video, timecode(c.start_ms) AS starts, c.start_off_ms, c.end_off_ms, c.num_shots,
    c.model_id AS by_model, s.title
FROM claims AS c
JOIN scenes AS s ON s.analysis_key = c.analysis_key AND s.scene_index = c.row_index
JOIN videos AS v ON v.analysis_key = c.analysis_key
WHERE c.table_name = 'scenes' AND greatest(c.start_off_ms, c.end_off_ms) > 1000
ORDER BY greatest(c.start_off_ms, c.end_off_ms) DESC, video, starts
LIMIT 50
