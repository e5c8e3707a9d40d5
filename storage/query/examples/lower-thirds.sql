-- Which lines stand in the lower third of the picture for some seconds, as names of speakers do?
SELECT file_name(v.uri) AS film, timecode(t.start_ms) AS at, (t.end_ms - t.start_ms) / 1000 AS seconds, t.text
FROM screen_text AS t
JOIN videos AS v USING (analysis_key)
WHERE t.box_top >= 2 / 3 AND t.end_ms - t.start_ms BETWEEN 2000 AND 15000
ORDER BY film, t.start_ms, t.line
LIMIT 50
