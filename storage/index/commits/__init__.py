"""A commit: one video's rows as one object, created once.

bundles    rows as one Parquet object          committed     which bundles there are
recipes    recipes in their parts              commit_blocks commits in memory, found by value

Never knows which commit readers see.
"""
