"""A publish: committed bundles as flat parts of each table, named by the next snapshot.

publish    bundles -> parts -> snapshot        snapshots  which parts readers read
parts      flat Parquet files of one table     packs      small parts together in one object
published  which commit of a video is current  damage     a listed part that cannot be read

Writes only new files; a snapshot is one conditional write.
"""
