-- Which names does a model give that are neither said nor written?
SELECT n.name, n.model_id AS by_model, count(*) AS claims, count(DISTINCT n.video_id) AS videos,
    min(file_name(v.uri)) AS example
FROM unsupported_names() AS n JOIN videos AS v USING (analysis_key)
GROUP BY ALL
ORDER BY claims DESC, n.name
LIMIT 50
