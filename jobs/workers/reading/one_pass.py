"""One pass over a video for its model and its signals: every picture is decoded once.

A pass gives the model's spans in order, as reading tasks would, and at its end what signals found. It never
waits for the model, so it holds its core no longer than it works. One that breaks off costs nothing but time:
the rest of the spans are read by tasks of their own, and the signals in post-processing.
"""

import logging
import math
import time
from collections.abc import Generator, Iterator

import ray

from jobs.answers.carried import signals_of
from jobs.attempts.actor_failures import lacks_code
from jobs.attempts.work import Work
from jobs.failures import Stage, VideoFailure, classify
from jobs.logs import follow
from jobs.signals.signal import WatchingSignal
from jobs.signals.watching import (
    WatchedBefore,
    look_of,
    shares_of,
    takes_draft,
    watch_beside_model,
    watching_of,
)
from jobs.workers.deadlines import killed_when_hanging, longest_s
from jobs.workers.reading.scratch import hold_copy
from jobs.workers.reading.spans import MAX_AHEAD, TASK_OPTIONS, Opened, Source, SpanRead, file_of
from videoxl2.frames import FrameSpan
from videoxl2.watching import FramesWanted, can_take_frames

AT_ANY_PRICE = math.inf  # of a model that a second decode would slow down more than waiting
UNKNOWN_PACE = 0.0
FEW_THREADS = 4  # with as many for the model, and one more core, readers would leave cores idle

_log = logging.getLogger(__name__)


def first_pace(device: str, num_threads: int) -> float:
    """Seconds that a model takes for a frame, before it has told; it has so many threads on a CPU.

    An actor reads one video ahead, so two passes go on at a time. Where a few cores do everything, they are
    what is short.
    """
    return AT_ANY_PRICE if device == "cpu" and num_threads < FEW_THREADS else UNKNOWN_PACE


def watchers_of(source: Source, work: Work) -> list[WatchingSignal]:
    """The signals that look at every picture of the video."""
    return watching_of(signals_of(source.signals, work))


def may_take_one_pass(source: Source, work: Work, frame_s: float) -> bool:
    """Whether there is anything to gain, as far as is known before the video is opened."""
    watching = watchers_of(source, work)
    return bool(watching) and not takes_draft(watching) and frame_s > UNKNOWN_PACE


def takes_one_pass(source: Source, work: Work, opened: Opened, frame_s: float) -> bool:
    """Whether the model's frames are taken from the pass that signals make, instead of being read in spans
    beside each other while the pass comes later.

    Not where the pass, which takes one core at a time, is slower than the model, which takes `frame_s`
    seconds for a frame, answers included; nor where more spans would pile up than are read ahead.
    """
    if not may_take_one_pass(source, work, frame_s) or not can_take_frames(opened.info):
        return False
    if len(opened.spans) > MAX_AHEAD:
        return False
    hours, look = opened.info.duration_ms / 3_600_000, look_of(opened.info)
    pass_s = sum(shares_of(watchers_of(source, work), 1, hours, look=look))
    return pass_s <= frame_s * opened.grid.num_targets


def pass_through(source: Source, work: Work, opened: Opened) -> Generator[SpanRead, None, WatchedBefore]:
    """The model's spans, and what signals found. Raises `storage.errors` and `MediaError`."""
    watching = [one for one in watchers_of(source, work) if one.name not in opened.before.failures]
    wanted = FramesWanted(opened.grid, opened.spans, opened.size)
    hours = opened.info.duration_ms / 3_600_000
    deadline_s = longest_s(watching, hours, look_of(opened.info))
    with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging(deadline_s):
        file = file_of(source, work, path, opened.info, opened.before)
        return (yield from _timed(watch_beside_model(file, watching, wanted)))


def _timed(
    steps: Generator[FrameSpan, None, WatchedBefore],
) -> Generator[SpanRead, None, WatchedBefore]:
    """The spans with the wall seconds that each took."""
    while True:
        begun = time.monotonic()
        try:
            frames = next(steps)
        except StopIteration as end:
            watched: WatchedBefore = end.value
            return watched
        yield SpanRead(frames, time.monotonic() - begun)


def _pass_task(
    source: Source, work: Work, opened: Opened | VideoFailure, frame_s: float
) -> Iterator[SpanRead | WatchedBefore]:
    """Nothing where no pass is made; what breaks off gives no more."""
    if isinstance(opened, VideoFailure) or not takes_one_pass(source, work, opened, frame_s):
        return
    follow(source.log_dir, "worker")
    fields = {"uri": work.video.uri, "spans": len(opened.spans)}
    try:
        yield (yield from pass_through(source, work, opened))
    except Exception as error:
        fields |= {"why": classify(error, Stage.READ).message}
        _log.info("broke off %s", work.video.uri, extra={"event": "broke_off", "fields": fields})
    else:
        _log.debug("watched %s", work.video.uri, extra={"event": "watched", "fields": fields})


# A pass is not tried twice: what it has given is with the model by then.
pass_remote = ray.remote(**TASK_OPTIONS | {"num_returns": "streaming", "max_retries": 0})(_pass_task)


class Pass:
    """A pass under way, as the model's process sees it."""

    def __init__(self, items: "ray.ObjectRefGenerator[SpanRead | WatchedBefore]") -> None:
        self._items = items

    def next(self) -> SpanRead | WatchedBefore | None:
        """Wait for what the pass gives next; None: it is over, or it broke off."""
        try:
            item: SpanRead | WatchedBefore = ray.get(next(self._items))
            return item
        except StopIteration:
            return None
        except ray.exceptions.RayTaskError as error:
            if not lacks_code(error):
                raise  # our bug: what is wrong with a video ends a pass quietly
            return None  # its node does; tasks of other nodes go on
        except ray.exceptions.RayError as error:  # its process died, or its machine
            _log.info("lost a pass: %s", error, extra={"event": "lost_pass", "fields": {"why": str(error)}})
            return None

    def cancel(self) -> None:
        """Cancel the pass, which is not wanted any more."""
        ray.cancel(self._items, force=True)
