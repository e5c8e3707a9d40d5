-- The runs of the period, oldest first; of one that has not ended, or died, only its attempts are known.
WITH ended AS (FROM runs WHERE run_id BETWEEN $first AND $last),
begun AS (
    SELECT run_id, min(started_at) AS started_at, max(started_at + to_seconds(seconds)) AS seen_at,
        any_value(recipe_id) AS recipe_id, count(DISTINCT video_id) AS num_tried,
        count(*) FILTER (outcome = 'indexed') AS num_indexed,
        count(*) FILTER (outcome = 'partial') AS num_partial,
        count(*) FILTER (outcome = 'quarantined') AS num_quarantined,
        coalesce(sum(video_ms) FILTER (outcome IN ('indexed', 'partial')), 0)::BIGINT AS video_ms
    FROM attempts
    WHERE run_id BETWEEN $first AND $last AND run_id NOT IN (SELECT run_id FROM ended)
    GROUP BY run_id
)
SELECT run_id, kind, started_at, ended_at AS seen_at, exit_code, library, recipe_id, model_id, settings_json,
    num_listed, num_unchanged, num_planned, num_indexed, num_partial, num_quarantined, num_unfinished,
    video_ms, num_frames, num_prompt_tokens, num_output_tokens, prefill_seconds, generate_seconds
FROM ended
UNION ALL BY NAME
SELECT run_id, NULL AS kind, started_at, seen_at, recipe_id, '' AS library, '' AS model_id, '' AS settings_json,
    num_tried AS num_planned, num_indexed, num_partial, num_quarantined, 0 AS num_unfinished, video_ms
FROM begun
ORDER BY started_at, run_id
