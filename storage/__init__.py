"""Everything that is stored: the library's videos, the index's files, the SQL over them.

A room imports only from those below it.

iceberg    the current rows as Iceberg tables, for other engines
upkeep     compact, repair, vacuum and forget: files of an index rewritten or removed
query      DuckDB over one snapshot: views, the search database, search by words and by meaning
index      the files of an index: bundles, parts, snapshots; commit and publish
library    which videos there are, and where they are read or played from
checkpoints  weights under an S3 prefix, and this machine's copy of them
objects    an index's bytes on a disk or in a bucket: create once, read, list
s3         one client per endpoint; listing and PUT with little CPU
errors     what can go wrong with one object        locations  what a URL names: a folder or an S3 prefix
parquet_rows  rows of a Parquet file that is not ours       sql  DuckDB and its SQL as text
column_runs  Parquet files of ours with each column in one piece
"""

import logging

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until somebody listens
