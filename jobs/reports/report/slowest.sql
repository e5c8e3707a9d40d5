-- The videos that cost most, model and CPUs and all their tries together.
SELECT any_value(uri) AS uri, video_id, max_by(outcome, attempt) AS outcome, count(*) AS tries,
    max(video_ms) AS video_ms, sum(seconds) AS seconds, max(peak_memory_bytes) AS peak_memory_bytes,
    sum(COLUMNS('^(wait|prefill|generate|signal|finish)_seconds$|^num_(frames|.*_tokens)$'))
FROM attempts WHERE run_id BETWEEN $first AND $last
GROUP BY run_id, video_id
ORDER BY sum(
    coalesce(prefill_seconds, 0) + coalesce(generate_seconds, 0) + coalesce(signal_seconds, 0)
    + coalesce(finish_seconds, 0)
) DESC, sum(seconds) DESC, video_id
LIMIT 10
