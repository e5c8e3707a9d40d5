"""Everything that is stored: the library's videos, the index's files, the SQL over them.

locations  what a URL names: a folder or an S3 prefix
s3         one client per endpoint; botocore's errors in our words
errors     what can go wrong with one object
selection  which of a library's objects are videos to index
library    list and fetch videos                    library_local, library_s3
s3_pages   pages of a listing, read with little CPU
s3_put     the PUT of a commit, for half the client's CPU
s3_ranges  listing side by side, in the order of the keys
inventory  a bucket listed by S3 Inventory          inventory_rows
objects    the index's bytes: create once, read, list    objects_local, objects_s3
layout     names of the index's files
batches    items a few at a time
columns    Arrow and SQL columns, derived from the row types in `schemas`
bundles    one video's rows as one Parquet object: the commit
snapshots  which parts readers read; creating the next one is the switch
committed  which bundles there are
commit_blocks  commits in memory, found by value
published  which commit of a video is current
publish    bundles -> flat parts -> the next snapshot
index      the writer's door: commit, look up, publish
views      the SQL that shows current rows; views.sql
catalog    the reader's door: DuckDB over one snapshot
documents  which text of a row is searched
stemming   words without their endings
embedder   sentence vectors, in numpy
serving    one DuckDB file of one snapshot: where it is, whether it is current    serving_build
search     by words and by meaning over the catalog
filters    what a hit must be besides
postings   what has been read of the table of words                                bm25
matches    where a query's words stand in a hit
examples   the example queries; writes docs/queries.md
playback   where an indexed video can be played from
docs       writes docs/tables.md
"""
