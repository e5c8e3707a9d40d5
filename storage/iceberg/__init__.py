"""The current rows of an index as Iceberg tables, for Athena, Trino, Spark and whatever else reads those.

current    which files have the current rows    tables   metadata that lists them

Parts are registered where they lie; only those with rows that do not count are copied, without them.
Knows pyiceberg, which the extra `iceberg` brings; never changes the index.
"""
