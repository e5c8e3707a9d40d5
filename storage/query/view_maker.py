"""Views and macros of a connection, each made when a statement first names it.

A catalog has more than fifty, and most questions name two. To make one is to open its files.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import duckdb

from storage.index.definitions import Definition, definition_of, words_of
from storage.sql import quote_name

# Statements that ask which views there are, and so need all of them.
_ASKS_FOR_ALL = re.compile(
    r"\b(show|describe|information_schema)\b|\b(duckdb|pg|sqlite)_|^\W*desc\b", re.IGNORECASE
)


class ViewMaker:
    """Makes definitions in a connection, with those that they need, in the order in which they were added."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, made: Callable[[], None] = lambda: None
    ) -> None:
        """`made` is called when all are made that a statement needs."""
        self._connection = connection
        self._tell_made = made
        self._known: dict[str, Definition] = {}
        self._made: set[str] = set()

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to be made."""
        return len(self._made) == len(self._known)

    def add(self, definitions: Iterable[Definition]) -> None:
        """Know these, too; one of a known name takes its place."""
        for definition in definitions:
            name = definition.name.lower()
            self._known[name] = definition
            self._made.discard(name)

    def make_for(self, sql: str) -> None:
        """Make what the statement names. Raises what DuckDB and the store raise."""
        if _ASKS_FOR_ALL.search(sql):
            self.make_all()
        elif not self.is_complete:
            self._make(self._needed(words_of(sql)))

    def make_all(self) -> None:
        """Make everything that is known."""
        if not self.is_complete:
            self._make(set(self._known))

    @contextmanager
    def holding(self, columns: Mapping[str, Sequence[str]]) -> Iterator[None]:
        """Read some columns of views once and, meanwhile, have no others of them, here and in all views that
        are made of them. Raises what DuckDB and the store raise."""
        known = dict(self._known)
        try:
            for name, wanted in columns.items():
                self.make_for(name)
                names = ", ".join(map(quote_name, wanted))
                held = quote_name(f"_held_{name}")
                self._connection.execute(f"CREATE OR REPLACE TEMP TABLE {held} AS SELECT {names} FROM {name}")
                self.add([definition_of(f"CREATE OR REPLACE VIEW {quote_name(name)} AS FROM {held}")])
            self._made.clear()
            yield
        finally:
            self._known = known
            self._made.clear()
            for name in columns:
                self._connection.execute(f"DROP TABLE IF EXISTS {quote_name(f'_held_{name}')}")

    def _needed(self, words: Iterable[str]) -> set[str]:
        """The names among the words, and what those need in turn."""
        needed: set[str] = set()
        waiting = [word for word in words if word in self._known]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += [word for word in self._known[name].words if word in self._known]
        return needed

    def _make(self, names: set[str]) -> None:
        for name, definition in self._known.items():
            if name in names and name not in self._made:
                self._connection.execute(definition.make())
                self._made.add(name)
        self._tell_made()
