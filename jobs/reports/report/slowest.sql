-- The videos that cost most, all their tries together.
SELECT any_value(uri) AS uri, video_id, max_by(outcome, attempt) AS outcome, count(*) AS tries,
    max(video_ms) AS video_ms, sum(seconds) AS seconds,
    sum(coalesce(wait_seconds, 0)) AS wait_seconds,
    sum(coalesce(prefill_seconds, 0)) AS prefill_seconds,
    sum(coalesce(generate_seconds, 0)) AS generate_seconds,
    sum(coalesce(finish_seconds, 0)) AS finish_seconds
FROM attempts WHERE run_id BETWEEN $first AND $last
GROUP BY run_id, video_id
ORDER BY sum(coalesce(prefill_seconds, 0) + coalesce(generate_seconds, 0)) DESC, sum(seconds) DESC, video_id
LIMIT 10
