"""The index in the formats of players, editing systems, web pages and spreadsheets.

Pure functions over the records of `moments`; `files` alone writes.
"""
