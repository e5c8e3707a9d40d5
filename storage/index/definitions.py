"""Definitions of SQL views and macros, which can be made when they are first needed."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

_HEAD = re.compile(r'CREATE OR REPLACE (?:VIEW|MACRO) (?:"((?:[^"]|"")+)"|(\w+))')
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Definition:
    """One view or macro. `make` gives the statement that creates it; `about` has the names that it needs."""

    name: str
    make: Callable[[], str]
    about: str = ""

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of its SQL: each is the name of another definition that it may need, or of none."""
        return words_of(self.about) - {self.name.lower()}


def definition_of(statement: str) -> Definition:
    """The definition that a CREATE OR REPLACE statement makes. ValueError: the statement makes none."""
    found = _HEAD.search(statement)
    if found is None:
        raise ValueError(f"no view or macro: {statement}")
    name = found[1].replace('""', '"') if found[1] else found[2]
    return Definition(name, lambda: statement, statement)


def words_of(sql: str) -> frozenset[str]:
    """All words of a statement in lower case, quoted ones too."""
    return frozenset(_WORD.findall(sql.lower()))
