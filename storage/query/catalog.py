"""The reader's door to an index: SQL over one snapshot, whatever is written meanwhile.

Only the index's own parts can be read through it, and nothing can be written: the connection has no
other file access and takes queries only, so SQL from outside is safe to run.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

import duckdb

from schemas.failures import PreflightError, UsageError
from storage.errors import preflight
from storage.index.marker import find_index_id
from storage.index.nearby import no_index
from storage.index.publishing.snapshots import Snapshot, own_tables_of, read_newest
from storage.index.tables.columns import COLUMNS
from storage.index.tables.pack_tables import OwnTables, columns_by_table
from storage.index.views import define_views
from storage.objects.store import ObjectStore, open_store
from storage.query.lost_parts import ChangedUnderneath, damage, is_damage, names_a_part, trouble
from storage.query.view_maker import ViewMaker
from storage.sql import connect

if TYPE_CHECKING:  # these bring numpy, which SQL does without
    from numpy.typing import NDArray
    from pyarrow import Schema

    from storage.query.words.postings import Postings

BATCH_ROWS = 1000  # of keyframes 10 MB

_QUERIES = {duckdb.StatementType.SELECT, duckdb.StatementType.RELATION}
# Nothing but spaces, so that what is looked at is what DuckDB sees; in a comment it could see another.
_NOT_ENCODED = "cannot encode str as UTF-8"
_NOT_UTF8 = re.compile("[\ud800-\udfff]")  # as Python reads such bytes of a command line
_EXPLAIN = re.compile(r"[ \t\r\n]*EXPLAIN[ \t\r\n]+(ANALYZE[ \t\r\n]+)?", re.IGNORECASE | re.ASCII)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """A query's answer; one tuple per row."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    @property
    def records(self) -> list[dict[str, Any]]:
        """The rows by column; of columns with one name the later ones are numbered, so that none is lost."""
        names: list[str] = []
        for name in self.columns:
            names.append(name if name not in names else f"{name}_{len(names) + 1}")
        return [dict(zip(names, row, strict=True)) for row in self.rows]


class Catalog:
    """Views `videos`, `scenes`, … over the snapshot that was newest when it was opened."""

    def __init__(
        self,
        store: ObjectStore,
        snapshot: Snapshot | None,
        connection: duckdb.DuckDBPyConnection,
        own_tables: OwnTables,
        views: ViewMaker | None = None,
    ) -> None:
        self.url = store.url
        self._store = store
        self.snapshot = snapshot
        self.connection = connection
        self.own_tables = own_tables  # the snapshot's; of a file of an older one, that file's
        self.views = views or ViewMaker(connection)

    @cached_property
    def postings(self) -> "Postings":
        """The words of its documents, as arrays."""
        from storage.query.words.postings import Postings

        return Postings(self.arrays)

    def will_read(self, *tables: str) -> None:
        """Say which tables the next questions are about, so that what lies together is fetched at once."""
        with self._errors():
            self.views.make_for(" ".join(tables))

    @contextmanager
    def holding(self, columns: Mapping[str, Sequence[str]]) -> Iterator[None]:
        """Read these columns of views once, for several questions that need no others of them: each part that
        a question opens costs some milliseconds, as often as the question names it."""
        with ExitStack() as held:
            with self._errors():
                held.enter_context(self.views.holding(columns))
            yield

    def query(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Result:
        """Run one query, `?` or `$name` in it standing for `params`. UsageError: DuckDB refuses it."""
        with self._errors():
            columns = self._execute(sql, params)
            return Result(columns, self.connection.fetchall())

    def read(
        self, record: type[T], sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> tuple[T, ...]:
        """The rows of a query as records of a type that has its columns. Raises as `query` does.

        Row types take them unchecked: a newer version may have written words that this one does not know.
        """
        make: Callable[..., T] = getattr(record, "model_construct", record)
        return tuple(make(**row) for row in self.query(sql, params).records)

    def arrays(
        self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> "list[NDArray[Any]]":
        """The columns of a query of ours, numbers without nulls; no time goes into single rows.

        Not for SQL from outside, as it is not checked.
        """
        with self._errors():
            self.views.make_for(sql)
            return list(self.connection.sql(sql, params=params).fetchnumpy().values())

    def stream(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None = None) -> Iterator[Result]:
        """The same in batches, the first of them also when there are no rows.

        Memory stays that of a batch. The connection is busy until the last one: no other query meanwhile.
        """
        with self._errors():
            columns = self._execute(sql, params)
            rows = self.connection.fetchmany(BATCH_ROWS)
        yield Result(columns, rows)
        while rows:
            with self._errors():
                rows = self.connection.fetchmany(BATCH_ROWS)
            if rows:
                yield Result(columns, rows)

    def _execute(self, sql: str, params: Sequence[Any] | Mapping[str, Any] | None) -> tuple[str, ...]:
        if _NOT_UTF8.search(sql):
            raise UsageError("SQL: the query is not UTF-8", "Write it in UTF-8.")
        statements = self.connection.extract_statements(sql)
        if len(statements) != 1 or not self._is_query(statements[0]):
            raise UsageError(
                "only a single query can be run here",
                "Start it with SELECT, FROM, WITH or EXPLAIN; docs/queries.md tells what is refused.",
            )
        self.views.make_for(sql)
        try:
            self.connection.execute(statements[0], params)
        except duckdb.CatalogException:  # as of a name that is put together by the query
            if self.views.is_complete:
                raise
            self.views.make_all()
            self.connection.execute(statements[0], params)
        return tuple(column[0] for column in self.connection.description or ())

    def _is_query(self, statement: duckdb.Statement) -> bool:
        """Whether it is a query, or the explanation of one: EXPLAIN ANALYZE runs what follows."""
        if statement.type != duckdb.StatementType.EXPLAIN:
            return statement.type in _QUERIES
        found = _EXPLAIN.match(statement.query)
        explained = self.connection.extract_statements(statement.query[found.end() :]) if found else []
        return [each.type in _QUERIES for each in explained] == [True]

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """DuckDB's errors as ours."""
        try:
            yield
        except RuntimeError as error:  # Ctrl-C while DuckDB works
            raise KeyboardInterrupt from error
        except duckdb.Error as error:
            if is_damage(error):
                raise ChangedUnderneath(*damage(self.url, error)) from error
            if lost := self.lost_part(error):
                raise lost from error
            if _NOT_ENCODED in str(error):  # what the query was given
                raise UsageError("what was asked is not UTF-8", "Write it in UTF-8.") from error
            raise UsageError(
                f"SQL: {error}", "The tables and their columns are listed in docs/tables.md."
            ) from error

    def lost_part(self, error: duckdb.Error) -> PreflightError | None:
        """Return what the error means where a part of the snapshot cannot be read; None: something else is
        wrong."""
        return trouble(self._store, self.snapshot, error) if names_a_part(error, self.snapshot) else None

    def close(self) -> None:
        """Close the connection to DuckDB."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_catalog(url: str, endpoint_url: str | None = None, must_exist: bool = True) -> Catalog:
    """Open an index for questions. NoIndexError: there is none; without `must_exist` its tables are empty.
    PreflightError: a newer one, or it cannot be reached."""
    store, snapshot = find_snapshot(url, endpoint_url, must_exist)
    connection = connect()
    views = add_views(connection, store, snapshot)
    lock(connection)
    return Catalog(store, snapshot, connection, own_tables_of(snapshot), views)


def find_snapshot(
    url: str, endpoint_url: str | None, must_exist: bool = True
) -> tuple[ObjectStore, Snapshot | None]:
    """The index and its newest snapshot. Raises as `open_catalog` does."""
    store = open_store(url, endpoint_url)
    with preflight("index"):
        if find_index_id(store) is None and must_exist:
            raise no_index(url, endpoint_url)
        return store, read_newest(store)


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Lock a connection: nothing but the views' own files can be read, and no setting can be changed back."""
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def add_views(
    connection: duckdb.DuckDBPyConnection, store: ObjectStore, snapshot: Snapshot | None
) -> ViewMaker:
    """The views over the snapshot's parts, none of them made yet, and leave to read those."""

    def scan(table: str) -> str | None:
        def schema() -> "Schema":
            from storage.index.tables.arrow_tables import arrow_schema

            return arrow_schema(columns[table])

        keys = snapshot.files_of(table) if snapshot else ()
        read_next.extend(keys)
        return store.scan(connection, table, keys, schema) if keys else None

    def gather() -> None:
        store.gather(read_next)
        read_next.clear()

    read_next: list[str] = []
    own_tables = own_tables_of(snapshot)
    columns = COLUMNS | columns_by_table(own_tables)
    # Parts never change, and a query for one picture would open them all to read their statistics.
    connection.execute("SET parquet_metadata_cache = true")
    store.expect(snapshot.places() if snapshot else ())
    store.allow_scans(connection, snapshot.files if snapshot else ())
    views = ViewMaker(connection, gather)
    views.add(define_views(scan, own_tables))
    return views
