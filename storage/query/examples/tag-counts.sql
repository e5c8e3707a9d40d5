-- Which tags are there, and how often?
SELECT tag, count(*) AS scenes, count(DISTINCT video_id) AS videos
FROM scene_tags
GROUP BY tag
ORDER BY scenes DESC, tag
LIMIT 50
