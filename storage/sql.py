"""DuckDB and its SQL as text: a connection, names and literals, files to scan, scripts."""

from collections.abc import Iterable
from pathlib import Path

import duckdb


def connect() -> duckdb.DuckDBPyConnection:
    """An empty database in memory, whose times are UTC."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def quote(text: str) -> str:
    """An SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """An SQL identifier; a pack's column may be called `order`."""
    return '"' + name.replace('"', '""') + '"'


def glob_escape(path: str) -> str:
    """DuckDB takes a path for a glob; in brackets a wildcard stands for itself."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in path)


def scan_files(paths: Iterable[str]) -> str:
    """Return SQL that reads Parquet files of one table, at least one. Columns that only later files have are
    kept, too."""
    files = ",\n  ".join(quote(glob_escape(path)) for path in paths)
    return f"FROM read_parquet([\n  {files}\n], union_by_name = true, hive_partitioning = false)"


def statements_of(script: Path) -> list[str]:
    """Read the statements of a `.sql` file, each with the comments before it."""
    text = script.read_text(encoding="utf-8")
    return [statement.strip() for statement in text.split(";\n") if statement.strip()]
