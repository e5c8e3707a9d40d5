"""The tables of a serving file, made in an attached database: `built`.

Rows of videos that an earlier file (`old`) has are copied from it, all others are read from the index;
text is cut into words, and vectors computed, for the latter only.
"""

import json
from datetime import UTC, datetime

import duckdb

from schemas.answer_tables import RECORD_INDEX
from schemas.tables import SCHEMA_VERSION
from storage.index.publishing.snapshots import Snapshot
from storage.index.tables.columns import COLUMNS
from storage.index.tables.pack_tables import OwnTables, columns_by_table
from storage.index.views import DERIVED_SCRIPT
from storage.query.built.build_ranges import Progress, fill_ranges, run_script
from storage.query.built.database import (
    BM25_SCRIPT,
    DERIVED_TABLES,
    DOCUMENTS_SCRIPT,
    EMPTY_SCRIPT,
    SERVED_TABLES,
    built_with,
    has_database,
)
from storage.query.documents import documents_query
from storage.query.embedder import Embedder
from storage.query.words.stemming import STEMMER, WORDS
from storage.sql import quote, quote_name

_CARRIED_TABLES = tuple(table for table in SERVED_TABLES if table not in ("failures", "attempts"))
_TEMPORARY = ("carried", "missing", "unnumbered", "sources", "new_words", "stems", "new_vectors")


def fill(
    connection: duckdb.DuckDBPyConnection,
    own_tables: OwnTables,
    snapshot: Snapshot | None,
    embedder: Embedder | None,
    progress: Progress | None = None,
) -> int:
    """Make all tables in the empty database `built` from the views, and from `old` where it is attached.

    Returns the number of documents that were not in `old`.
    """
    if not has_database(connection, "old"):
        connection.execute("ATTACH ':memory:' AS old")
        connection.execute("CREATE TABLE old.commits AS FROM commits_all LIMIT 0")
        run_script(connection, EMPTY_SCRIPT)
    connection.execute(WORDS.replace("MACRO ", "TEMP MACRO "))
    _copy_tables(connection, own_tables)
    run_script(connection, DOCUMENTS_SCRIPT, documents=documents_query("built", own_tables))
    num_new = fill_ranges(connection, embedder, progress)
    # Rows of a page of hits are single ones all over the table: without it each costs a block of text.
    connection.execute("CREATE UNIQUE INDEX documents_by_number ON built.documents (document)")
    _derive(connection)
    _describe(connection, own_tables, snapshot, embedder)
    for table in _TEMPORARY:  # a table of a pack may have such a name
        connection.execute(f"DROP TABLE IF EXISTS temp.{table}")
    return num_new


def _copy_tables(connection: duckdb.DuckDBPyConnection, own_tables: OwnTables) -> None:
    for name, join in (("carried", "SEMI"), ("missing", "ANTI")):
        connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT analysis_key FROM commits {join} JOIN old.commits "
            "USING (analysis_key)"
        )
    for table in ("commits", "failures", "runs", "attempts"):
        connection.execute(f"CREATE TABLE built.{table} AS FROM {table}")
    columns = COLUMNS | columns_by_table(own_tables)
    found = connection.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'old'")
    earlier = {name for (name,) in found.fetchall()}
    for table in (*_CARRIED_TABLES, *own_tables):
        names, name = {column.name for column in columns[table]}, quote_name(table)
        order = [key for key in ("video_id", "start_ms", "character_id", RECORD_INDEX) if key in names]
        rows = f"FROM {name} SEMI JOIN temp.missing USING (analysis_key)"
        if table in earlier:
            rows += f" UNION ALL BY NAME FROM old.{name} SEMI JOIN temp.carried USING (analysis_key)"
        connection.execute(f"CREATE TABLE built.{name} AS SELECT * FROM ({rows}) ORDER BY {', '.join(order)}")


def _derive(connection: duckdb.DuckDBPyConnection) -> None:
    """Views become tables, sorted by their first columns; macros stay, for whoever opens the file alone."""
    connection.execute("USE built")
    connection.execute(WORDS)
    for script in (DERIVED_SCRIPT, BM25_SCRIPT):
        run_script(connection, script)
    for table in DERIVED_TABLES:
        connection.execute(f"CREATE TABLE _sorted AS FROM {table} ORDER BY ALL")
        connection.execute(f"DROP VIEW {table}")
        connection.execute(f"ALTER TABLE _sorted RENAME TO {table}")
    connection.execute("USE memory")


def _describe(
    connection: duckdb.DuckDBPyConnection,
    own_tables: OwnTables,
    snapshot: Snapshot | None,
    embedder: Embedder | None,
) -> None:
    connection.execute(
        "CREATE TABLE built.serving AS SELECT $1::BIGINT AS snapshot, $2::BIGINT AS schema_version, "
        "$3::TIMESTAMPTZ AS built_at, $4::VARCHAR AS built_with, $5::VARCHAR AS stemmer, "
        "$6::VARCHAR AS embedder, $7::VARCHAR AS embedder_revision, $8::VARCHAR AS own_tables, "
        "$9::TIMESTAMPTZ AS published_at",
        [
            snapshot.number if snapshot else 0,
            SCHEMA_VERSION,
            datetime.now(UTC),
            built_with(),
            STEMMER,
            embedder.name if embedder else None,
            embedder.revision if embedder else None,
            json.dumps(own_tables),
            snapshot.created_at if snapshot else None,
        ],
    )
    connection.begin()  # one write of hundreds of comments, not one of each
    for table in (*SERVED_TABLES, "runs", "commits"):
        for column in COLUMNS[table]:
            connection.execute(
                f"COMMENT ON COLUMN built.{table}.{column.name} IS {quote(column.description)}"
            )
    connection.commit()
