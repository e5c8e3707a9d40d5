-- What are the best moments of the newest seven days of material, by when it was recorded (where files do not say:
-- last written)?
SELECT h.score, file_name(v.uri) AS video, timecode(h.start_ms) AS at, h.title, h.reason
FROM highlights AS h JOIN videos AS v USING (analysis_key)
WHERE coalesce(v.recorded_at, v.modified_at)
    > (SELECT max(coalesce(recorded_at, modified_at)) FROM videos) - INTERVAL 7 DAYS
ORDER BY h.score DESC, v.uri, h.rank
LIMIT 20
