-- Sorted by term, so that a query reads the few row groups that hold its terms.
-- `stems` (word, term) covers the words of `new_words`.
CREATE TABLE built.postings AS
SELECT * FROM (
    SELECT term, document, sum(frequency)::INTEGER AS frequency, length::INTEGER AS length
    FROM new_words JOIN stems USING (word)
    GROUP BY ALL
    UNION ALL
    SELECT p.term, s.document, p.frequency, p.length
    FROM old.postings AS p JOIN sources AS s ON p.document = s.old_document
) ORDER BY term, document;

CREATE TABLE built.vectors AS
SELECT * FROM (
    FROM new_vectors
    UNION ALL BY NAME
    SELECT s.document, v.* EXCLUDE (document)
    FROM old.vectors AS v JOIN sources AS s ON v.document = s.old_document
) ORDER BY document;
