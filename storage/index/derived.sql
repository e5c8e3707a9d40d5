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

-- What a model claims of stretches of a video, and the sentences in which it says so.
CREATE OR REPLACE VIEW _claims AS
SELECT 'scenes' AS table_name, scene_index AS row_index, NULL::VARCHAR AS character_id, start_ms, end_ms,
    summary AS sentences, video_id, analysis_key, run_id, model_id, model_revision
FROM scenes
UNION ALL BY NAME
SELECT 'highlights' AS table_name, rank AS row_index, start_ms, end_ms,
    reason AS sentences, video_id, analysis_key, run_id, model_id, model_revision
FROM highlights
UNION ALL BY NAME
SELECT 'appearances' AS table_name, a.scene_index AS row_index, a.character_id, a.start_ms, a.end_ms,
    concat_ws('. ', c.label, c.description) AS sentences, a.video_id, a.analysis_key, a.run_id, a.model_id,
    a.model_revision
FROM appearances AS a JOIN characters AS c USING (analysis_key, character_id);

-- Scenes, highlights and characters in scenes, and what the pictures say to each: milliseconds from its borders to the
-- nearest borders of shots, and the shots that it lies in or over. Null where no shots were read.
CREATE OR REPLACE VIEW claims AS
SELECT c.* EXCLUDE (sentences, last_ms),
    least(c.start_ms - first_shot.start_ms, abs(first_shot.end_ms - c.start_ms)) AS start_off_ms,
    least(c.end_ms - last_shot.start_ms, abs(last_shot.end_ms - c.end_ms)) AS end_off_ms,
    last_shot.shot_index - first_shot.shot_index + 1 AS num_shots
FROM (SELECT *, end_ms - 1 AS last_ms FROM _claims) AS c
ASOF LEFT JOIN shots AS first_shot
    ON first_shot.video_id = c.video_id AND first_shot.start_ms <= c.start_ms
ASOF LEFT JOIN shots AS last_shot
    ON last_shot.video_id = c.video_id AND last_shot.start_ms <= c.last_ms;

-- Words as they are compared: lower case, without accents and without a possessive.
CREATE OR REPLACE MACRO plain_words(text) AS list_transform(
    regexp_extract_all(replace(strip_accents(lower(text)), '’', ''''), '[\p{L}\p{N}][\p{L}\p{N}'']*'),
    lambda word: regexp_replace(word, '''s?$', '')
);

-- Words of sentences that may be proper names: capitalised, and first in no sentence. What is capitalised anyway is
-- left out.
CREATE OR REPLACE MACRO names_in(text) AS list_distinct(list_filter(
    regexp_extract_all(
        regexp_replace(
            regexp_replace(text, '\b(Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr)\.', '\1', 'g'),
            '(^|[.!?…:;\n]["”’'')\]]*\s+)["“‘''(\[]*[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}''’-]*', '\1', 'g'
        ),
        '[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N}''’]*'
    ),
    lambda word: regexp_matches(word, '^\p{Lu}[\p{L}\p{M}''’]') AND NOT list_contains([
        'i''m', 'i''ve', 'i''ll', 'i''d', 'ok', 'tv', 'dj', 'mr', 'mrs', 'ms', 'dr', 'prof', 'sir', 'st', 'sr', 'jr',
        'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday', 'january', 'february', 'march',
        'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'
    ], replace(lower(word), '’', ''''))
));

-- Names in claims that are neither said, captioned, written on screen, nor in the file's name and metadata: of all videos
-- or, much faster, of one: FROM unsupported_names('9c1185a5c5e9fc54'). Of videos in which nothing was said or written,
-- as far as was read, nobody can tell.
CREATE OR REPLACE MACRO unsupported_names(of_video := NULL) AS TABLE
WITH said AS (
    SELECT analysis_key, concat_ws(' ', speaker, text) AS text
    FROM captions WHERE of_video IS NULL OR video_id = of_video
    UNION ALL
    SELECT analysis_key, text FROM speech WHERE of_video IS NULL OR video_id = of_video
    UNION ALL
    SELECT analysis_key, text FROM screen_text WHERE of_video IS NULL OR video_id = of_video
),
told AS (
    FROM said
    UNION ALL
    SELECT analysis_key, title FROM chapters WHERE of_video IS NULL OR video_id = of_video
    UNION ALL
    SELECT analysis_key, concat_ws(' ', file_name(uri), title, location, camera_make, camera_model)
    FROM videos WHERE of_video IS NULL OR video_id = of_video
),
known AS (SELECT DISTINCT analysis_key, unnest(plain_words(text)) AS word FROM told),
named AS (
    SELECT * EXCLUDE (sentences), unnest(names_in(sentences)) AS name
    FROM _claims WHERE of_video IS NULL OR video_id = of_video
)
SELECT n.*
FROM named AS n
SEMI JOIN said ON said.analysis_key = n.analysis_key
ANTI JOIN known ON known.analysis_key = n.analysis_key AND known.word = plain_words(n.name)[1];
