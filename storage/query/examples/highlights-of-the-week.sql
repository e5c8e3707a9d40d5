-- What are the best moments of the newest seven days of material?
SELECT h.score, file_name(v.uri) AS video, timecode(h.start_ms) AS at, h.title, h.reason
FROM highlights AS h JOIN videos AS v USING (analysis_key)
WHERE v.modified_at > (SELECT max(modified_at) FROM videos) - INTERVAL 7 DAYS
ORDER BY h.score DESC, v.uri, h.rank
LIMIT 20
