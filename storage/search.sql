-- The best documents by words and by meaning, fused by reciprocal rank (k = 60).
-- $terms: stems; $vector: the query's vector or NULL, $signs: its sign bits; $depth: length of each list;
-- $candidates: how many are rescored exactly; the braces: which documents are allowed.
WITH allowed AS (
    {allowed}
),
by_words AS (
    SELECT document, score AS words_score, row_number() OVER (ORDER BY score DESC, document) AS position
    FROM (FROM bm25($terms) {only} ORDER BY score DESC, document LIMIT $depth)
),
candidates AS (
    SELECT document FROM vectors {only}
    WHERE $vector IS NOT NULL
    ORDER BY bit_count(xor(s0, ($signs::UBIGINT[])[1]))::SMALLINT + bit_count(xor(s1, ($signs::UBIGINT[])[2]))
        + bit_count(xor(s2, ($signs::UBIGINT[])[3])) + bit_count(xor(s3, ($signs::UBIGINT[])[4]))
        + bit_count(xor(s4, ($signs::UBIGINT[])[5])) + bit_count(xor(s5, ($signs::UBIGINT[])[6])), document
    LIMIT $candidates
),
by_meaning AS (
    SELECT document, cosine AS meaning_score, row_number() OVER (ORDER BY cosine DESC, document) AS position
    FROM (
        SELECT document, round(array_inner_product(vector, $vector::FLOAT[384])::DOUBLE, 4) AS cosine
        FROM vectors SEMI JOIN candidates USING (document)
        WHERE cosine >= $least_cosine ORDER BY cosine DESC, document LIMIT $depth
    )
),
fused AS (
    SELECT document, words_score, meaning_score,
        coalesce(1 / (60 + w.position), 0) + coalesce(1 / (60 + m.position), 0) AS score
    FROM by_words AS w FULL JOIN by_meaning AS m USING (document)
    ORDER BY score DESC, document LIMIT $k
)
SELECT kind, video_id, uri, row_index, start_ms, end_ms, keyframe_ms, title, text, score, words_score,
    meaning_score
FROM fused JOIN documents USING (document)
ORDER BY score DESC, document
