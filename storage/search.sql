-- BM25 (k1 = 1.2, b = 0.75) over videos, scenes, characters and highlights.
-- $text: words to look for; $kind: one of these four tables or NULL; $k: how many hits.
-- `documents` and `postings` are computed from the rows each time; a stored postings table with the
-- same columns can take their place.
WITH labels AS (
    SELECT s.analysis_key, s.scene_index, string_agg(c.label, ' ') AS labels
    FROM (SELECT analysis_key, scene_index, unnest(character_ids) AS character_id FROM scenes) AS s
    JOIN characters AS c USING (analysis_key, character_id)
    GROUP BY ALL
),
documents AS MATERIALIZED (
    SELECT row_number() OVER () AS document, *, words(body) AS terms
    FROM (
        SELECT 'videos' AS kind, analysis_key, NULL::BIGINT AS start_ms, NULL::BIGINT AS end_ms,
            coalesce(title, regexp_extract(uri, '[^/]*$')) AS title, coalesce(summary, '') AS text,
            concat_ws(' ', title, summary, regexp_extract(uri, '[^/]*$')) AS body
        FROM videos
        UNION ALL
        SELECT 'scenes', analysis_key, start_ms, end_ms, title, summary,
            concat_ws(' ', title, summary, setting, mood, labels, array_to_string(tags, ' '),
                array_to_string(actions, ' '), array_to_string(objects, ' '))
        FROM scenes LEFT JOIN labels USING (analysis_key, scene_index)
        UNION ALL
        SELECT 'characters', analysis_key, first_seen_ms, last_seen_ms, label, description,
            concat_ws(' ', label, description)
        FROM characters
        UNION ALL
        SELECT 'highlights', analysis_key, start_ms, end_ms, title, reason, concat_ws(' ', title, reason)
        FROM highlights
    )
    WHERE $kind IS NULL OR kind = $kind
),
corpus AS (
    SELECT count(*) AS num_documents, avg(len(terms)) AS average_length FROM documents
),
wanted AS (
    SELECT DISTINCT unnest(words($text)) AS term
),
postings AS (
    SELECT term, document, count(*) AS frequency
    FROM (SELECT document, unnest(terms) AS term FROM documents) SEMI JOIN wanted USING (term)
    GROUP BY ALL
),
rarity AS (
    SELECT term, ln(1 + (num_documents - count(*) + 0.5) / (count(*) + 0.5)) AS idf
    FROM postings, corpus GROUP BY term, num_documents
),
scores AS (
    SELECT document, sum(idf * frequency * 2.2 / (
        frequency + 1.2 * (0.25 + 0.75 * len(terms) / average_length))) AS score
    FROM postings JOIN rarity USING (term) JOIN documents USING (document), corpus
    GROUP BY document
)
SELECT kind, video_id, uri, d.start_ms, d.end_ms, d.title, text, score
FROM scores JOIN documents AS d USING (document) JOIN videos USING (analysis_key)
ORDER BY score DESC, kind DESC, uri, d.start_ms, d.title
LIMIT $k
