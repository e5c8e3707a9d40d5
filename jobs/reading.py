"""Reading tasks on CPUs, and the ordered window through which one model actor consumes them.

One task reads one span of one video, so a lost task costs one span, and several cores can feed one GPU.
The window is the backpressure: an actor never has more than `max_ahead` spans under way, those of the
video it will get next included. The functions below the tasks run as well without Ray.
"""

import math
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

import ray

from jobs.failures import Trouble, TroubleError, classify
from jobs.plan import Work
from jobs.scratch import hold_copy
from schemas.failures import FailureClass
from storage.library import Library
from videoxl2.frames import FrameSpan, MediaInfo, SamplingGrid, Span, plan_sampling, probe, read_span

SPAN_BYTES = 64 << 20
SPAN_DEADLINE_S = 1800.0  # a reader that takes longer hangs: a span is minutes of video
MIN_AHEAD, MAX_AHEAD = 2, 16

T = TypeVar("T")


@dataclass(frozen=True)
class Source:
    """Where and how a task reads: the same for all videos of a run."""

    library: Library
    scratch: Path
    fps: Fraction
    image_size: int  # side of the square pictures the model wants, pixels

    @property
    def frames_per_span(self) -> int:
        """As many pictures as make an object of about `SPAN_BYTES`."""
        return max(16, min(256, SPAN_BYTES // (3 * self.image_size**2)))


@dataclass(frozen=True)
class Opened:
    """A probed video and the pictures wanted of it."""

    info: MediaInfo
    grid: SamplingGrid
    spans: tuple[Span, ...]


def open_video(source: Source, work: Work) -> Opened:
    """Probe the video and lay the sampling grid. Raises `storage.errors` and `MediaError`."""
    with hold_copy(source.library, work.video, source.scratch) as path:
        info = probe(path)
    grid = plan_sampling(info, source.fps, work.max_frames)
    return Opened(info, grid, tuple(grid.spans(source.frames_per_span)))


def read_one_span(source: Source, work: Work, opened: Opened, span: Span) -> FrameSpan:
    """Read one span's pictures. Raises `storage.errors` and `MediaError`."""
    with hold_copy(source.library, work.video, source.scratch) as path:
        return read_span(path, opened.info, opened.grid, span, source.image_size)


# A task's name is a metric label, hence constant. Errors return as values: they are the video's, not Ray's.


def _open_task(source: Source, work: Work) -> Opened | Trouble:
    try:
        return open_video(source, work)
    except Exception as error:
        return classify(error, "fetch")


def _span_task(source: Source, work: Work, opened: Opened, span: Span) -> FrameSpan | Trouble:
    try:
        return read_one_span(source, work, opened, span)
    except Exception as error:
        return classify(error, "read")


_TASK_OPTIONS: dict[str, Any] = {"num_cpus": 1, "max_retries": 2, "enable_task_events": False}
_open_remote = ray.remote(**_TASK_OPTIONS)(_open_task)
_span_remote = ray.remote(**_TASK_OPTIONS)(_span_task)


@dataclass
class _Reading:
    """One video being read: the tasks under way, in span order."""

    work: Work
    open_ref: "ray.ObjectRef[Opened | Trouble]"
    opened: Opened | Trouble | None = None
    under_way: "deque[ray.ObjectRef[FrameSpan | Trouble]]" = field(default_factory=deque)
    next_span: int = 0

    def can_launch(self) -> bool:
        return isinstance(self.opened, Opened) and self.next_span < len(self.opened.spans)


class SpanWindow:
    """Reads the video at hand in order while the next one's first spans are already on their way."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._readings: dict[str, _Reading] = {}
        self._pace = _Pace()

    def open(self, work: Work) -> Opened:
        """Start reading, or take up the look-ahead; blocks for the probe. Raises `TroubleError`."""
        reading = self._start(work)
        if reading.opened is None:
            reading.opened = _get(reading.open_ref, "fetch")
        opened = reading.opened
        if isinstance(opened, Trouble):
            raise TroubleError(opened)
        return opened

    def look_ahead(self, work: Work) -> None:
        """Begin reading the video that comes after the one at hand."""
        self._start(work)

    def spans(self, work: Work) -> Iterator[FrameSpan]:
        """The opened video's spans in order, refilling the window as they leave it. Raises `TroubleError`."""
        reading = self._readings[work.analysis_key]
        self._refill(reading)
        while reading.under_way:
            self._pace.asked()
            span = _get(reading.under_way.popleft(), "read")
            if isinstance(span, Trouble):
                raise TroubleError(span)
            self._pace.received(span.seconds_cpu)
            self._refill(reading)
            yield span

    def drop(self, work: Work) -> None:
        """Forget the video; spans still under way are cancelled."""
        self._drop(work.analysis_key)

    def keep_only(self, work: Work) -> None:
        """Forget look-ahead at videos that another actor got after all."""
        for key in [key for key in self._readings if key != work.analysis_key]:
            self._drop(key)

    def _drop(self, key: str) -> None:
        reading = self._readings.pop(key, None)
        for ref in reading.under_way if reading else ():
            ray.cancel(ref, force=True)

    def _start(self, work: Work) -> _Reading:
        if work.analysis_key not in self._readings:
            ref = _open_remote.remote(self._source, work)
            self._readings[work.analysis_key] = _Reading(work, ref)
        return self._readings[work.analysis_key]

    def _refill(self, first: _Reading) -> None:
        """Launch spans of the video at hand, then of the next, up to the window's size."""
        others = [reading for reading in self._readings.values() if reading is not first]
        num_under_way = sum(len(reading.under_way) for reading in (first, *others))
        for reading in (first, *others):
            if reading.opened is None and ray.wait([reading.open_ref], timeout=0)[0]:
                reading.opened = _get(reading.open_ref, "fetch")
            while num_under_way < self._pace.max_ahead and reading.can_launch():
                self._launch(reading)
                num_under_way += 1

    def _launch(self, reading: _Reading) -> None:
        assert isinstance(reading.opened, Opened)
        span = reading.opened.spans[reading.next_span]
        reading.next_span += 1
        reading.under_way.append(_span_remote.remote(self._source, reading.work, reading.opened, span))


@dataclass
class _Pace:
    """How far ahead to read: ceil(seconds to read a span / seconds the model needs for one) + 2."""

    read_s: float = 0.0
    model_s: float = math.inf
    _given_at: float = 0.0

    @property
    def max_ahead(self) -> int:
        ahead = math.ceil(self.read_s / max(self.model_s, 1e-3)) + 2
        return max(MIN_AHEAD, min(MAX_AHEAD, ahead))

    def asked(self) -> None:
        """The model wants a span: what passed since the last one is the model's own time."""
        if self._given_at:
            self.model_s = _blend(self.model_s, time.monotonic() - self._given_at)

    def received(self, read_s: float) -> None:
        """A span arrived that took a reader `read_s` CPU seconds."""
        self.read_s = _blend(self.read_s, read_s)
        self._given_at = time.monotonic()


def _blend(old: float, new: float) -> float:
    return new if math.isinf(old) or old == 0 else 0.7 * old + 0.3 * new


def _get(ref: "ray.ObjectRef[T]", stage: str) -> "T | Trouble":
    try:
        return ray.get(ref, timeout=SPAN_DEADLINE_S)
    except ray.exceptions.GetTimeoutError:
        ray.cancel(ref, force=True)
        message = f"reading hung for {SPAN_DEADLINE_S:.0f} s"
        return Trouble(stage, FailureClass.MEDIA, "read_timeout", message, "check the file in a player")
    except ray.exceptions.OutOfMemoryError:
        message = "a reading task ran out of host memory"
        return Trouble(stage, FailureClass.RESOURCE, "host_out_of_memory", message, "use fewer --num-actors")
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.LocalRayletDiedError):
        message = "the file crashed its reading process three times"
        return Trouble(stage, FailureClass.POISON, "reader_crashed", message, "check the file in a player")
    except ray.exceptions.ObjectLostError as error:
        return Trouble(stage, FailureClass.LOST, "object_lost", str(error), "none needed, it is tried again")
