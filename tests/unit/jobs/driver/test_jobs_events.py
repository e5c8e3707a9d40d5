"""docs/operations.md names every event that a run says."""

import ast
from collections.abc import Iterator
from pathlib import Path

from places import ROOT

from jobs.driver import telling

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def events() -> Iterator[str]:
    """The names that are said as such: constants, as `_say` and what it is handed have them."""
    for file in Path(telling.__file__).parent.glob("*.py"):
        for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "self._say":
                names = (one.value for one in call.args[1:2] if isinstance(one, ast.Constant))
                yield from (name for name in names if isinstance(name, str))


def test_every_event_is_in_the_docs():
    """As a word of its own."""
    said = set(events())
    assert {"started", "ended", "error", "progress"} <= said
    assert {event for event in said if f"`{event}`" not in PAGE} == set()
