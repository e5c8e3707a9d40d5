-- The documents whose vectors are nearest to $vector, best first: $depth of them, from $least_cosine on.
-- $signs: its sign bits; $candidates: how many are rescored exactly; the brace: which documents are allowed.
WITH candidates AS (
    SELECT document FROM vectors WHERE {allowed}
    ORDER BY bit_count(xor(s0, ($signs::UBIGINT[])[1]))::SMALLINT + bit_count(xor(s1, ($signs::UBIGINT[])[2]))
        + bit_count(xor(s2, ($signs::UBIGINT[])[3])) + bit_count(xor(s3, ($signs::UBIGINT[])[4]))
        + bit_count(xor(s4, ($signs::UBIGINT[])[5])) + bit_count(xor(s5, ($signs::UBIGINT[])[6])), document
    LIMIT $candidates
)
SELECT document, round(array_inner_product(vector, $vector::FLOAT[384])::DOUBLE, 4) AS cosine
FROM vectors SEMI JOIN candidates USING (document)
WHERE cosine >= $least_cosine ORDER BY cosine DESC, document LIMIT $depth
