"""What each class of failure leads to. The table is the policy; the rest sorts exceptions into it."""

import traceback
from dataclasses import dataclass
from enum import StrEnum

from schemas.failures import FailureAction, FailureClass, MediaIndexError
from storage.errors import Archived, BadName, NotFound, ObjectChanged, ObjectError
from videoxl2.errors import ModelError, ModelMemoryError
from videoxl2.frames import MediaError


@dataclass(frozen=True)
class Policy:
    """The course of a failure: `tries` in all, `backoff_s` before the second (doubling, with jitter), then
    `action`.

    `counts`: against the failure budget of the run, once it has come to the action.
    """

    tries: int
    backoff_s: float
    action: FailureAction
    counts: bool


UNLIMITED = 100  # stops only a machine that is lost as soon as it begins, for ever

_NEXT, _ASIDE, _KEPT = (
    FailureAction.NEXT_RUN,
    FailureAction.QUARANTINED,
    FailureAction.KEPT_VALID_PART,
)
POLICIES = {
    #                               tries  backoff  then    counts
    FailureClass.LOST: Policy(UNLIMITED, 0.0, _NEXT, False),  # elsewhere, until the deadline
    FailureClass.TRANSIENT: Policy(5, 1.0, _NEXT, True),
    # Each try has half the frames, after `videoxl2` took a smaller vision batch and a cache in host memory.
    FailureClass.RESOURCE: Policy(8, 0.0, _ASIDE, True),
    FailureClass.ANSWER: Policy(1, 0.0, _KEPT, True),  # asked again within the try, not by another one
    FailureClass.MEDIA: Policy(1, 0.0, _ASIDE, False),  # comes back by itself when the file is replaced
    FailureClass.POISON: Policy(1, 0.0, _ASIDE, True),
    FailureClass.DOMAIN: Policy(1, 0.0, _ASIDE, False),  # for this model: rows of signals there are
    FailureClass.BUG: Policy(2, 0.0, _ASIDE, True),  # the second one on a fresh process
}
WORKER_KILLED = "worker_killed"
KILLS_UNTIL_POISON = 2
BREAKS_AT = 5  # videos in a row with a bug, or with failures that are alike: it is not the videos

# Transient, since the next listing will tell; but facts about one object, which no outage explains.
TOO_COSTLY = "too_costly"
_ABOUT_ONE_OBJECT = frozenset(error.code for error in (NotFound, ObjectChanged, Archived)) | {TOO_COSTLY}


OUT_OF_DOMAIN = "out_of_domain"


class Stage(StrEnum):
    """Stages of a video's way at which something can go wrong."""

    LOAD = "load"
    FETCH = "fetch"
    READ = "read"
    MODEL = "model"
    ROWS = "rows"
    COMMIT = "commit"


@dataclass(frozen=True)
class VideoFailure:
    """The reason why an attempt at one video ended early: a value, so that it crosses processes unharmed."""

    stage: Stage
    failure_class: FailureClass
    code: str
    message: str
    hint: str
    can_retry: bool = True
    num_frames: int = 0  # pictures that were asked for, where memory ran out
    traceback: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts against the failure budget, if nothing more is tried."""
        return POLICIES[self.failure_class].counts and self.code not in _ABOUT_ONE_OBJECT

    @property
    def is_death(self) -> bool:
        """Whether the process that was at the video ended, by itself or for want of memory."""
        return self.failure_class in (FailureClass.POISON, FailureClass.RESOURCE)

    @property
    def may_be_everywhere(self) -> bool:
        """Whether it need not be the video's fault, so that several in a row say something about the run."""
        return self.counts and self.failure_class is not FailureClass.ANSWER


class VideoFailureError(Exception):
    """Carries a `VideoFailure` up to the edge of the process, where it is returned as a value."""

    def __init__(self, failure: VideoFailure) -> None:
        super().__init__(failure)
        self.failure = failure


def too_costly(why: str) -> VideoFailure:
    """Failure of a video that costs more, by its true length, than the run may spend on one."""
    hint = "Allow it with a higher --max-cost-per-video, or leave it out with --exclude."
    return VideoFailure(Stage.READ, FailureClass.TRANSIENT, TOO_COSTLY, why, hint, can_retry=False)


def out_of_domain(model_id: str, distance: float, max_distance: float) -> VideoFailure:
    """A model was not made for what is seen; `distance` is larger than `max_distance`."""
    seen = f"its pictures are at distance {distance:.1f} from them, and {max_distance:.1f} is the limit"
    message = f"the model {model_id} was made for other videos: {seen}"
    hint = (
        "Its signals are read all the same; ask a model that was made for such videos, "
        "e.g. media-index backfill --missing --model BAAI/Video-XL-2."
    )
    return VideoFailure(Stage.MODEL, FailureClass.DOMAIN, OUT_OF_DOMAIN, message, hint, can_retry=False)


def classify(error: Exception, stage: Stage) -> VideoFailure:
    """Sort an exception that was raised while working on one video."""
    match error:
        case VideoFailureError():
            return error.failure
        case BadName():  # as good as bytes that cannot be read: it comes back by another name
            return VideoFailure(stage, FailureClass.MEDIA, error.code, error.message, error.hint)
        case ObjectError():
            transient = FailureClass.TRANSIENT
            return VideoFailure(stage, transient, error.code, error.message, error.hint, error.retryable)
        case MediaIndexError():
            return VideoFailure(stage, FailureClass.BUG, "setting", error.message, error.hint)
        case MediaError():
            return VideoFailure(stage, FailureClass.MEDIA, error.code, str(error), error.hint)
        case ModelMemoryError():
            return VideoFailure(stage, FailureClass.RESOURCE, "out_of_memory", error.message, error.hint)
        case MemoryError():
            hint = "Use fewer --num-actors, or a machine with more memory."
            return VideoFailure(
                stage, FailureClass.RESOURCE, "host_out_of_memory", "out of host memory", hint
            )
        case ModelError():
            return VideoFailure(stage, FailureClass.BUG, type(error).__name__, error.message, error.hint)
        case OSError():  # the machine's fault, not the video's: disk full, stale mount, no permission
            hint = "Check the worker's disk, mounts and permissions."
            return VideoFailure(stage, FailureClass.TRANSIENT, "io_error", str(error), hint)
    return VideoFailure(
        stage,
        FailureClass.BUG,
        type(error).__name__,
        str(error) or type(error).__name__,
        "Please report it with the traceback in the failures table.",
        traceback="".join(traceback.format_exception(error)),
    )
