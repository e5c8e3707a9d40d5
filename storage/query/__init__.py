"""Read an index: DuckDB over one snapshot, and search by words and by meaning.

catalog    the reader's door: views over the Parquet parts of one snapshot
view_maker makes a view when a question first names it
lost_parts files that cannot be read, and what then helps
built      the search database: one DuckDB file of one snapshot, how it is made and whether it is current
words      which documents have a word, and their rank
embedder   sentence vectors, in numpy
search     words and meaning over the catalog    filters    what a hit must be besides
documents  which text of a row is searched       browse     hits without a query
plans      saved plans, narrowed by SQL          tracks, actors, date_kinds  what else is asked of rows
examples, docs  write docs/queries.md, docs/tables.md

Knows snapshots and rows; never writes to an index.
"""
