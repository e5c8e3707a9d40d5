"""Parquet files of ours with each column in one run of bytes, so that one request reads it all.

together  the same file in that order     numbers  the integers of its footer, and other ones in their place
"""
