-- Who is on screen the longest?
SELECT label, kind, count(*) AS scenes, count(DISTINCT video_id) AS videos,
    round(sum(end_ms - start_ms) / 60000, 1) AS minutes
FROM scene_characters
GROUP BY ALL
ORDER BY sum(end_ms - start_ms) DESC, label, kind
LIMIT 20
