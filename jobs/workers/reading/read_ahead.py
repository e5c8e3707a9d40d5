"""The ordered read-ahead through which one model actor consumes the reading tasks.

The number of spans under way is the backpressure; those of the video that comes next are included. Where one
pass reads a video for its model and its signals, there are no more spans of it than may be read ahead.
"""

import math
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import ray

from jobs.attempts.actor_failures import NODE_LACKS_CODE, lacks_code
from jobs.attempts.work import Work
from jobs.failures import Stage, VideoFailure, VideoFailureError
from jobs.signals.watching import WatchedBefore, most_memory, watching_of
from jobs.workers.left_out import away_from
from jobs.workers.reading.one_pass import UNKNOWN_PACE, Pass, may_take_one_pass, pass_remote, takes_one_pass
from jobs.workers.reading.spans import (
    MAX_AHEAD,
    TASK_OPTIONS,
    Opened,
    Source,
    SpanRead,
    open_remote,
    span_remote,
)
from schemas.failures import FailureClass
from videoxl2.frames import FrameSpan

MIN_AHEAD = 2

T = TypeVar("T")


@dataclass
class _Reading:
    """One video being read: the tasks under way, in span order, or a pass that gives the spans. What is first
    needs no look at `opened`."""

    work: Work
    open_ref: "ray.ObjectRef[Opened | VideoFailure]"
    frame_s: float  # that the model takes for a frame, as far as is known
    may_pass: bool  # one pass may give the spans, or does
    opened: Opened | VideoFailure | None = None
    passing: Pass | None = None
    under_way: "deque[ray.ObjectRef[SpanRead | VideoFailure]]" = field(default_factory=deque)
    next_span: int = 0

    def can_launch(self) -> bool:
        if self.may_pass:
            return self.passing is None
        if self.opened is None:
            return self.next_span == 0
        return isinstance(self.opened, Opened) and self.next_span < len(self.opened.spans)

    @property
    def num_under_way(self) -> int:
        """Tasks, but for that which opens it."""
        return len(self.under_way) + (self.passing is not None)

    def pass_no_more(self) -> None:
        """Tasks read the spans that have not been given."""
        self.may_pass, self.passing = False, None


class ReadAhead:
    """A reader of the video at hand in order, while the next one's first spans are already on their way."""

    def __init__(self, source: Source, frame_s: float = UNKNOWN_PACE) -> None:
        """`frame_s`: seconds that the model takes for a frame, before it has told."""
        self._source = source
        self._frame_s = frame_s
        more_bytes = most_memory(watching_of(source.signals))
        self._pass_memory = TASK_OPTIONS["memory"] + more_bytes
        self.keep_off(())
        self._readings: dict[Work, _Reading] = {}  # by attempt: a retry may ask for fewer frames
        self._pace = _Pace()
        self._waiting_since: float | None = None

    @property
    def waiting_s(self) -> float:
        """The seconds that a task has been waited for by now, beyond what it may take to hear a video; 0
        where none is. From any thread."""
        since = self._waiting_since
        return max(0.0, time.monotonic() - since) if since is not None else 0.0

    def keep_off(self, node_ids: Collection[str]) -> None:
        """Begin no more tasks on these nodes."""
        elsewhere = away_from(node_ids)
        self._open = open_remote.options(**elsewhere) if elsewhere else open_remote
        self._span = span_remote.options(**elsewhere) if elsewhere else span_remote
        self._pass = pass_remote.options(memory=self._pass_memory, **elsewhere)

    def open(self, work: Work) -> Opened:
        """Start reading, or take up what was read ahead; waits for the probe. Raises `VideoFailureError`."""
        opened = self._opened(self._start(work), self._source.hearing_s(work))
        if isinstance(opened, VideoFailure) and self._may_be_of_signals(work, opened):
            opened = self._opened(self._start_anew(work, opened))
        if isinstance(opened, VideoFailure):
            raise VideoFailureError(opened)
        return opened

    def begin(self, work: Work) -> None:
        """Begin reading the video that comes after the one at hand. A pass over it comes behind that one's
        spans."""
        others = list(self._readings.values())
        reading = self._start(work)
        if not reading.may_pass or all(other.passing for other in others):
            self._launch(reading)

    def spans(self, work: Work) -> Iterator[FrameSpan]:
        """The opened video's spans in order, refilling as they leave. Raises `VideoFailureError`."""
        reading = self._readings[work]
        self._pace.start()
        self._refill(reading)
        yield from self._passed(reading)
        while reading.under_way:
            self._pace.asked()
            with self._waiting():
                read = value_of(reading.under_way.popleft(), Stage.READ)
            if isinstance(read, VideoFailure):
                raise VideoFailureError(read)
            self._pace.received(read.seconds)
            self._refill(reading)
            yield read.frames
        assert not reading.can_launch(), "every span has been handed out"

    def _passed(self, reading: _Reading) -> Iterator[FrameSpan]:
        """The spans that a pass gives, which are all but where it breaks off."""
        assert isinstance(reading.opened, Opened)
        while reading.passing is not None and reading.next_span < len(reading.opened.spans):
            self._pace.asked()
            with self._waiting():
                read = reading.passing.next()
            if not isinstance(read, SpanRead):
                reading.pass_no_more()
                self._refill(reading)
                return
            reading.next_span += 1
            self._pace.received(read.seconds)
            self._refill(reading)
            yield read.frames

    def watched(self, work: Work) -> WatchedBefore | None:
        """Return what signals found in the pass that gave the spans, once it is over; None: there was
        none."""
        reading = self._readings[work]
        if reading.passing is None:
            return None
        with self._waiting():
            last = reading.passing.next()
        reading.passing = None
        return last if isinstance(last, WatchedBefore) else None

    def took(self, seconds: float, num_frames: int) -> None:
        """Note how long the model took for a video, answers included."""
        if num_frames and not math.isinf(self._frame_s):
            self._frame_s = _blend(self._frame_s, seconds / num_frames)

    def keep_only(self, *works: Work) -> None:
        """Forget all other videos, those included that another actor got after all."""
        for work in [work for work in self._readings if work not in works]:
            reading = self._readings.pop(work)
            for ref in reading.under_way:
                ray.cancel(ref, force=True)
            if reading.passing is not None:
                reading.passing.cancel()

    def _opened(self, reading: _Reading, patience_s: float = 0.0) -> Opened | VideoFailure:
        if reading.opened is None:
            with self._waiting(patience_s):
                return self._know(reading)
        return reading.opened

    def _may_be_of_signals(self, work: Work, failure: VideoFailure) -> bool:
        """Whether the process died, and may not without reading what is said."""
        is_told = self._source.reads_said or bool(self._source.told_by(work))
        return failure.is_death and is_told

    @contextmanager
    def _waiting(self, patience_s: float = 0.0) -> Iterator[None]:
        self._waiting_since = time.monotonic() + patience_s
        try:
            yield
        finally:
            self._waiting_since = None

    def _start(self, work: Work) -> _Reading:
        if work not in self._readings:
            self._start_anew(work)
        return self._readings[work]

    def _start_anew(self, work: Work, killed: VideoFailure | None = None) -> _Reading:
        """Begin to open it; `killed`: how the process ended that did so before."""
        may_pass = may_take_one_pass(self._source, work, self._frame_s)
        ref = self._open.remote(self._source, work, killed)
        self._readings[work] = _Reading(work, ref, self._frame_s, may_pass)
        return self._readings[work]

    def _know(self, reading: _Reading) -> Opened | VideoFailure:
        """What opening gave, noted."""
        opened = reading.opened = value_of(reading.open_ref, Stage.FETCH)
        if not isinstance(opened, Opened) or not takes_one_pass(
            self._source, reading.work, opened, reading.frame_s
        ):
            reading.pass_no_more()
        return opened

    def _refill(self, first: _Reading) -> None:
        """Launch spans of the video at hand, then of the next, up to the number the pace allows."""
        others = [reading for reading in self._readings.values() if reading is not first]
        num_under_way = sum(reading.num_under_way for reading in (first, *others))
        for reading in (first, *others):
            if reading.opened is None and ray.wait([reading.open_ref], timeout=0)[0]:
                self._know(reading)
            while num_under_way < self._pace.max_ahead and reading.can_launch():
                self._launch(reading)
                num_under_way += 1

    def _launch(self, reading: _Reading) -> None:
        if not reading.can_launch():
            return
        if reading.may_pass:
            items = self._pass.remote(self._source, reading.work, reading.open_ref, reading.frame_s)
            reading.passing = Pass(items)
        else:
            ref = self._span.remote(self._source, reading.work, reading.open_ref, reading.next_span)
            reading.next_span += 1
            reading.under_way.append(ref)


@dataclass
class _Pace:
    """How far ahead to read: ceil(seconds to read a span / seconds the model needs for one) + 2."""

    read_s: float = 0.0
    model_s: float = math.inf
    _given_at: float | None = None

    @property
    def max_ahead(self) -> int:
        ahead = math.ceil(self.read_s / max(self.model_s, 1e-3)) + 2
        return max(MIN_AHEAD, min(MAX_AHEAD, ahead))

    def start(self) -> None:
        """A new video: what passed since the last span was answering, not prefill."""
        self._given_at = None

    def asked(self) -> None:
        """The model wants a span: what passed since the last one is the model's own time."""
        if self._given_at is not None:
            self.model_s = _blend(self.model_s, time.monotonic() - self._given_at)

    def received(self, read_s: float) -> None:
        """A span arrived that took a reader `read_s` seconds."""
        self.read_s = _blend(self.read_s, read_s)
        self._given_at = time.monotonic()


def _blend(old: float, new: float) -> float:
    return new if math.isinf(old) or old == 0 else 0.7 * old + 0.3 * new


def value_of(ref: "ray.ObjectRef[T]", stage: Stage) -> "T | VideoFailure":
    """The task's value; what kills tasks is sorted by whose fault it is."""
    try:
        return ray.get(ref)
    except ray.exceptions.OutOfMemoryError as error:
        hint = "Use machines with more memory per core for reading."
        return VideoFailure(stage, FailureClass.RESOURCE, "host_out_of_memory", _first_line(error), hint)
    except ray.exceptions.WorkerCrashedError:
        message = "the file crashed its reading process three times, or hung in it"
        hint = "Check the file in a player."
        return VideoFailure(stage, FailureClass.POISON, "reader_crashed", message, hint)
    except ray.exceptions.RayTaskError as error:
        if not lacks_code(error):
            raise  # our bug: tasks return their errors
        message, hint = "its node has not the code of media-index", "None needed, it is tried elsewhere."
        return VideoFailure(stage, FailureClass.LOST, NODE_LACKS_CODE, message, hint)
    except ray.exceptions.RayError as error:
        hint = "None needed, it is tried again."
        return VideoFailure(stage, FailureClass.LOST, "reader_lost", _first_line(error), hint)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
