"""Read an index: DuckDB over one snapshot, and search by words and by meaning.

catalog    the reader's door: views over the Parquet parts of one snapshot
view_maker makes a view when a question first names it
database   the search database: one DuckDB file of one snapshot, where it is, whether it is current
build      makes it                              build_tables, build_ranges  its tables, its postings
documents  which text of a row is searched       stemming   words without their endings
search     words and meaning over the catalog    filters    what a hit must be besides
postings   the table of words                    bm25       the rank of a document
matches    where a query's words stand in a hit  embedder   sentence vectors, in numpy
plans      saved plans, narrowed by SQL          examples, docs  write docs/queries.md, docs/tables.md

Knows snapshots and rows; never writes to an index.
"""
