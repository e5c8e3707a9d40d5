"""What columns a table has, from `schemas` and from prompt packs.

columns    SQL columns                         arrow_tables  the same as Arrow tables
pack_tables  tables that prompt packs declare  finite        what is no number is refused

Never knows a file.
"""
