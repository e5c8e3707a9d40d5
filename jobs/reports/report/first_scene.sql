-- One video's first scene. The key is a current one's, so `…_all` spares looking that up; and parts are
-- sorted by video: its id leads to the few row groups to read.
SELECT title, start_ms FROM scenes_all
WHERE video_id = $video_id AND analysis_key = $analysis_key AND is_grounded IS NOT FALSE
ORDER BY scene_index LIMIT 1
