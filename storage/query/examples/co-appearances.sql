-- Which two characters share the most scenes?
SELECT a.label AS one, b.label AS other, count(DISTINCT (analysis_key, scene_index)) AS scenes,
    count(DISTINCT a.video_id) AS videos
FROM scene_characters AS a JOIN scene_characters AS b USING (analysis_key, scene_index)
WHERE a.label < b.label
GROUP BY ALL
ORDER BY scenes DESC, one, other
LIMIT 20
