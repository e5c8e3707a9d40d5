"""The serving file: one DuckDB file made from one snapshot, with everything a question needs.

It holds the current rows of every table but keyframes, and what search reads (serving.sql). It can be made
again from the index at any time, so it is never the truth: a reader that finds none, or one of an older
snapshot, takes the Parquet parts. A file is replaced as a whole; who has the old one open keeps reading it.
"""

import json
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import duckdb

from schemas.failures import PreflightError
from schemas.identity import digest
from storage.index.columns import BUNDLE_TABLES, COLUMNS, quote_name
from storage.index.pack_tables import OwnTables
from storage.index.snapshots import own_tables_of
from storage.index.views import DERIVED_SCRIPT, quote, statements_of
from storage.locations import Folder, cache_folder, parse_location
from storage.query.catalog import Catalog, add_views, find_snapshot, lock
from storage.query.documents import documents_query
from storage.query.stemming import STEMMER

SERVING_FILE = "serving.duckdb"
DERIVED_TABLES = ("scene_tags", "scene_characters")
SEARCH_TABLES = ("documents", "corpus", "postings", "vectors")
# Keyframes stay in the Parquet parts: pictures would be most of the file, and none is searched.
SERVED_TABLES = tuple(table for table in BUNDLE_TABLES if table != "keyframes")
TABLES = (*SERVED_TABLES, "runs", "commits", *DERIVED_TABLES, *SEARCH_TABLES)

_SQL = Path(__file__).parent
BM25_SCRIPT = _SQL / "bm25.sql"
EMPTY_SCRIPT = _SQL / "serving_empty.sql"
DOCUMENTS_SCRIPT = _SQL / "serving.sql"
NEW_WORDS_SCRIPT = _SQL / "new_words.sql"
POSTINGS_SCRIPT = _SQL / "postings.sql"
_SCRIPTS = (
    DERIVED_SCRIPT,
    EMPTY_SCRIPT,
    DOCUMENTS_SCRIPT,
    NEW_WORDS_SCRIPT,
    POSTINGS_SCRIPT,
    BM25_SCRIPT,
)


@dataclass(frozen=True, slots=True)
class ServingInfo:
    """The single row of a serving file's table `serving`."""

    snapshot: int
    schema_version: int
    built_at: datetime
    built_with: str  # hash of what reads and writes it; a file of other code is not used
    stemmer: str
    embedder: str | None  # None: words only
    embedder_revision: str | None
    own_tables: OwnTables  # that it holds


_TODAY = {field.name for field in fields(ServingInfo)}
_REMEDY = "`media-index build` makes a new one."
_OLDEST = {"snapshot", "built_with"}  # that the table had from the beginning


@dataclass(frozen=True, slots=True)
class Served:
    """A catalog, and what to tell the user if it is not the fast one."""

    catalog: Catalog
    note: str | None


def serving_path(url: str, endpoint_url: str | None = None) -> Path:
    """Beside a local index; for one on S3 in this user's cache, as no object there is ever overwritten."""
    location = parse_location(url)
    if isinstance(location, Folder):
        return location.path / SERVING_FILE
    return cache_folder() / f"serving-{digest(location.url, endpoint_url or '')}.duckdb"


def built_with() -> str:
    """Changes with our tables, the SQL and the stemmer. Packs' tables are told by `own_tables`."""
    scripts = [statement for script in _SCRIPTS for statement in statements_of(script)]
    return digest(*scripts, repr(COLUMNS), documents_query("built", {}), STEMMER)


def is_base(info: ServingInfo, own_tables: OwnTables) -> bool:
    """Whether a file of other rows can be built on: made as one would be made now, table by table."""
    is_same = all(own_tables.get(table) == columns for table, columns in info.own_tables.items())
    return is_same and info.built_with == built_with()


def read_info(file: Path) -> ServingInfo | None:
    """None: no such file. PreflightError: not a serving file, of an older media-index, or damaged."""
    if not file.exists():
        return None
    connection = duckdb.connect()
    try:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH {quote(str(file))} AS served (READ_ONLY)")
        found = connection.execute("FROM served.serving")
        columns = [column[0] for column in found.description or ()]
        (row,) = found.fetchall()
        values = dict(zip(columns, row, strict=True))
        if values.keys() >= _OLDEST and not values.keys() >= _TODAY:
            raise PreflightError(f"{file} was built by an older media-index", _REMEDY)
        return ServingInfo(**{**values, "own_tables": json.loads(values["own_tables"])})
    except (duckdb.Error, LookupError, TypeError, ValueError) as error:
        raise PreflightError(f"{file} is damaged: {error}", "Delete it, then `media-index build`.") from error
    finally:
        connection.close()


def open_serving(
    url: str, endpoint_url: str | None = None, file: Path | None = None, history: bool = True
) -> Served:
    """The index through its serving file where that is current, else through its Parquet parts.

    Keyframes always come from the parts. A `file` given is used whatever its snapshot. Without `history`
    keyframes and the views `*_all` may be missing, and no Parquet is touched. PreflightError: as
    `open_catalog`; a `file` that cannot be used.
    """
    store, snapshot = find_snapshot(url, endpoint_url)
    newest = snapshot.number if snapshot else 0
    path = file or serving_path(url, endpoint_url)
    info, note = _look(path, newest, is_wanted=file is not None)
    use = info is not None and (file is not None or info.snapshot == newest)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    if history or not use:
        add_views(connection, store, snapshot)
    own_tables = own_tables_of(snapshot)
    if use and info is not None:
        own_tables = info.own_tables
        connection.execute(f"ATTACH {quote(str(path))} AS built (READ_ONLY)")
        show_tables(connection, own_tables)
    elif info is not None and is_base(info, own_tables):
        connection.execute(f"ATTACH {quote(str(path))} AS old (READ_ONLY)")
    lock(connection)
    return Served(Catalog(store.url, snapshot, connection, own_tables), note)


def has_database(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a serving file is attached under that name: `built` to read, `old` to build on."""
    return bool(connection.execute("FROM duckdb_databases() WHERE database_name = ?", [name]).fetchall())


def _look(path: Path, newest: int, is_wanted: bool) -> tuple[ServingInfo | None, str | None]:
    """What can be used of the file, and what the user should know about it."""
    command = f"media-index build{f' --output {path}' if is_wanted else ''}"
    try:
        info = read_info(path)
    except PreflightError as error:
        if is_wanted:
            raise
        return None, f"{error.message}; reading the Parquet files instead. `{command}` makes a new one"
    if info is None:
        problem = f"there is no {path if is_wanted else path.name} yet"
    elif info.built_with != built_with():
        problem = f"{path} was built by another version of media-index"
    elif info.snapshot != newest:
        return info, f"{path.name} is of snapshot {info.snapshot}, the newest is {newest}; run `{command}`"
    else:
        return info, None
    if is_wanted:
        raise PreflightError(problem, f"`{command}` makes one.")
    return None, f"{problem}, so this is slower; `{command}` makes one"


def show_tables(connection: duckdb.DuckDBPyConnection, own_tables: OwnTables) -> None:
    """Put the tables of the database `built` in the place of the views of those names."""
    for table in map(quote_name, (*TABLES, *own_tables)):
        connection.execute(f"CREATE OR REPLACE VIEW {table} AS FROM built.{table}")
    for statement in (*statements_of(DERIVED_SCRIPT), *statements_of(BM25_SCRIPT)):
        if " MACRO " in statement:
            connection.execute(statement)
