-- How many scenes, and how many minutes of them, play where, by the day the film was recorded
-- (where the file does not say: last written)?
SELECT coalesce(v.recorded_at, v.modified_at)::DATE AS day, lower(s.setting) AS setting, count(*) AS scenes,
    round(sum(s.end_ms - s.start_ms) / 60000, 1) AS minutes
FROM scenes AS s JOIN videos AS v USING (analysis_key)
GROUP BY ALL
ORDER BY day DESC, scenes DESC, setting
