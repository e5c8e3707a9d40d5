"""Search by words.

stemming   words without their endings         postings   the table of words
bm25       the rank of a document              matches    where a query's words stand in a hit
"""
