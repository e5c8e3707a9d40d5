"""The SQL views over the parts: each table shows the rows of its videos' current commits.

One generator serves the catalog and `views.sql`, so both give the same answers.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from storage.index.definitions import Definition, definition_of
from storage.index.layout import VIEWS
from storage.index.publishing.snapshots import Snapshot, read_newest
from storage.index.tables.columns import BUNDLE_TABLES, COLUMNS, Column
from storage.index.tables.pack_tables import OwnTables, columns_by_table
from storage.objects.store import ObjectStore
from storage.sql import quote_name, scan_files, statements_of

DERIVED_SCRIPT = Path(__file__).with_name("derived.sql")

# Videos that have rows, and those that never got any, lost them, or are history.
EVER_KNOWN = """(
    SELECT video_id, uri FROM commits_all
    UNION SELECT video_id, uri FROM failures_all
    UNION SELECT video_id, uri FROM attempts)"""

# Turns a table's name into the SQL that scans its parts; None: it has no parts yet.
Scan = Callable[[str], str | None]

# Parts of these are put together below; those of any other table are `<table>_all`.
_PARTS_VIEWS = {
    "runs": "runs",
    "attempts": "attempts",
    "failures": "_bundle_failures",
    "unfinished": "_unfinished_failures",
}

_COMMITS = """
SELECT c.* FROM commits_all AS c
JOIN (SELECT video_id, max(snapshot) AS snapshot FROM commits_all GROUP BY video_id)
USING (video_id, snapshot)
WHERE state IN ('rows', 'quarantined')"""

_IS_CURRENT = "analysis_key IN (SELECT analysis_key FROM commits)"

# What kept a video from being settled counts until it is settled, or until a later run over the same library
# is through without meeting it again.
_FAILURES = f"""
SELECT * FROM _bundle_failures WHERE {_IS_CURRENT}
UNION ALL BY NAME
SELECT u.* EXCLUDE (snapshot) FROM _unfinished_failures AS u
JOIN (SELECT max(run_id) AS run_id FROM runs GROUP BY library) USING (run_id)
WHERE NOT EXISTS (FROM commits AS c WHERE c.video_id = u.video_id AND c.snapshot >= u.snapshot)"""

_FAILURES_ALL = """
SELECT * FROM _bundle_failures
UNION ALL BY NAME
SELECT * EXCLUDE (snapshot) FROM _unfinished_failures"""


def define_views(scan: Scan, own_tables: OwnTables) -> Iterator[Definition]:
    """One view or macro after the other, in the order in which they need each other."""
    tables = COLUMNS | columns_by_table(own_tables)
    for table in tables:
        view = _PARTS_VIEWS.get(table, f"{table}_all")
        make = partial(_of_parts, scan, view, table, tables)
        yield Definition(view, make)
    yield _define("commits", _COMMITS)
    for table in (*BUNDLE_TABLES, *own_tables):
        if table not in _PARTS_VIEWS:
            yield _define(table, _current(table, tables[table]))
    yield _define("failures", _FAILURES)
    yield _define("failures_all", _FAILURES_ALL)
    yield from derived_definitions()


def derived_definitions() -> list[Definition]:
    """The views and macros of `derived.sql`."""
    return [definition_of(statement) for statement in statements_of(DERIVED_SCRIPT)]


def _of_parts(scan: Scan, view: str, table: str, tables: Mapping[str, Sequence[Column]]) -> str:
    """The statement that shows all rows of a table's parts."""
    rows = _typed(scan(table), tables[table])
    if table == "keyframes":
        rows += _of_shots(_typed(scan("shot_keyframes"), tables["shot_keyframes"]), tables[table])
    return _create(view, rows)


def _of_shots(keyframes: str, columns: Sequence[Column]) -> str:
    """The keyframes of shots among those of other rows."""
    theirs = {"table_name": "'shots' AS table_name", "row_index": "shot_index AS row_index"}
    names = ", ".join(theirs.get(column.name, quote_name(column.name)) for column in columns)
    return f"\nUNION ALL SELECT {names} FROM ({keyframes})"


def _current(table: str, columns: Sequence[Column]) -> str:
    """What counts: of the current commits, and what the model saw a picture of."""
    is_seen = " AND is_grounded IS NOT FALSE" if any(c.name == "is_grounded" for c in columns) else ""
    return f"\nSELECT * FROM {quote_name(table + '_all')} WHERE {_IS_CURRENT}{is_seen}"


def views_script(snapshot: Snapshot, root: str = "") -> str:
    """Return `views.sql`. Paths are relative, so that the folder can be moved, and it is run inside the
    folder; or below a `root`, an s3:// address with its slash, to be run anywhere."""

    def scan(table: str) -> str | None:
        keys = snapshot.files_of(table)
        return scan_files(root + key for key in keys) if keys else None

    statements = [each.make() for each in define_views(scan, snapshot.own_tables)]
    opening = f"-- Views over snapshot {snapshot.number}; each publish writes this file anew.\n"
    return opening + "SET TimeZone = 'UTC';\n" + "".join(f"{statement};\n" for statement in statements)


def write_views(store: ObjectStore, snapshot: Snapshot) -> None:
    """Write `views.sql` of this snapshot, or of a newer one that came meanwhile. A disk alone has the
    file."""
    store.replace(VIEWS, lambda: views_script(read_newest(store, snapshot) or snapshot).encode())


def _typed(scan: str | None, columns: Sequence[Column]) -> str:
    """All columns in today's order and type, also where no part has them."""
    names = ", ".join(quote_name(column.name) for column in columns)
    nulls = ", ".join(f"NULL::{column.sql_type} AS {quote_name(column.name)}" for column in columns)
    rows = f"SELECT {nulls} WHERE false"
    return f"\nSELECT {names} FROM ({rows}" + (f"\nUNION ALL BY NAME {scan})" if scan else ")")


def _define(view: str, query: str) -> Definition:
    statement = _create(view, query)
    return Definition(view, lambda: statement, query)


def _create(view: str, query: str) -> str:
    return f"CREATE OR REPLACE VIEW {quote_name(view)} AS {query}"
