-- Who says "thank" in the captions while Bob is in the scene?
SELECT file_name(v.uri) AS film, timecode(c.start_ms) AS at, c.speaker, c.text, s.title AS scene
FROM captions AS c
JOIN videos AS v USING (analysis_key)
JOIN scenes AS s ON s.analysis_key = c.analysis_key AND s.start_ms < c.end_ms AND s.end_ms > c.start_ms
JOIN scene_characters AS seen ON seen.analysis_key = s.analysis_key AND seen.scene_index = s.scene_index
WHERE contains(lower(c.text), 'thank') AND seen.label = 'Bob'
ORDER BY film, c.start_ms, s.scene_index
LIMIT 50
