-- In which languages are there captions, of how many videos, and how much is said in them?
SELECT coalesce(t.language, 'not said') AS language, t.source, count(DISTINCT t.video_id) AS videos,
    sum(t.num_cues)::BIGINT AS cues, count(*) FILTER (NOT t.has_text) AS tracks_without_text
FROM caption_tracks AS t
GROUP BY ALL
ORDER BY videos DESC, language, source
