"""The search database: one DuckDB file made from one snapshot.

database   where it is and whether it is current   build       makes it
build_tables, build_ranges  its tables, its postings  sharing  kept in the index, fetched by readers
held       a file that is open stays right         lock        one builder at a time
"""
