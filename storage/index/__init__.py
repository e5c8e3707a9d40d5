"""The files of an index: one bundle per video is the commit, one snapshot file is the publish.

index      the writer's door: commit, look up, publish
marker     the file that makes a place an index
layout     names of the index's files                columns    SQL columns, from `schemas`
bundles    one video's rows as one Parquet object    committed  which bundles there are
publish    bundles -> flat parts -> next snapshot    published  which commit of a video is current
parts      flat Parquet files of one table           snapshots  which parts readers read
commit_blocks  commits in memory, found by value     pack_tables  tables that prompt packs declare
views      the SQL that shows current rows           recipes    recipes in their parts
definitions  views and macros to be made when needed
leases     one nightly and one backfill at a time    probe      whether a store keeps its promises
json_files small JSON files with their version       damage     a listed part that cannot be read
batches    items a few at a time                     arrow_tables  the same columns as Arrow tables

Knows rows, files and snapshots; never how they are queried, and nothing of Ray or the model.
"""
