"""The files of an index: one bundle per video is the commit, one snapshot file is the publish.

index      the writer's door: commit, look up, publish
tables     columns of every table, in SQL and as Arrow
commits    one video's rows as one object, found again by key and by value
publishing bundles -> flat parts -> next snapshot
views      the SQL that shows current rows             definitions  views and macros made when needed

layout     names of the index's files                marker     the file that makes a place an index
leases     one nightly and one backfill at a time    nearby     the nearest index there is
probe      whether a store keeps its promises        json_files small JSON files with their version
batches    items a few at a time

Knows rows, files and snapshots; never how they are queried, and nothing of Ray or the model.
"""
