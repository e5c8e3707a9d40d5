"""A video's signals, read one after the other; one that fails leaves the others alone."""

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from jobs.failures import Stage, VideoFailure, classify
from jobs.signals.signal import Lineage, PartlyRead, Signal, VideoFile, signal_id
from schemas.failures import FailureClass
from schemas.measured import MEASURED_TABLES, Measured
from schemas.usage import NO_USAGE, SignalUsage, Usage

_TRIES = 3  # of a signal whose storage did not answer
BACKOFF_S = 1.0


@dataclass(frozen=True)
class SignalFailure:
    """Why a signal has no rows, or not all."""

    signal_id: str
    failure: VideoFailure


@dataclass(frozen=True)
class SignalsRead:
    """Rows by table: every table of a signal that was read is there, if empty."""

    rows: dict[str, tuple[Measured, ...]] = field(default_factory=dict)
    failures: tuple[SignalFailure, ...] = ()
    took: tuple[SignalUsage, ...] = ()

    @property
    def seconds(self) -> float:
        """Wall time of all of them."""
        return sum(one.seconds for one in self.took)

    @property
    def usage(self) -> Usage:
        """What they took; nothing where none was read."""
        return Usage(signal_seconds=self.seconds, signals=self.took) if self.took else NO_USAGE


NO_SIGNALS_READ = SignalsRead()


def read_signals(
    file: VideoFile, signals: Iterable[Signal], lineage_of: Callable[[str], Lineage]
) -> SignalsRead:
    """Read each of them. `lineage_of` makes the lineage of rows from a signal's id."""
    rows: dict[str, tuple[Measured, ...]] = {}
    failures: list[SignalFailure] = []
    took: list[SignalUsage] = []
    for signal in signals:
        name, begun = signal_id(signal), time.perf_counter()
        found, failure = _read(file, signal, lineage_of(name))
        took.append(SignalUsage(signal.name, time.perf_counter() - begun))
        if failure is not None:
            failures.append(SignalFailure(name, failure))
        rows |= {table: _rows_in(table, found) for table in signal.tables}
    return SignalsRead(rows, tuple(failures), tuple(took))


def _read(file: VideoFile, signal: Signal, lineage: Lineage) -> tuple[list[Measured], VideoFailure | None]:
    """Rows, and why there are none or not all of them."""
    for number in range(_TRIES):
        found: list[Measured] = []
        try:
            for row in signal.read(file, lineage):
                found.append(row)
            return found, None
        except PartlyRead as part:
            # The video's own matter, as damage inside it would be: another try finds the same.
            return found, replace(classify(part.why, Stage.READ), failure_class=FailureClass.MEDIA)
        except Exception as error:
            failure = classify(error, Stage.READ)
        if failure.failure_class is not FailureClass.TRANSIENT or not failure.can_retry:
            break
        time.sleep(BACKOFF_S * 2**number * random.uniform(0.5, 1.5))
    return [], failure


def _rows_in(table: str, rows: Iterable[Measured]) -> tuple[Measured, ...]:
    return tuple(row for row in rows if type(row) is MEASURED_TABLES[table])
