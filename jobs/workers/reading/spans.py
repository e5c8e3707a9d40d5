"""Reading tasks on CPUs: one task reads one span of one video.

So a lost task costs one span, and several cores can feed one GPU. The functions above the tasks run as well
without Ray.
"""

import logging
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from pathlib import Path
from typing import Any

import ray

from jobs.answers.carried import signals_of
from jobs.attempts.tries import ActorLocation
from jobs.attempts.work import Work
from jobs.failures import Stage, VideoFailure, VideoFailureError, classify, too_costly
from jobs.logs import follow
from jobs.planning.ceiling import Ceiling
from jobs.planning.costs.shapes import Shapes
from jobs.prompts.recipe import OF_HEARD, OF_SAID
from jobs.signals.signal import NOTHING_BEFORE, Beforehand, Signal, VideoFile
from jobs.weights import Copies
from jobs.workers.deadlines import NUM_TRIES, killed_when_hanging, patience_s
from jobs.workers.domain import DomainGuard
from jobs.workers.reading.said import Said, hear_said, heard_before, read_said, speech_of
from jobs.workers.reading.scratch import hold_copy
from storage.library.library import Library
from storage.objects.store import ObjectStore
from videoxl2.captions import Texts, probe_texts
from videoxl2.frames import (
    DEFAULT_LIMITS,
    FrameSpan,
    Limits,
    MediaInfo,
    SamplingGrid,
    Span,
    plan_sampling,
    probe,
    read_span,
)
from videoxl2.network.configs.picture_size import PictureRule, PictureSize

SPAN_BYTES = 64 << 20
MAX_AHEAD = 16  # spans of one video that are there before the model asks for them
SPANS_PER_SECTION = 4  # at least: neighbouring sections share one

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Source:
    """The place and manner of reading: the same for all videos of a run."""

    library: Library
    scratch: Path
    fps: Fraction
    pictures: PictureRule | None  # the size of those the model is shown; None: there is none
    is_split: bool = False  # long videos go through the model in sections, instead of thinned out
    bundles: ObjectStore | None = None  # the index's, for answers that are carried over
    ceiling: Ceiling | None = None  # what one video may cost
    limits: Limits = DEFAULT_LIMITS  # what one file may ask for
    log_dir: Path | None = None  # where each process tells what it does
    reads_said: bool = False  # what captions say goes into prompts
    tasks_of_heard: tuple[str, ...] = ()  # prompts into which, where there are none, goes what speech says
    signals: tuple[Signal, ...] = ()  # that are read of the videos
    guard: DomainGuard | None = None  # keeps videos from a model that was not made for them
    max_frames: int | None = None  # shown at once by the recipe; None: by the work, where memory may lack
    weights: Copies | None = None  # where nodes keep those that are on S3

    def size_of(self, info: MediaInfo, work: Work) -> PictureSize:
        """The size of a video's pictures: by the recipe, so that fewer of them take less memory."""
        assert self.pictures  # videos that no model sees are not opened for it
        num_frames = plan_sampling(info, self.fps, self.max_frames or work.max_frames).num_targets
        return self.pictures.size(*info.shown_size, num_frames)

    def hears(self, work: Work) -> bool:
        """Whether a prompt that is asked of the video tells speech."""
        return any(work.tasks is None or task in work.tasks for task in self.tasks_of_heard)

    def told_by(self, work: Work) -> tuple[str, ...]:
        """The signals that are read of the video before the model sees it, as prompts tell them."""
        told = {OF_SAID, *((OF_HEARD,) if self.hears(work) else ())}
        return tuple(one.name for one in signals_of(self.signals, work) if one.name in told)

    def hearing_s(self, work: Work) -> float:
        """Seconds for which the model may wait until the video is heard."""
        speech = speech_of(self.signals, work) if self.hears(work) else None
        return patience_s((speech,), work.video.size_bytes) if speech else 0.0


@dataclass(frozen=True)
class Opened:
    """A probed video and the pictures wanted of it."""

    info: MediaInfo
    grid: SamplingGrid
    spans: tuple[Span, ...]
    size: PictureSize
    said: Said = ()
    before: Beforehand = NOTHING_BEFORE


def open_video(source: Source, work: Work, killed: VideoFailure | None = None) -> Opened:
    """Probe the video and lay the sampling grid. Raises `storage.errors` and `MediaError`, and
    `VideoFailureError` for what would cost too much or is outside the model's domain.

    With `killed` nothing is told of what is said: a process that read it ended so.
    """
    with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging():
        info, texts = probe_for(() if killed else source.signals, work, path, source.limits)
        _admit(source, work, path, info)
        said: Said = ()
        before = Beforehand(failures=dict.fromkeys(source.told_by(work), killed) if killed else {})
        if not killed:
            said, before = _said(source, work, file_of(source, work, path, info, Beforehand(texts)))
    size = source.size_of(info, work)
    grid, per_span = plan_sampling(info, source.fps, work.max_frames), frames_per_span(size)
    if source.is_split:
        grid = plan_sampling(info, source.fps, sys.maxsize)
        per_span = max(1, min(per_span, work.max_frames // SPANS_PER_SECTION))
    return Opened(info, grid, tuple(grid.spans(per_span)), size, said, before)


def frames_per_span(size: PictureSize) -> int:
    """The number of pictures that make an object of about `SPAN_BYTES`."""
    return max(2, min(256, SPAN_BYTES // (3 * size.area)))


def _admit(source: Source, work: Work, path: Path, info: MediaInfo) -> None:
    """Raise `VideoFailureError` where the model is not to see the video, and `MediaError`."""
    if source.ceiling:
        shapes = Shapes.of(*info.shown_size)
        if why := source.ceiling.objection(info.duration_ms, work.tasks, shapes):
            raise VideoFailureError(too_costly(why))
    if source.guard:
        source.guard.check(path, info, source.limits)


def _said(source: Source, work: Work, file: VideoFile) -> tuple[Said, Beforehand]:
    """What prompts tell, and what was read of the video by then."""
    said = read_said(file) if source.reads_said else ()
    if said or not source.hears(work):
        return said, file.before
    speech = speech_of(source.signals, work)
    return (heard_before(source.bundles, work), file.before) if speech is None else hear_said(file, speech)


def probe_for(
    signals: Sequence[Signal], work: Work, path: Path, limits: Limits
) -> tuple[MediaInfo, Texts | None]:
    """Probe a video, and in the same pass read the texts inside it where the work wants captions.

    Raises `MediaError` and OSError.
    """
    if any(signal.name == OF_SAID for signal in signals_of(signals, work)):
        return probe_texts(path, limits)
    return probe(path, limits), None


def file_of(source: Source, work: Work, path: Path, info: MediaInfo, before: Beforehand) -> VideoFile:
    """The video as signals are given it. A sidecar that several of them read is fetched once."""
    fetch = cache(partial(source.library.fetch_sidecar, work.video))
    return VideoFile(work.video, path, info, source.limits, fetch, before)


def read_one_span(source: Source, work: Work, opened: Opened, span: Span) -> FrameSpan:
    """Read one span's pictures. Raises `storage.errors` and `MediaError`."""
    with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging():
        return read_span(path, opened.info, opened.grid, span, opened.size, limits=source.limits)


@dataclass(frozen=True)
class Admission:
    """Whether the model is to see a video, as a task found it there; None: it is."""

    location: ActorLocation
    failure: VideoFailure | None


@dataclass(frozen=True)
class SpanRead:
    """A span's frames and the wall seconds they took, fetching included."""

    frames: FrameSpan
    seconds: float


# A task's name is a metric label, hence constant. Errors return as values: they are the video's, not Ray's.


def _open_task(source: Source, work: Work, killed: VideoFailure | None) -> Opened | VideoFailure:
    follow(source.log_dir, "worker")
    try:
        opened = open_video(source, work, killed)
    except Exception as error:
        return classify(error, Stage.FETCH)
    fields = {"uri": work.video.uri, "video_ms": opened.info.duration_ms, "spans": len(opened.spans)}
    _log.debug("opened %s", work.video.uri, extra={"event": "opened", "fields": fields})
    return opened


def _admission_task(source: Source, work: Work) -> Admission:
    follow(source.log_dir, "worker")
    node_id, host = str(ray.get_runtime_context().get_node_id()), socket.gethostname()
    location = ActorLocation(node_id, host, "cpu")
    try:
        with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging():
            _admit(source, work, path, probe(path, source.limits))
    except Exception as error:
        return Admission(location, classify(error, Stage.FETCH))
    return Admission(location, None)


def _span_task(
    source: Source, work: Work, opened: Opened | VideoFailure, number: int
) -> SpanRead | VideoFailure:
    if isinstance(opened, VideoFailure):
        return opened
    follow(source.log_dir, "worker")
    started = time.monotonic()
    try:
        frames = read_one_span(source, work, opened, opened.spans[number])
    except Exception as error:
        return classify(error, Stage.READ)
    seconds = time.monotonic() - started
    fields = {"uri": work.video.uri, "span": number, "seconds": round(seconds, 3)}
    _log.debug("read span %d of %s", number, work.video.uri, extra={"event": "read", "fields": fields})
    return SpanRead(frames, seconds)


TASK_OPTIONS: dict[str, Any] = {
    "num_cpus": 1,
    "memory": 512 << 20,
    "max_retries": NUM_TRIES - 1,
    "enable_task_events": False,
}
admission_remote = ray.remote(**TASK_OPTIONS)(_admission_task)
open_remote = ray.remote(**TASK_OPTIONS)(_open_task)
span_remote = ray.remote(**TASK_OPTIONS)(_span_task)
