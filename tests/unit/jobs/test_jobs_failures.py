"""Every exception lands in the class whose consequence fits it."""

import errno

import pytest

from jobs.failures import POLICIES, Stage, classify
from schemas.failures import FailureAction, FailureClass, UsageError
from storage.errors import AccessDenied, BadName, StorageUnavailable
from videoxl2.errors import ModelMemoryError, NonFiniteError
from videoxl2.frames import NoVideo


@pytest.mark.parametrize(
    ("error", "failure_class", "can_retry"),
    [
        (NoVideo("no video stream"), FailureClass.MEDIA, True),
        (StorageUnavailable("503", "wait"), FailureClass.TRANSIENT, True),
        (AccessDenied("403", "ask"), FailureClass.TRANSIENT, False),
        (BadName("caf\\xe9.mp4", "rename"), FailureClass.MEDIA, True),
        (PermissionError(errno.EACCES, "no"), FailureClass.TRANSIENT, True),
        (OSError(errno.EIO, "stale mount"), FailureClass.TRANSIENT, True),
        (OSError(errno.ENOSPC, "disk full"), FailureClass.TRANSIENT, True),
        (ModelMemoryError("too much", "less"), FailureClass.RESOURCE, True),
        (MemoryError(), FailureClass.RESOURCE, True),
        (NonFiniteError("NaN", "check"), FailureClass.BUG, True),
        (UsageError("wrong", "right"), FailureClass.BUG, True),
        (KeyError("x"), FailureClass.BUG, True),
    ],
)
def test_exceptions_are_sorted(error, failure_class, can_retry):
    """A fault of the machine or the storage never sets a video aside."""
    failure = classify(error, Stage.READ)
    assert (failure.failure_class, failure.can_retry) == (failure_class, can_retry)
    assert failure.message
    assert failure.hint


def test_every_class_has_a_policy():
    """No failure is without a consequence, and only the video's own faults set it aside."""
    assert set(POLICIES) == set(FailureClass)
    harmless = {FailureClass.LOST, FailureClass.TRANSIENT}
    assert all(POLICIES[name].action is FailureAction.NEXT_RUN for name in harmless)


def test_a_bug_keeps_its_traceback():
    """What we did wrong can be reported."""
    with pytest.raises(KeyError) as caught:
        dict[str, int]()["x"]
    assert "test_jobs_failures" in (classify(caught.value, Stage.ROWS).traceback or "")
