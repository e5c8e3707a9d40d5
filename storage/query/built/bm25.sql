-- Full text in plain SQL: FROM bm25(['red', 'car']) gives (document, score) over the table `postings`.
-- BM25 with k1 = 1.2, b = 0.75; terms are stems, as stemming.py makes them. bm25.py is the same, faster.
CREATE OR REPLACE MACRO bm25(wanted) AS TABLE
WITH terms AS (
    SELECT DISTINCT unnest(wanted) AS term
),
found AS (
    SELECT p.* FROM postings AS p JOIN terms USING (term)
),
rarity AS (
    SELECT term, ln(1 + (any_value(num_documents) - count(*) + 0.5) / (count(*) + 0.5)) AS idf
    FROM found, corpus GROUP BY term
)
-- Rounded: the order in which DuckDB's threads add must not part equal scores.
SELECT document, round(sum(idf * frequency * 2.2 / (
    frequency + 1.2 * (0.25 + 0.75 * length / average_length))), 6) AS score
FROM found JOIN rarity USING (term), corpus
GROUP BY document;
