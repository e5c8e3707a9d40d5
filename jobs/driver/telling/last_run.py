"""What the latest run came to, as a file for Prometheus that outlives it.

Ray's metrics end with the driver, seconds after the last of them was set; a file says for as long as it lies
there when a run ended, how, and what it left. The textfile collector of Prometheus' node exporter reads it.
"""

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from schemas.failures import ExitCode, MediaIndexError, PreflightError
from schemas.tables import Run

# The same in docs/operations.md, which a test compares.
LAST_RUN = {
    "last_run_end_timestamp_seconds": ("When the latest run ended, Unix time", ("kind",)),
    "last_run_exit_code": ("Its exit code, whatever --ok makes of it", ("kind",)),
    "last_run_duration_seconds": ("How long it took", ("kind",)),
    "last_run_videos": ("Videos that it planned, by what became of them", ("kind", "outcome")),
    "last_success_timestamp_seconds": ("When the latest run ended with 0 or 3, Unix time", ("kind",)),
}
_SAID_SUCCESS = r"^media_index_last_success_timestamp_seconds\S* (\S+)$"
_SUCCESS = (ExitCode.DONE, ExitCode.DONE_WITH_FAILURES)
_HINT = "Name another with --metrics-file."
_Values = Mapping[tuple[str, str], float]  # by metric and outcome, "" where it has none


@dataclass
class Told:
    """The result of a run, as far as it is known."""

    run: Run | None = None


@contextmanager
def told_at_the_end(file: Path | None, kind: str) -> Iterator[Told]:
    """Write to the metrics file how the run ended, whatever ends it; `file` None: write nothing.

    PreflightError: the file's folder is not there, which is found at once.
    """
    told, code, started_at = Told(), ExitCode.INTERNAL, datetime.now(UTC)
    if file is not None:
        check_writable(file)
    try:
        yield told
        code = ExitCode(told.run.exit_code) if told.run else ExitCode.DONE
    except MediaIndexError as error:
        code = error.exit_code
        raise
    except KeyboardInterrupt:
        code = ExitCode.INTERRUPTED
        raise
    finally:
        if file is not None:
            write_last_run(file, kind, started_at, datetime.now(UTC), code, told.run)


def write_last_run(
    file: Path, kind: str, started_at: datetime, ended_at: datetime, code: int, run: Run | None
) -> None:
    """Replace the file at once; of the one before only the time of success is kept.

    `run` is None where an error ended it. Raises `MediaIndexError` where the file cannot be written.
    """
    values = {
        ("last_run_end_timestamp_seconds", ""): ended_at.timestamp(),
        ("last_run_exit_code", ""): code,
        ("last_run_duration_seconds", ""): (ended_at - started_at).total_seconds(),
        **(_videos_of(run) if run else {}),
    }
    success = ended_at.timestamp() if code in _SUCCESS else _success_before(file)
    if success is not None:
        values["last_success_timestamp_seconds", ""] = success
    _replace(file, _page(kind, values))


def check_writable(file: Path) -> None:
    """Check that the metrics file can be written, now rather than at the end of a night. Raises
    `PreflightError`."""
    if not os.access(file.parent, os.W_OK | os.X_OK):
        why = "its folder is not there, or may not be written to"
        raise PreflightError(f"metrics file {file}: {why}", _HINT)


def _videos_of(run: Run) -> _Values:
    outcomes = {
        "indexed": run.num_indexed,
        "partial": run.num_partial,
        "set_aside": run.num_quarantined,
        "left": run.num_unfinished,
    }
    return {("last_run_videos", outcome): count for outcome, count in outcomes.items()}


def _success_before(file: Path) -> float | None:
    with suppress(OSError, UnicodeDecodeError):
        said = re.search(_SAID_SUCCESS, file.read_text("utf-8"), re.M)
        return float(said[1]) if said else None
    return None


def _page(kind: str, values: _Values) -> str:
    lines: list[str] = []
    for name, (says, _) in LAST_RUN.items():
        samples = [(outcome, value) for (metric, outcome), value in values.items() if metric == name]
        if samples:
            lines += [f"# HELP media_index_{name} {says}", f"# TYPE media_index_{name} gauge"]
        for outcome, value in samples:
            labels = f'kind="{kind}"' + (f',outcome="{outcome}"' if outcome else "")
            lines.append(f"media_index_{name}{{{labels}}} {float(value)!r}")
    return "\n".join([*lines, ""])


def _replace(file: Path, page: str) -> None:
    new = file.with_name(f".{file.name}.{os.getpid()}")  # no *.prom: nobody reads it by half
    try:
        new.write_text(page, encoding="utf-8")
        new.replace(file)
    except OSError as error:
        why = error.strerror or str(error)
        raise MediaIndexError(f"metrics file {file}: {why}; the run is recorded", _HINT) from None
