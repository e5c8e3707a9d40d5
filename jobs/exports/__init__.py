"""The index in the formats of players, editing systems, web pages and spreadsheets.

formats      which there are                       moments   what all are made from
documents    what one export writes                writing   where it goes: stdout, a file, a folder
files        written whole or not at all
the others   one format, or one part of a format, each

The formats are pure functions over the records of `moments`.
"""
