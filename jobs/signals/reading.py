"""A video's signals, read one after the other; one that fails leaves the others alone."""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from jobs.failures import Stage, VideoFailure, classify
from jobs.signals.signal import Lineage, Signal, VideoFile, signal_id
from schemas.failures import FailureClass
from schemas.tables import MEASURED_TABLES, Measured

_TRIES = 3  # of a signal whose storage did not answer
_BACKOFF_S = 1.0


@dataclass(frozen=True)
class SignalFailure:
    """Why a signal has no rows."""

    signal_id: str
    failure: VideoFailure


@dataclass(frozen=True)
class SignalsRead:
    """Rows by table: every table of a signal that was read is there, if empty. `seconds` are wall time."""

    rows: dict[str, tuple[Measured, ...]] = field(default_factory=dict)
    failures: tuple[SignalFailure, ...] = ()
    seconds: float = 0.0
    names: tuple[str, ...] = ()  # of the signals, whether or not they failed


NO_SIGNALS_READ = SignalsRead()


def read_signals(
    file: VideoFile, signals: Iterable[Signal], lineage_of: Callable[[str], Lineage]
) -> SignalsRead:
    """Read each of them. `lineage_of` makes the lineage of rows from a signal's id."""
    begun = time.perf_counter()
    rows: dict[str, tuple[Measured, ...]] = {}
    failures: list[SignalFailure] = []
    names: list[str] = []
    for signal in signals:
        name = signal_id(signal)
        names.append(signal.name)
        found = _read(file, signal, lineage_of(name))
        if isinstance(found, VideoFailure):
            failures.append(SignalFailure(name, found))
            found = []
        rows |= {table: _rows_in(table, found) for table in signal.tables}
    return SignalsRead(rows, tuple(failures), time.perf_counter() - begun, tuple(names))


def _read(file: VideoFile, signal: Signal, lineage: Lineage) -> list[Measured] | VideoFailure:
    for number in range(_TRIES):
        try:
            return list(signal.read(file, lineage))
        except Exception as error:
            failure = classify(error, Stage.READ)
        if failure.failure_class is not FailureClass.TRANSIENT or not failure.can_retry:
            break
        time.sleep(_BACKOFF_S * 2**number * random.uniform(0.5, 1.5))
    return failure


def _rows_in(table: str, rows: Iterable[Measured]) -> tuple[Measured, ...]:
    return tuple(row for row in rows if type(row) is MEASURED_TABLES[table])
