-- In which videos did the model find nothing worth showing?
SELECT v.uri, timecode(v.duration_ms) AS duration, v.is_partial
FROM videos AS v ANTI JOIN highlights USING (analysis_key)
ORDER BY v.duration_ms DESC, v.uri
