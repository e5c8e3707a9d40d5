-- What came into the index last, written by which model, and when was it recorded and last modified?
SELECT file_name(uri) AS video, created_at AS indexed_at, recorded_at, modified_at, model_id AS model
FROM videos
ORDER BY created_at DESC, uri
LIMIT 20
