-- How much of the index is under which recipe; the one in use is that of the newest run.
WITH used AS (SELECT max_by(recipe_id, run_id) AS recipe_id FROM runs)
SELECT v.recipe_id, coalesce(v.recipe_id = (SELECT recipe_id FROM used), false) AS is_used,
    any_value(v.model_id) AS model_id, count(v.created_at) AS videos, coalesce(sum(v.duration_ms), 0) / 3.6e6 AS video_hours,
    max(v.created_at) AS newest
FROM (
    SELECT c.recipe_id, v.model_id, v.duration_ms, v.created_at
    FROM commits AS c JOIN videos AS v USING (analysis_key)
    UNION ALL BY NAME
    SELECT recipe_id FROM used WHERE recipe_id IS NOT NULL AND recipe_id NOT IN (SELECT recipe_id FROM commits)
) AS v
GROUP BY v.recipe_id
ORDER BY is_used DESC, newest DESC NULLS LAST, v.recipe_id
