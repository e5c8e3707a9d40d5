"""A video's signals: those that read one after the other, those that watch in one pass together.

One that fails leaves the others alone.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from jobs.failures import Stage, VideoFailure, classify
from jobs.signals.signal import (
    Lineage,
    PartlyRead,
    ReadingSignal,
    Signal,
    VideoFile,
    Watching,
    WatchingSignal,
    signal_id,
)
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

    def settle(signal: Signal, outcome: _Outcome, seconds: float) -> None:
        found, failure = outcome
        took.append(SignalUsage(signal.name, seconds))
        if failure is not None:
            failures.append(SignalFailure(signal_id(signal), failure))
        rows.update({table: _rows_in(table, found) for table in signal.tables})

    watching: list[WatchingSignal] = []
    for signal in signals:
        begun = time.perf_counter()
        if isinstance(signal, WatchingSignal):
            watching.append(signal)
        elif isinstance(signal, ReadingSignal):
            outcome = _read(file, signal, lineage_of(signal_id(signal)))
            settle(signal, outcome, time.perf_counter() - begun)
    begun = time.perf_counter()
    outcomes = list(_watch(file, watching, lineage_of))
    share_s = (time.perf_counter() - begun) / max(1, len(outcomes))  # of the pass, which they share
    for watcher, outcome in outcomes:
        settle(watcher, outcome, share_s)
    return SignalsRead(rows, tuple(failures), tuple(took))


_Outcome = tuple[list[Measured], VideoFailure | None]  # rows, and why there are none or not all of them


def _read(file: VideoFile, signal: ReadingSignal, lineage: Lineage) -> _Outcome:
    for number in range(_TRIES):
        found, failure = _collected(partial(signal.read, file, lineage))
        if failure is None or failure.failure_class is not FailureClass.TRANSIENT or not failure.can_retry:
            break
        time.sleep(BACKOFF_S * 2**number * random.uniform(0.5, 1.5))
    return found, failure


def _collected(rows: Callable[[], Iterator[Measured]]) -> _Outcome:
    found: list[Measured] = []
    try:
        for row in rows():
            found.append(row)
    except PartlyRead as part:
        # The video's own matter, as damage inside it would be: another try finds the same.
        return found, replace(classify(part.why, Stage.READ), failure_class=FailureClass.MEDIA)
    except Exception as error:
        return [], classify(error, Stage.READ)
    return found, None


def _watch(
    file: VideoFile, signals: Sequence[WatchingSignal], lineage_of: Callable[[str], Lineage]
) -> Iterator[tuple[Signal, _Outcome]]:
    """Show the film once to all that watch."""
    begun: list[tuple[WatchingSignal, Watching]] = []
    for signal in signals:
        try:
            begun.append((signal, signal.watch(file)))
        except Exception as error:
            yield signal, ([], classify(error, Stage.READ))
    if not begun:
        return
    from videoxl2.watching import watch  # it loads PyAV, and this module is imported for plans

    watchers = [watcher for _, watching in begun for watcher in watching.watchers]
    try:
        watched = watch(file.path, file.info, watchers, file.limits)
    except Exception as error:
        yield from ((signal, ([], classify(error, Stage.READ))) for signal, _ in begun)
        return
    place = 0
    for signal, watching in begun:
        own = range(place, place + len(watching.watchers))
        place = own.stop
        errors = [watched.failures[number] for number in own if number in watched.failures]
        if errors:
            yield signal, ([], classify(errors[0], Stage.READ))
        else:
            lineage = lineage_of(signal_id(signal))
            yield signal, _collected(partial(watching.rows, watched, lineage))


def _rows_in(table: str, rows: Iterable[Measured]) -> tuple[Measured, ...]:
    return tuple(row for row in rows if type(row) is MEASURED_TABLES[table])
