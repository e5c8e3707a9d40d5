"""How results and errors look: tables and hits for people, JSON for machines."""

import base64
import json
import math
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from jobs.ui.made_by import MadeBy, notes_on
from jobs.ui.words import is_harmless, visible
from schemas.failures import MediaIndexError
from storage.query.search import Hit

MAX_SAID = 240  # characters of a hit; --json has all


def say(*lines: str, err: bool = False, lead: str = "") -> None:
    """Lines on stdout or stderr. All text from outside goes through here or `visible`: names of files and
    titles hold what they like, and a terminal would obey it. `lead` is ours, and may have colour.
    """
    for line in lines:
        click.echo(lead + visible(line), err=err)


def say_document(text: str) -> None:
    """A document on stdout: as it is into a file or a pipe, line by line onto a terminal."""
    if sys.stdout.isatty():
        say(*text.splitlines())
    else:
        sys.stdout.buffer.write(text.encode())


def show_error(error: MediaIndexError) -> None:
    """What failed on which object, and what to do. Only SQL takes more than a line: DuckDB points into it."""
    is_sql = error.message.startswith("SQL: ")
    first, *rest = error.message.split("\n") if is_sql else [error.message]
    say(f"error: {first}", *(f"       {line}" for line in rest), f"hint: {error.hint}", err=True)


def see_help(command: str) -> str:
    """The end of a hint about a command that was typed wrongly."""
    return f"See `{command} --help`."


def show_json(value: Any) -> None:
    """One JSON document on stdout."""
    click.echo(to_json(value))


def to_json(value: Any) -> str:
    """Strict JSON on one line: what is not finite is null, dates and the like are text, and what a terminal
    would obey is escaped."""
    text = json.dumps(_finite(value), ensure_ascii=False, default=_text, allow_nan=False)
    return text if text.isascii() and text.isprintable() else "".join(map(_escaped, text))


def _escaped(character: str) -> str:
    return character if is_harmless(character) else f"\\u{ord(character):04x}"


def as_records(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Rows as JSON objects; of columns with one name the later ones are numbered, so that none is lost."""
    names: list[str] = []
    for name in columns:
        names.append(name if name not in names else f"{name}_{len(names) + 1}")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _text(value: Any) -> str:
    """Of what JSON has no word for; bytes in base64."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


class _Console(Console):
    """Rich ends the process with 1 when its reader goes away; that is no error of ours."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def show_rows(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table on stdout; as wide as it must be when stdout is no terminal."""
    console = _Console(soft_wrap=False)
    if not console.is_terminal:
        console = _Console(width=100_000)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(escape(visible(name)), overflow="fold")
    for row in rows:
        table.add_row(*(escape(visible(_cell(value))) for value in row))
    console.print(table)
    noun = "row" if len(rows) == 1 else "rows"
    say(f"({len(rows)} {noun})", err=True)


def show_hits(hits: Sequence[Hit]) -> None:
    """One block per hit: where to look and what found it, then what is there, matches marked."""
    console = _Console(highlight=False, soft_wrap=True)
    marks = ("[bold yellow]", "[/bold yellow]") if console.is_terminal else ("*", "*")
    for hit in hits:
        where = "" if hit.start_ms is None else f"  {timecode(hit.start_ms)}"
        scores = [
            f"{name} {score:.2f}"
            for name, score in (("words", hit.words_score), ("meaning", hit.meaning_score))
            if score is not None
        ]
        uri = escape(visible(hit.uri))
        console.print(f"[bold]{uri}[/bold]{where}  [dim]{hit.kind}, {' and '.join(scores)}[/dim]")
        console.print(f"    {_said(hit, marks)}")
    models = sorted({MadeBy(hit.model_id, hit.model_revision) for hit in hits if hit.model_id})
    if models:
        console.print(f"[dim]by {escape(visible(', '.join(model.name for model in models)))}[/dim]")
    for note in notes_on(models):
        say(f"note: {note}", err=True)
    if not hits:
        say("no hits", err=True)


def _said(hit: Hit, marks: tuple[str, str]) -> str:
    """Title and text as rich's markup, cut to a readable length."""
    lead = f"{hit.title}: " if hit.title and hit.text else hit.title
    said = lead + hit.text
    spans = [*hit.title_matches, *((len(lead) + start, len(lead) + end) for start, end in hit.text_matches)]
    length = MAX_SAID if len(said) <= MAX_SAID else MAX_SAID - 1
    pieces, done = [], 0
    for start, end in spans:
        if end <= length and not _is_in_path(hit, said, start, end):
            pieces += [_markup(said[done:start]), marks[0], _markup(said[start:end]), marks[1]]
            done = end
    return "".join([*pieces, _markup(said[done:length]), "…" if length < len(said) else ""])


def _markup(text: str) -> str:
    return escape(visible(text))


def _is_in_path(hit: Hit, said: str, start: int, end: int) -> bool:
    """Names of files are to be copied, so nothing is marked in them; one may be the title."""
    if end <= len(hit.title) and hit.uri.endswith(hit.title):
        return True
    before, after = said[:start].rsplit(None, 1), said[end:].split(None, 1)
    word = (before[-1] if before and not said[start - 1].isspace() else "") + said[start:end]
    return "/" in word + (after[0] if after and not said[end].isspace() else "")


def timecode(ms: int) -> str:
    """`1:02:03.4`, `2:03.4`: as players show it."""
    minutes, tenths = divmod(ms // 100, 600)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{tenths / 10:04.1f}"
    return f"{hours}:{minutes:02}:{seconds}" if hours else f"{minutes}:{seconds}"


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    value = _without_bytes(value)
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def _without_bytes(value: Any) -> Any:
    """Their number instead: nobody reads a picture in a terminal."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, dict):
        return {key: _without_bytes(item) for key, item in value.items()}
    return [_without_bytes(item) for item in value] if isinstance(value, list) else value
