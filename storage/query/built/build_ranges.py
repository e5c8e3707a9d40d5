"""Postings and vectors of a serving file, range by range of documents, so that memory is that of one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from storage.query.built.database import NEW_WORDS_SCRIPT, POSTINGS_SCRIPT
from storage.query.documents import WORDS_ONLY
from storage.query.embedder import VECTOR_SIZE, Embedder, Floats, sign_bits
from storage.query.words.stemming import stem
from storage.sql import quote, statements_of

RANGE_DOCUMENTS = 1 << 19  # documents
_EMBED_ROWS = 256  # texts whose vectors are computed before the next progress is told

_WORDS_ONLY = ", ".join(map(quote, WORDS_ONLY))

Progress = Callable[[int, int], None]  # vectors computed, vectors to compute


def fill_ranges(
    connection: duckdb.DuckDBPyConnection, embedder: Embedder | None, progress: Progress | None
) -> int:
    """Fill `built.postings` and `built.vectors` for all documents in `sources`.

    Returns the number of documents that are not in `old`.
    """
    is_embedded = f"old_document IS NULL AND kind NOT IN ({_WORDS_ONLY})"
    counts = connection.execute(
        "SELECT count(*), count(*) - count(old_document), count(*) FILTER (WHERE "
        f"{is_embedded}) FROM temp.sources"
    )
    num_documents, num_new, num_to_embed = counts.fetchall()[0]
    num_embedded = 0
    for first in range(1, num_documents + 1, RANGE_DOCUMENTS):
        bounds = _bounds(connection, first, first + RANGE_DOCUMENTS - 1)
        run_script(connection, NEW_WORDS_SCRIPT, **bounds)
        _stem_words(connection)
        for num in _embed_documents(connection, embedder, **bounds) if embedder else ():
            num_embedded += num
            if progress:
                progress(num_embedded, num_to_embed)
        run_script(connection, POSTINGS_SCRIPT, **bounds)
    return int(num_new)


def _bounds(connection: duckdb.DuckDBPyConnection, first: int, last: int) -> dict[str, str]:
    """Bounds of the range, and of its documents in `old`; as SQL."""
    query = "SELECT min(old_document), max(old_document) FROM temp.sources WHERE document BETWEEN ? AND ?"
    old = connection.execute(query, [first, last]).fetchall()[0]
    old_first, old_last = ("NULL" if number is None else str(number) for number in old)
    return {"first": str(first), "last": str(last), "old_first": old_first, "old_last": old_last}


def _stem_words(connection: duckdb.DuckDBPyConnection) -> None:
    """Each distinct word of a language once, however often it occurs and in however many ranges."""
    unknown = connection.execute(
        "SELECT language, list(DISTINCT word) FROM temp.new_words "
        "ANTI JOIN temp.stems USING (language, word) GROUP BY language"
    )
    for language, words in unknown.fetchall():
        columns = {"language": [language] * len(words), "word": words, "term": stem(words, language)}
        connection.register("_stems", pa.table(columns))
        connection.execute("INSERT INTO temp.stems FROM _stems")
        connection.unregister("_stems")


def _embed_documents(
    connection: duckdb.DuckDBPyConnection, embedder: Embedder, first: str, last: str, **_: str
) -> Iterator[int]:
    """Fill `new_vectors`; how many, after each few."""
    new = connection.sql(
        "SELECT document, body FROM temp.sources "
        f"WHERE document BETWEEN {first} AND {last} AND old_document IS NULL "
        f"AND kind NOT IN ({_WORDS_ONLY}) ORDER BY document"
    ).to_arrow_table()
    for start in range(0, new.num_rows, _EMBED_ROWS):
        batch = new.slice(start, _EMBED_ROWS)
        vectors = embedder.embed(batch.column("body").to_pylist())
        _insert_vectors(connection, batch.column("document"), vectors)
        yield batch.num_rows


def _insert_vectors(
    connection: duckdb.DuckDBPyConnection, documents: pa.ChunkedArray, vectors: Floats
) -> None:
    signs = sign_bits(vectors)
    columns = {f"s{n}": pa.array(signs[:, n]) for n in range(signs.shape[1])}
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), VECTOR_SIZE)
    connection.register("_vectors", pa.table({"document": documents, **columns, "vector": flat}))
    connection.execute("INSERT INTO new_vectors BY NAME FROM _vectors")
    connection.unregister("_vectors")


def run_script(connection: duckdb.DuckDBPyConnection, script: Path, **parts: str) -> None:
    """Run a script's statements, with `parts` in the place of the names in braces."""
    for statement in statements_of(script):
        for name, part in parts.items():
            statement = statement.replace(f"{{{name}}}", part)
        connection.execute(statement)
