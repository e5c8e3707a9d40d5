"""What each class of failure leads to. The table is the policy; the rest sorts exceptions into it."""

import traceback
from dataclasses import dataclass
from enum import StrEnum

from schemas.failures import FailureAction, FailureClass, MediaIndexError
from storage.errors import ObjectError
from videoxl2.errors import ModelError, ModelMemoryError
from videoxl2.frames import MediaError


@dataclass(frozen=True)
class Policy:
    """`tries` in all, `backoff_s` before the second (doubling, with jitter), then `action`."""

    tries: int
    action: FailureAction
    backoff_s: float = 0.0


POLICIES = {
    FailureClass.LOST: Policy(10, FailureAction.NEXT_RUN),
    FailureClass.TRANSIENT: Policy(5, FailureAction.NEXT_RUN, backoff_s=1.0),
    FailureClass.RESOURCE: Policy(8, FailureAction.QUARANTINED),  # each try asks for half the frames
    FailureClass.ANSWER: Policy(1, FailureAction.KEPT_VALID_PART),
    FailureClass.MEDIA: Policy(1, FailureAction.QUARANTINED),
    FailureClass.POISON: Policy(1, FailureAction.QUARANTINED),
    FailureClass.BUG: Policy(2, FailureAction.QUARANTINED),
}
KILLS_UNTIL_POISON = 2
BUGS_UNTIL_STOP = 5  # videos in a row: it is not the videos


class Stage(StrEnum):
    """Where on a video's way something went wrong."""

    LOAD = "load"
    FETCH = "fetch"
    READ = "read"
    MODEL = "model"
    ROWS = "rows"
    COMMIT = "commit"


@dataclass(frozen=True)
class Trouble:
    """Why an attempt at one video ended early: a value, so that it crosses processes unharmed."""

    stage: Stage
    failure_class: FailureClass
    code: str
    message: str
    hint: str
    can_retry: bool = True
    num_frames: int = 0  # pictures that were asked for, where memory ran out
    traceback: str | None = None


class TroubleError(Exception):
    """Carries a `Trouble` up to the edge of the process, where it is returned as a value."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


def classify(error: Exception, stage: Stage) -> Trouble:
    """Sort an exception that was raised while working on one video."""
    match error:
        case TroubleError():
            return error.trouble
        case ObjectError():
            can_retry = error.retryable
            return Trouble(stage, FailureClass.TRANSIENT, error.code, error.message, error.hint, can_retry)
        case MediaIndexError():
            return Trouble(stage, FailureClass.BUG, "setting", error.message, error.hint)
        case MediaError():
            return Trouble(stage, FailureClass.MEDIA, error.code, str(error), error.hint)
        case ModelMemoryError():
            return Trouble(stage, FailureClass.RESOURCE, "out_of_memory", error.message, error.hint)
        case MemoryError():
            hint = "use fewer --num-actors, or a machine with more memory"
            return Trouble(stage, FailureClass.RESOURCE, "host_out_of_memory", "out of host memory", hint)
        case ModelError():
            return Trouble(stage, FailureClass.BUG, type(error).__name__, error.message, error.hint)
        case OSError():  # the machine's fault, not the video's: disk full, stale mount, no permission
            hint = "check the worker's disk, mounts and permissions"
            return Trouble(stage, FailureClass.TRANSIENT, "io_error", str(error), hint)
    return Trouble(
        stage,
        FailureClass.BUG,
        type(error).__name__,
        str(error) or type(error).__name__,
        "please report it with the traceback in the failures table",
        traceback="".join(traceback.format_exception(error)),
    )
