"""The serving file: one DuckDB file made from one snapshot, with everything a question needs.

It holds the current rows of every table but keyframes, and what search reads (serving.sql). It can be made
again from the index at any time, so it is never the truth: a reader that finds none, or one of an older
snapshot, takes the Parquet parts. A file is replaced as a whole; who has the old one open keeps reading it.
"""

import json
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import duckdb

from schemas.failures import PreflightError
from schemas.identity import digest
from storage.errors import NotFound, preflight
from storage.index.definitions import Definition, definition_of
from storage.index.layout import snapshot_key
from storage.index.publishing.snapshots import Snapshot, own_tables_of, read_snapshot
from storage.index.tables.columns import BUNDLE_TABLES, COLUMNS
from storage.index.tables.pack_tables import OwnTables
from storage.index.views import DERIVED_SCRIPT, derived_definitions
from storage.locations import Folder, cache_folder, parse_location
from storage.objects.store import ObjectStore
from storage.query.built.held import hold
from storage.query.built.sharing import fetch
from storage.query.catalog import Catalog, add_views, find_snapshot, lock
from storage.query.documents import documents_query
from storage.query.view_maker import ViewMaker
from storage.query.words.stemming import STEMMER
from storage.sql import connect, quote, quote_name, statements_of

SERVING_FILE = "serving.duckdb"
DERIVED_TABLES = ("scene_tags", "scene_characters")
SEARCH_TABLES = ("documents", "corpus", "postings", "vectors")
# Keyframes stay in the Parquet parts: pictures would be most of the file, and none is searched.
SERVED_TABLES = tuple(table for table in BUNDLE_TABLES if table not in ("keyframes", "shot_keyframes"))
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
    published_at: datetime | None  # the snapshot; an index that was made anew counts from 1 again
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
    """The path beside a local index; for one on S3 in this user's cache, where a shared one is put, too."""
    location = parse_location(url)
    if isinstance(location, Folder):
        return location.path / SERVING_FILE
    return cache_folder() / f"serving-{digest(location.url, endpoint_url or '')}.duckdb"


def built_with() -> str:
    """Return a digest of our tables, the SQL and the stemmer. Packs' tables are told by `own_tables`."""
    scripts = [statement for script in _SCRIPTS for statement in statements_of(script)]
    return digest(*scripts, repr(COLUMNS), documents_query("built", {}), STEMMER)


def is_base(info: ServingInfo, own_tables: OwnTables) -> bool:
    """Whether a file of other rows can be built on: made as one would be made now, table by table."""
    is_same = all(own_tables.get(table) == columns for table, columns in info.own_tables.items())
    return is_same and info.built_with == built_with()


def read_info(file: Path) -> ServingInfo | None:
    """Read what a serving file says of itself; None: no such file. PreflightError: older, damaged or none."""
    with hold(file) as held:
        return read_held_info(held, file) if held else None


def read_held_info(held: Path, file: Path) -> ServingInfo:
    """Read what a held file says that was found as `file`. PreflightError: as `read_info`."""
    connection = connect()
    try:
        connection.execute(f"ATTACH {quote(str(held))} AS served (READ_ONLY)")
        found = connection.execute("FROM served.serving")
        columns = [column[0] for column in found.description or ()]
        (row,) = found.fetchall()
        values = dict(zip(columns, row, strict=True))
        if values.keys() >= _OLDEST and not values.keys() >= _TODAY:
            raise PreflightError(f"{file} was built by an older media-index", _REMEDY)
        return ServingInfo(**{**values, "own_tables": json.loads(values["own_tables"])})
    except (duckdb.Error, LookupError, TypeError, ValueError) as error:
        problem = str(error).replace(str(held), str(file))
        hint = "Delete it, then `media-index build`."
        raise PreflightError(f"{file} is damaged: {problem}", hint) from error
    finally:
        connection.close()


def open_serving(
    url: str, endpoint_url: str | None = None, file: Path | None = None, history: bool = True
) -> Served:
    """The index through its serving file where that is current, else through its Parquet parts.

    All that is read is of one snapshot, keyframes too, which always come from the parts. A `file` given is
    used whatever its snapshot; keyframes and the views `*_all` are missing where that snapshot's parts are
    gone. Without `history` they may be missing too, and no Parquet is touched. PreflightError: as
    `open_catalog`; a `file` that cannot be used.
    """
    path = file or serving_path(url, endpoint_url)
    with ExitStack() as closing:
        # The file first: then the newest snapshot is that of the file, or a later one.
        info, held, note = _look(closing, path, is_wanted=file is not None)
        store, snapshot = find_snapshot(url, endpoint_url)
        is_current = info is not None and is_of(info, snapshot)
        if file is None and not is_current and fetch(store, snapshot, built_with(), path):
            info, held, note = _look(closing, path, is_wanted=False)
            is_current = info is not None and is_of(info, snapshot)
        if info is not None and not is_current:
            note = _say_old(info, path, snapshot, is_wanted=file is not None)
        connection = connect()
        own_tables = own_tables_of(snapshot)
        if info is not None and (file is not None or is_current):
            own_tables = info.own_tables
            if not is_current:
                snapshot = _snapshot_of(info, store)
            found = _history(connection, store, snapshot, is_current) if history else None
            if history and found is None:
                note = f"{note}; keyframes and the views *_all of its snapshot are gone"
            connection.execute(f"ATTACH {quote(str(held))} AS built (READ_ONLY)")
            views = found or ViewMaker(connection)
            show_tables(views, own_tables)
        else:
            views = add_views(connection, store, snapshot)
            if info is not None and is_base(info, own_tables):
                connection.execute(f"ATTACH {quote(str(held))} AS old (READ_ONLY)")
    lock(connection)
    return Served(Catalog(store, snapshot, connection, own_tables, views), note)


def is_of(info: ServingInfo, snapshot: Snapshot | None) -> bool:
    """Whether the file was made from that very snapshot."""
    if snapshot is None:
        return info.snapshot == 0
    return (info.snapshot, info.published_at) == (snapshot.number, snapshot.created_at)


def _snapshot_of(info: ServingInfo, store: ObjectStore) -> Snapshot | None:
    """The one that a file was made from; None: it is no longer listed."""
    with preflight("index"), suppress(NotFound):
        snapshot = read_snapshot(store, snapshot_key(info.snapshot))
        return snapshot if is_of(info, snapshot) else None
    return None


def _history(
    connection: duckdb.DuckDBPyConnection,
    store: ObjectStore,
    snapshot: Snapshot | None,
    is_current: bool,
) -> ViewMaker | None:
    """The views over the parts. None: of an old snapshot they are gone."""
    if not is_current and (snapshot is None or not all(map(store.exists, snapshot.files))):
        return None
    return add_views(connection, store, snapshot)


def has_database(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a serving file is attached under that name: `built` to read, `old` to build on."""
    return bool(connection.execute("FROM duckdb_databases() WHERE database_name = ?", [name]).fetchall())


def _look(
    closing: ExitStack, path: Path, is_wanted: bool
) -> tuple[ServingInfo | None, Path | None, str | None]:
    """What is in the file, the path it is held by, and what the user should know about it."""
    command = _command(path, is_wanted)
    try:
        held = closing.enter_context(hold(path))
        info = read_held_info(held, path) if held else None
    except PreflightError as error:
        if is_wanted:
            raise
        return None, None, f"{error.message}; reading the Parquet files instead. `{command}` makes a new one"
    if info is None:
        problem = f"there is no {path if is_wanted else path.name} yet"
    elif info.built_with != built_with():
        problem = f"{path} was built by another version of media-index"
    else:
        return info, held, None
    if is_wanted:
        raise PreflightError(problem, f"`{command}` makes one.")
    return None, None, f"{problem}, so this is slower; `{command}` makes one"


def _say_old(info: ServingInfo, path: Path, newest: Snapshot | None, is_wanted: bool) -> str:
    number = newest.number if newest else 0
    what = f"snapshot {info.snapshot}, the newest is {number}"
    if info.snapshot >= number:
        what = "an index that was here before"
    return f"{path.name} is of {what}; run `{_command(path, is_wanted)}`"


def _command(path: Path, is_wanted: bool) -> str:
    return f"media-index build{f' --output {path}' if is_wanted else ''}"


def show_tables(views: ViewMaker, own_tables: OwnTables) -> None:
    """Put the tables of the database `built` in the place of the views of those names."""
    tables = (*TABLES, *own_tables)
    views.add(_of_built(table) for table in tables)
    macros = [definition_of(statement) for statement in statements_of(BM25_SCRIPT)]
    views.add(each for each in (*derived_definitions(), *macros) if each.name not in DERIVED_TABLES)


def _of_built(table: str) -> Definition:
    name = quote_name(table)
    return definition_of(f"CREATE OR REPLACE VIEW {name} AS FROM built.{name}")
