-- An earlier build without rows, where there is none to build on; the types are those of serving.sql.
CREATE TABLE old.documents (
    document BIGINT, kind VARCHAR, video_id VARCHAR, analysis_key VARCHAR, uri VARCHAR,
    recorded_at TIMESTAMPTZ, modified_at TIMESTAMPTZ, indexed_at TIMESTAMPTZ,
    model_id VARCHAR, model_revision VARCHAR, language VARCHAR, row_index BIGINT,
    start_ms BIGINT, end_ms BIGINT, scene_index BIGINT, keyframe_ms BIGINT, title VARCHAR, text VARCHAR,
    length BIGINT
);
CREATE TABLE old.postings (term VARCHAR, document UINTEGER, frequency UINTEGER, length UINTEGER);
CREATE TABLE old.vectors (
    document BIGINT, kind VARCHAR, language VARCHAR, uri VARCHAR, recorded_at TIMESTAMPTZ,
    modified_at TIMESTAMPTZ, indexed_at TIMESTAMPTZ, analysis_key VARCHAR, scene_index BIGINT,
    s0 UBIGINT, s1 UBIGINT, s2 UBIGINT, s3 UBIGINT, s4 UBIGINT, s5 UBIGINT, vector FLOAT[384]
);
