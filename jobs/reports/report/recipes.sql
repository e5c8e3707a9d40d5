-- How much of the index is under which recipe; `$used` is that of the newest run.
WITH made AS (
    SELECT c.recipe_id, v.model_id, v.model_revision, v.duration_ms, v.created_at
    FROM commits AS c JOIN videos AS v USING (analysis_key)
),
used AS (
    SELECT $used AS recipe_id, (SELECT any_value(model_id) FROM runs WHERE recipe_id = $used) AS model_id,
        (SELECT any_value(model_revision) FROM runs WHERE recipe_id = $used) AS model_revision
    WHERE $used <> '' AND $used NOT IN (SELECT recipe_id FROM made)
)
SELECT recipe_id, recipe_id = $used AS is_used, any_value(model_id) AS model_id,
    any_value(model_revision) AS model_revision, count(created_at) AS videos,
    coalesce(sum(duration_ms), 0) / 3.6e6 AS video_hours, max(created_at) AS newest
FROM (FROM made UNION ALL BY NAME FROM used)
GROUP BY recipe_id
ORDER BY is_used DESC, newest DESC NULLS LAST, recipe_id
