"""What is said: lines and errors for people, JSON for machines."""

import base64
import json
import math
import sys
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import click

from jobs.ui.words import is_harmless, visible
from schemas.failures import MediaIndexError


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
    """Print what failed on which object, and what to do. Only SQL takes more than a line: DuckDB points into
    it."""
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
    """Strict JSON on one line: of records their fields; what is not finite is null, dates and the like are
    text, and what a terminal would obey is escaped."""
    text = json.dumps(_finite(value), ensure_ascii=False, default=_text, allow_nan=False)
    return text if text.isascii() and text.isprintable() else "".join(map(_escaped, text))


def event_line(event: str, run_id: str | None, **fields: Any) -> str:
    """An event of a run as one JSON line of `--log-format json`; without a run it did not begin."""
    return to_json({"time": datetime.now(UTC).isoformat(), "event": event, "run_id": run_id} | fields)


def _escaped(character: str) -> str:
    return character if is_harmless(character) else f"\\u{ord(character):04x}"


def _text(value: Any) -> str:
    """Text for what JSON has no word for; bytes in base64."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _finite(value: Any) -> Any:
    """Records by field; JSON has no NaN and no infinity."""
    if is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    elif hasattr(type(value), "model_fields"):
        value = dict(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value
