-- One video's first stored picture of a scene; see first_scene.sql.
SELECT media_type, image, at_ms FROM keyframes_all
WHERE video_id = $video_id AND analysis_key = $analysis_key AND table_name = 'scenes'
    AND octet_length(image) <= $most_bytes
ORDER BY row_index, at_ms LIMIT 1
