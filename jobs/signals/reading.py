"""A video's signals: those that read one after the other, those that watch in one pass together.

One that fails leaves the others alone.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from jobs.failures import VideoFailure
from jobs.signals.outcomes import Outcome, collect
from jobs.signals.signal import Lineage, ReadingSignal, Signal, VideoFile, signal_id
from jobs.signals.watching import lineages_of, watch_all, watching_of
from schemas.failures import FailureClass
from schemas.measured import MEASURED_TABLES, Measured
from schemas.usage import NO_USAGE, SignalUsage, Usage

_TRIES = 3  # of a signal whose storage did not answer
BACKOFF_S = 1.0


@dataclass(frozen=True)
class SignalFailure:
    """The reason why a signal has no rows, or not all."""

    signal_id: str
    failure: VideoFailure


@dataclass(frozen=True)
class SignalsRead:
    """Rows by table: every table of a signal that was read is there, if empty."""

    rows: dict[str, tuple[Measured, ...]] = field(default_factory=dict)
    failures: tuple[SignalFailure, ...] = ()
    took: tuple[SignalUsage, ...] = ()
    wall_s: float = 0.0  # of reading what was not read beforehand

    @property
    def seconds(self) -> float:
        """Seconds of a CPU, of all of them together."""
        return sum(one.seconds for one in self.took)

    @property
    def usage(self) -> Usage:
        """The usage of the signals that were read; nothing where none was."""
        return Usage(signal_seconds=self.seconds, signals=self.took) if self.took else NO_USAGE


NO_SIGNALS_READ = SignalsRead()


def read_signals(
    file: VideoFile, signals: Iterable[Signal], lineage_of: Callable[[str], Lineage]
) -> SignalsRead:
    """Read each of them that was not read, and has not failed, beforehand. `lineage_of` makes the lineage of
    rows from a signal's id."""
    begun = time.perf_counter()
    wanted = tuple(signals)
    outcomes = _known(file, wanted, lineage_of)
    outcomes |= {name: Outcome(failure=why) for name, why in file.before.failures.items()}
    to_watch = watching_of(one for one in wanted if one.name not in outcomes)
    outcomes |= watch_all(file, to_watch, lineage_of)
    for signal in wanted:
        if isinstance(signal, ReadingSignal) and signal.name not in outcomes:
            outcomes[signal.name] = _read(file, signal, lineage_of(signal_id(signal)))
    rows: dict[str, tuple[Measured, ...]] = {}
    failures: list[SignalFailure] = []
    for signal in wanted:
        outcome = outcomes[signal.name]
        if outcome.failure is not None:
            failures.append(SignalFailure(signal_id(signal), outcome.failure))
        rows |= {table: _rows_in(table, outcome.rows) for table in signal.tables}
    spent = file.before.seconds
    took = tuple(
        SignalUsage(one.name, outcomes[one.name].seconds + spent.get(one.name, 0.0)) for one in wanted
    )
    return SignalsRead(rows, tuple(failures), took, time.perf_counter() - begun)


def _known(
    file: VideoFile, signals: Sequence[Signal], lineage_of: Callable[[str], Lineage]
) -> dict[str, Outcome]:
    """What a pass has found already, by name."""
    watched = file.before.watched
    return {} if watched is None else watched.of_run(lineages_of(signals, lineage_of))


def _read(file: VideoFile, signal: ReadingSignal, lineage: Lineage) -> Outcome:
    begun = time.process_time()
    for number in range(_TRIES):
        outcome = collect(partial(signal.read, file, lineage))
        failure = outcome.failure
        if failure is None or failure.failure_class is not FailureClass.TRANSIENT or not failure.can_retry:
            break
        time.sleep(BACKOFF_S * 2**number * random.uniform(0.5, 1.5))
    return replace(outcome, seconds=time.process_time() - begun)


def _rows_in(table: str, rows: Iterable[Measured]) -> tuple[Measured, ...]:
    return tuple(row for row in rows if type(row) is MEASURED_TABLES[table])
