-- Made from the tables, under the same names in every door: the catalog, views.sql, the serving file.

-- One row per tag of a scene, lower case.
CREATE OR REPLACE VIEW scene_tags AS
SELECT DISTINCT lower(unnest(tags)) AS tag, video_id, analysis_key, scene_index, start_ms, end_ms
FROM scenes;

-- One row per character of a scene, by the character's label.
CREATE OR REPLACE VIEW scene_characters AS
SELECT c.label, c.kind, a.video_id, a.analysis_key, a.character_id, a.scene_index, a.start_ms, a.end_ms
FROM appearances AS a JOIN characters AS c USING (analysis_key, character_id);

-- The last part of a URI or path.
CREATE OR REPLACE MACRO file_name(uri) AS regexp_extract(uri, '[^/]*$');

-- Milliseconds as players show them: 2:03.4, 1:02:03.4.
CREATE OR REPLACE MACRO timecode(ms) AS CASE
    WHEN ms < 3600000 THEN format('{}:{:02}.{}', ms // 60000, ms // 1000 % 60, ms // 100 % 10)
    ELSE format('{}:{:02}:{:02}.{}', ms // 3600000, ms // 60000 % 60, ms // 1000 % 60, ms // 100 % 10)
END;

-- What plays at a time in the videos whose URI ends so: FROM scenes_at('night walk.mkv', 5000).
CREATE OR REPLACE MACRO scenes_at(uri_ending, at_ms) AS TABLE
SELECT v.uri, s.* FROM scenes AS s JOIN videos AS v USING (analysis_key)
WHERE ends_with(v.uri, uri_ending) AND s.start_ms <= at_ms AND at_ms < s.end_ms
ORDER BY v.uri, s.scene_index;

-- What captions and speech say between two times of a video: FROM said_between('9c1185a5c5e9fc54', 60000, 90000).
CREATE OR REPLACE MACRO said_between(of_video, from_ms, to_ms) AS TABLE
SELECT * FROM (
    SELECT c.start_ms, c.end_ms, c.language, c.speaker, c.text, t.origin AS said_in, c.track, c.cue, c.video_id
    FROM captions AS c JOIN caption_tracks AS t USING (analysis_key, track)
    UNION ALL BY NAME
    SELECT start_ms, end_ms, language, text, 'speech' AS said_in, segment AS cue, video_id FROM speech
)
WHERE video_id = of_video AND start_ms < to_ms AND end_ms > from_ms
ORDER BY start_ms, track NULLS LAST, cue;

-- What is written in the pictures between two times of a video: FROM written_between('9c1185a5c5e9fc54', 60000, 90000).
CREATE OR REPLACE MACRO written_between(of_video, from_ms, to_ms) AS TABLE
SELECT start_ms, end_ms, text, confidence, box_left, box_top, box_right, box_bottom, line, video_id
FROM screen_text
WHERE video_id = of_video AND start_ms < to_ms AND end_ms > from_ms
ORDER BY start_ms, line;
