-- One video's first scene. Parts are sorted by video: its id leads to the few row groups to read.
SELECT title, start_ms FROM scenes
WHERE video_id = $video_id AND analysis_key = $analysis_key
ORDER BY scene_index LIMIT 1
