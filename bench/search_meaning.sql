-- The part of storage/search.sql that looks for meaning, by itself.
WITH candidates AS (
    SELECT document FROM vectors
    ORDER BY bit_count(xor(s0, ($signs::UBIGINT[])[1]))::SMALLINT + bit_count(xor(s1, ($signs::UBIGINT[])[2]))
        + bit_count(xor(s2, ($signs::UBIGINT[])[3])) + bit_count(xor(s3, ($signs::UBIGINT[])[4]))
        + bit_count(xor(s4, ($signs::UBIGINT[])[5])) + bit_count(xor(s5, ($signs::UBIGINT[])[6])), document
    LIMIT 2000
)
SELECT document, array_inner_product(vector, $vector::FLOAT[384]) AS cosine
FROM vectors SEMI JOIN candidates USING (document)
ORDER BY cosine DESC LIMIT 20
