-- What is the library made of?
SELECT container, video_codec, count(*) AS videos, round(sum(duration_ms) / 3600000, 2) AS hours,
    round(sum(size_bytes) / 1e9, 2) AS gigabytes
FROM videos
GROUP BY ALL
ORDER BY sum(duration_ms) DESC, container, video_codec
