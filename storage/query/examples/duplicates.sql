-- Which objects seem to be the same file twice: size, duration and picture count in common?
SELECT size_bytes, timecode(any_value(duration_ms)) AS duration, count(*) AS copies, list(uri ORDER BY uri) AS uris
FROM videos
GROUP BY size_bytes, duration_ms, num_frames_sampled
HAVING count(*) > 1
ORDER BY size_bytes * (count(*) - 1) DESC, uris
