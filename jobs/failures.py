"""What each class of failure leads to. The table is the policy; the rest sorts exceptions into it."""

import traceback
from dataclasses import dataclass, replace

from schemas.failures import FailureAction, FailureClass
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
    FailureClass.RESOURCE: Policy(4, FailureAction.QUARANTINED),  # each try asks for half the frames
    FailureClass.MEDIA: Policy(1, FailureAction.QUARANTINED),
    FailureClass.POISON: Policy(1, FailureAction.QUARANTINED),
    FailureClass.BUG: Policy(2, FailureAction.QUARANTINED),
}
KILLS_UNTIL_POISON = 2


@dataclass(frozen=True)
class Trouble:
    """Why an attempt at one video ended early: a value, so that it crosses processes unharmed."""

    stage: str  # fetch, read, prefill, generate or commit
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


def classify(error: Exception, stage: str) -> Trouble:
    """Sort an exception that was raised while working on one video."""
    if isinstance(error, TroubleError):
        return error.trouble
    if isinstance(error, ObjectError):
        return Trouble(stage, FailureClass.TRANSIENT, error.code, str(error), error.hint, error.retryable)
    if isinstance(error, MediaError):
        return Trouble(stage, FailureClass.MEDIA, error.code, str(error), error.hint)
    if isinstance(error, ModelMemoryError):
        return Trouble(stage, FailureClass.RESOURCE, "out_of_memory", str(error), error.hint)
    if isinstance(error, MemoryError):
        return Trouble(
            stage, FailureClass.RESOURCE, "out_of_memory", "out of host memory", "use fewer --num-actors"
        )
    trouble = Trouble(
        stage,
        FailureClass.BUG,
        type(error).__name__,
        str(error) or type(error).__name__,
        "please report it with the traceback in the failures table",
        traceback="".join(traceback.format_exception(error)),
    )
    return replace(trouble, code="model_input", hint=error.hint) if isinstance(error, ModelError) else trouble
