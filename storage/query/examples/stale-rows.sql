-- How much of the index was made under which recipe, and which recipe is the newest run's?
SELECT v.recipe_id, v.recipe_id = (SELECT max_by(recipe_id, run_id) FROM runs) AS is_newest,
    any_value(v.model_id) AS model, count(*) AS videos, round(sum(v.duration_ms) / 3600000, 2) AS hours,
    min(v.created_at)::DATE AS indexed_since
FROM videos AS v
GROUP BY v.recipe_id
ORDER BY videos DESC, v.recipe_id
