"""Telling of a problem that ends a verb: two lines, or a JSON line where stderr is to hold nothing else."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from jobs.settings.file import read_settings_file
from jobs.ui.terminal import event_line, say, show_error
from schemas.failures import ExitCode, MediaIndexError, UsageError

_SPEAKS_JSON = ("run", "backfill")


def show_problem(error: MediaIndexError) -> int:
    """Say what failed and what to do; return the exit code."""
    if speaks_json(sys.argv[1:]):
        _say_event(error.message, error.hint, error.exit_code)
    else:
        show_error(error)
    return int(error.exit_code)


def show_end(message: str, hint: str, code: ExitCode) -> int:
    """Say the same of what is no error of ours."""
    if speaks_json(sys.argv[1:]):
        _say_event(message, hint, code)
    else:
        say(f"error: {message}", f"hint: {hint}", err=True)
    return int(code)


def show_crash(error: Exception, lines: str) -> int:
    """Say the same of a bug; `lines` is its traceback."""
    if speaks_json(sys.argv[1:]):
        message = f"{type(error).__name__}: {error}"
        _say_event(message, "Please report it with the traceback.", ExitCode.INTERNAL, traceback=lines)
    else:
        say(*lines.splitlines(), err=True)  # names in it are no better than elsewhere
    return int(ExitCode.INTERNAL)


def speaks_json(arguments: Sequence[str]) -> bool:
    """Tell whether this command, which may be mistyped, asked for JSON lines."""
    if not arguments or arguments[0] not in _SPEAKS_JSON:
        return False
    if said := _value_of("--log-format", arguments):
        return said == "json"
    named = _value_of("--config", arguments)
    with suppress(UsageError):
        return read_settings_file(Path(named) if named else None).values.get("log-format") == "json"
    return False


def _value_of(flag: str, arguments: Sequence[str]) -> str | None:
    """Return the last value given, with a space or `=` before it."""
    values = [after for before, after in pairwise(arguments) if before == flag]
    values += [one.partition("=")[2] for one in arguments if one.startswith(f"{flag}=")]
    return values[-1] if values else None


def _say_event(message: str, hint: str, code: ExitCode, **more: str) -> None:
    """Say as JSON what stopped a run before it began."""
    told = {"message": message, "hint": hint, "exit_code": int(code), "next": None}
    say(event_line("error", None, **told, **more), err=True)
