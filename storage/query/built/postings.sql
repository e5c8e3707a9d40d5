-- Postings of the documents from {first} to {last}; `stems` (language, word, term) covers the words of their new texts.
-- Sorted by term, so that a query reads the few row groups that hold its terms; and range by range, so that
-- a build holds one in memory, and the documents of a term ascend over all ranges.
INSERT INTO built.postings
SELECT * FROM (
    SELECT term, document, sum(frequency)::UINTEGER AS frequency, length
    FROM temp.new_words JOIN temp.stems USING (language, word)
    GROUP BY ALL
    UNION ALL
    SELECT p.term, s.document, p.frequency, p.length
    FROM old.postings AS p JOIN temp.sources AS s ON p.document = s.old_document
    WHERE s.document BETWEEN {first} AND {last} AND p.document BETWEEN {old_first} AND {old_last}
) ORDER BY term, document;

-- With the columns that filters ask for, as a join over all documents would take longer than the search.
INSERT INTO built.vectors
SELECT s.document, s.kind, s.language, s.uri, s.recorded_at, s.modified_at, s.indexed_at, s.analysis_key, s.scene_index, v.* EXCLUDE (document)
FROM temp.sources AS s JOIN (
    SELECT document, s0, s1, s2, s3, s4, s5, vector FROM temp.new_vectors
    UNION ALL
    SELECT s.document, s0, s1, s2, s3, s4, s5, vector
    FROM old.vectors AS v JOIN temp.sources AS s ON v.document = s.old_document
    WHERE s.document BETWEEN {first} AND {last} AND v.document BETWEEN {old_first} AND {old_last}
) AS v USING (document)
WHERE s.document BETWEEN {first} AND {last}
ORDER BY document;
