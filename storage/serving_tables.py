"""The tables of a serving file, made in an attached database: `built`.

Rows of videos that an earlier file (`old`) has are copied from it, all others are read from the index;
text is cut into words, and vectors computed, for the latter only.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import duckdb
import pyarrow as pa

from schemas.answer_tables import RECORD_INDEX
from schemas.tables import SCHEMA_VERSION
from storage.columns import COLUMNS, quote_name
from storage.documents import documents_query
from storage.embedder import VECTOR_SIZE, Embedder, Floats, sign_bits
from storage.own_tables import OwnTables, columns_by_table
from storage.serving import DERIVED_TABLES, SERVED_TABLES, built_with, has_database
from storage.stemming import STEMMER, stem
from storage.views import quote, statements_of

# Documents and queries are cut into words by this one macro: lower case, no accents, letters and digits.
WORDS = r"""CREATE OR REPLACE MACRO words(text) AS
regexp_extract_all(lower(strip_accents(text)), '[\p{L}\p{N}]+')"""

_EMBED_ROWS = 256  # texts whose vectors are computed before the next progress is told
_CARRIED_TABLES = tuple(table for table in SERVED_TABLES if table not in ("failures", "attempts"))
_TEMPORARY = ("carried", "missing", "sources", "new_words", "stems", "new_vectors")

Progress = Callable[[int, int], None]  # vectors computed, vectors to compute


def fill(
    connection: duckdb.DuckDBPyConnection,
    own_tables: OwnTables,
    snapshot: int,
    embedder: Embedder | None,
    progress: Progress | None = None,
) -> int:
    """Make all tables in the empty database `built` from the views, and from `old` where it is attached.

    Returns the number of documents that were not in `old`.
    """
    if not has_database(connection, "old"):
        connection.execute("ATTACH ':memory:' AS old")
        connection.execute("CREATE TABLE old.commits AS FROM commits_all LIMIT 0")
        _run(connection, "serving_empty.sql")
    connection.execute(WORDS.replace("MACRO ", "TEMP MACRO "))
    _copy_tables(connection, own_tables)
    _run(connection, "serving.sql", documents=documents_query("built", own_tables))
    _stem_words(connection)
    num_new = _embed_documents(connection, embedder, progress)
    _run(connection, "postings.sql")
    _derive(connection)
    _describe(connection, own_tables, snapshot, embedder)
    for table in _TEMPORARY:  # a table of a pack may have such a name
        connection.execute(f"DROP TABLE temp.{table}")
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


def _stem_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Each distinct word once, however often it occurs."""
    words = [word for (word,) in connection.execute("SELECT DISTINCT word FROM new_words").fetchall()]
    stems = pa.table({"word": pa.array(words, pa.string()), "term": pa.array(stem(words), pa.string())})
    connection.register("_stems", stems)
    connection.execute("CREATE TEMP TABLE stems AS FROM _stems")
    connection.unregister("_stems")


def _embed_documents(
    connection: duckdb.DuckDBPyConnection, embedder: Embedder | None, progress: Progress | None
) -> int:
    connection.execute("CREATE TEMP TABLE new_vectors AS FROM old.vectors LIMIT 0")
    new = connection.sql(
        "SELECT document, body FROM sources WHERE old_document IS NULL ORDER BY document"
    ).to_arrow_table()
    for start in range(0, new.num_rows if embedder else 0, _EMBED_ROWS):
        batch = new.slice(start, _EMBED_ROWS)
        assert embedder is not None
        vectors = embedder.embed(batch.column("body").to_pylist())
        _insert_vectors(connection, batch.column("document"), vectors)
        if progress:
            progress(min(start + _EMBED_ROWS, new.num_rows), new.num_rows)
    return int(new.num_rows)


def _insert_vectors(
    connection: duckdb.DuckDBPyConnection, documents: pa.ChunkedArray, vectors: Floats
) -> None:
    signs = sign_bits(vectors)
    columns = {f"s{n}": pa.array(signs[:, n]) for n in range(signs.shape[1])}
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), VECTOR_SIZE)
    connection.register("_vectors", pa.table({"document": documents, **columns, "vector": flat}))
    connection.execute("INSERT INTO new_vectors BY NAME FROM _vectors")
    connection.unregister("_vectors")


def _derive(connection: duckdb.DuckDBPyConnection) -> None:
    """Views become tables, sorted by their first columns; macros stay, for whoever opens the file alone."""
    connection.execute("USE built")
    connection.execute(WORDS)
    for script in ("derived.sql", "bm25.sql"):
        _run(connection, script)
    for table in DERIVED_TABLES:
        connection.execute(f"CREATE TABLE _sorted AS FROM {table} ORDER BY ALL")
        connection.execute(f"DROP VIEW {table}")
        connection.execute(f"ALTER TABLE _sorted RENAME TO {table}")
    connection.execute("USE memory")


def _describe(
    connection: duckdb.DuckDBPyConnection, own_tables: OwnTables, snapshot: int, embedder: Embedder | None
) -> None:
    connection.execute(
        "CREATE TABLE built.serving AS SELECT $1::BIGINT AS snapshot, $2::BIGINT AS schema_version, "
        "$3::TIMESTAMPTZ AS built_at, $4::VARCHAR AS built_with, $5::VARCHAR AS stemmer, "
        "$6::VARCHAR AS embedder, $7::VARCHAR AS embedder_revision, $8::VARCHAR AS own_tables",
        [
            snapshot,
            SCHEMA_VERSION,
            datetime.now(UTC),
            built_with(),
            STEMMER,
            embedder.name if embedder else None,
            embedder.revision if embedder else None,
            json.dumps(own_tables),
        ],
    )
    for table in (*SERVED_TABLES, "runs", "commits"):
        for column in COLUMNS[table]:
            connection.execute(
                f"COMMENT ON COLUMN built.{table}.{column.name} IS {quote(column.description)}"
            )


def _run(connection: duckdb.DuckDBPyConnection, script: str, **parts: str) -> None:
    for statement in statements_of(script):
        for name, part in parts.items():
            statement = statement.replace(f"{{{name}}}", part)
        connection.execute(statement)
