-- Which long scenes show nobody?
SELECT file_name(v.uri) AS video, timecode(s.start_ms) AS at, round((s.end_ms - s.start_ms) / 1000, 1) AS seconds,
    s.title
FROM scenes AS s JOIN videos AS v USING (analysis_key)
WHERE len(s.character_ids) = 0
ORDER BY s.end_ms - s.start_ms DESC, v.uri, s.scene_index
LIMIT 20
