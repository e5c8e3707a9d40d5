"""Rows as a table on a terminal or in a pipe. Loads rich, which verbs without a table do without."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jobs.ui.terminal import say
from jobs.ui.words import visible


class PipeConsole(Console):
    """Rich ends the process with 1 when its reader goes away; that is no error of ours."""

    def on_broken_pipe(self) -> None:
        """Raise the error that Rich would hide."""
        raise BrokenPipeError


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on stdout; as wide as it must be when stdout is no terminal."""
    console = PipeConsole(soft_wrap=False)
    if not console.is_terminal:
        console = PipeConsole(width=100_000)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(escape(visible(name)), overflow="fold")
    for row in rows:
        table.add_row(*(escape(visible(_cell(value))) for value in row))
    console.print(table)
    noun = "row" if len(rows) == 1 else "rows"
    say(f"({len(rows)} {noun})", err=True)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    value = _without_bytes(value)
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def _without_bytes(value: Any) -> Any:
    """Say how many there are: nobody reads a picture in a terminal."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, dict):
        return {key: _without_bytes(item) for key, item in value.items()}
    return [_without_bytes(item) for item in value] if isinstance(value, list) else value
