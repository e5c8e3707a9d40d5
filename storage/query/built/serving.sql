-- What search reads, made in the database `built` from its tables, and from an earlier build in `old`.
-- `missing` holds the analysis_keys whose rows are not in `old`, `carried` those whose rows are;
-- the braces stand for the query of documents.py. Numbers of documents follow from the documents alone,
-- so a build on top of another equals a full one.
CREATE TEMP TABLE unnumbered AS
FROM (
    SELECT NULL::BIGINT AS old_document, d.* EXCLUDE (body), keyframe_ms, uri, recorded_at, modified_at, indexed_at,
        len(words(body)) AS length, body
    FROM ({documents}) AS d SEMI JOIN temp.missing USING (analysis_key)
    JOIN (SELECT analysis_key, uri, recorded_at, modified_at, created_at AS indexed_at FROM built.videos)
        USING (analysis_key)
    LEFT JOIN (
        SELECT analysis_key, table_name AS kind, row_index, min(at_ms) AS keyframe_ms
        FROM keyframes SEMI JOIN temp.missing USING (analysis_key) GROUP BY ALL
    ) USING (analysis_key, kind, row_index)
    UNION ALL BY NAME
    SELECT * RENAME (document AS old_document), NULL::VARCHAR AS body
    FROM old.documents SEMI JOIN temp.carried USING (analysis_key)
);

-- A table of its own, short keys, and a count of sorted rows: joined, sorted by texts, or counted in a window with
-- an order, millions of rows would have to be in memory.
CREATE TEMP TABLE sources AS
SELECT row_number() OVER () AS document, *
FROM (
    FROM temp.unnumbered ORDER BY uri, kind DESC, start_ms, end_ms, scene_index, row_index,
        CASE WHEN row_index IS NULL THEN title END, CASE WHEN row_index IS NULL THEN text END
);
DROP TABLE temp.unnumbered;

CREATE TABLE built.documents AS
SELECT document, kind, video_id, analysis_key, uri, recorded_at, modified_at, indexed_at, model_id, model_revision, language,
    row_index, start_ms, end_ms, scene_index, keyframe_ms, title, text, length
FROM sources;

CREATE TABLE built.corpus AS
SELECT count(*) AS num_documents, avg(length) AS average_length,
    coalesce(list(DISTINCT coalesce(split_part(language, '-', 1), '')), []) AS languages
FROM built.documents;

CREATE TABLE built.postings AS FROM old.postings LIMIT 0;
CREATE TABLE built.vectors AS FROM old.vectors LIMIT 0;

CREATE TEMP TABLE stems (language VARCHAR, word VARCHAR, term VARCHAR);
