-- The words of the new texts among the documents from {first} to {last}, and room for the texts' vectors.
CREATE OR REPLACE TEMP TABLE new_words AS
SELECT document, length, language, word, count(*) AS frequency
FROM (
    SELECT document::UINTEGER AS document, length::UINTEGER AS length,
        coalesce(split_part(language, '-', 1), '') AS language, unnest(words(body)) AS word
    FROM temp.sources WHERE document BETWEEN {first} AND {last} AND old_document IS NULL
)
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE new_vectors AS
SELECT document, s0, s1, s2, s3, s4, s5, vector FROM old.vectors LIMIT 0;
