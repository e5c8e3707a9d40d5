-- How is each film cut, and what is to be seen to before it is shown: black, silence, loudness?
WITH cut AS (
    SELECT analysis_key, count(*) AS shots, median(end_ms - start_ms) AS median_ms
    FROM shots GROUP BY analysis_key
), odd AS (
    SELECT analysis_key, max(value) FILTER (kind = 'loudness') AS lufs,
        count(*) FILTER (kind = 'black') AS black, count(*) FILTER (kind = 'silence') AS silent
    FROM cues GROUP BY analysis_key
)
SELECT file_name(v.uri) AS film, shots, timecode(median_ms::BIGINT) AS median_shot, lufs, black, silent
FROM videos AS v JOIN cut USING (analysis_key) LEFT JOIN odd USING (analysis_key)
ORDER BY median_ms, film
LIMIT 50
