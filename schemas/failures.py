"""What can go wrong, sorted by what happens next, and the errors a user sees.

MediaIndexError            stops the command: two lines on stderr and an exit code
├── UsageError          2  a setting, an argument or a file the user named is wrong
├── LeaseHeldError      5  another run of the same kind is at work on the index
├── PreflightError      8  the surroundings refuse (library, index, weights); nothing was spent
└── CommitUnknownError  1  a commit's outcome could not be learned; the same command looks again
"""

from enum import IntEnum, StrEnum


class ExitCode(IntEnum):
    """Exit codes that the shell sees; schedulers branch on them."""

    DONE = 0
    INTERNAL = 1
    USAGE = 2
    DONE_WITH_FAILURES = 3
    TOO_MANY_FAILURES = 4
    LEASE_HELD = 5
    DEADLINE = 6
    NO_MACHINES = 7
    PREFLIGHT = 8
    INTERRUPTED = 130


class FailureClass(StrEnum):
    """Classes of reasons why one video failed; `jobs.failures` says what each leads to."""

    LOST = "lost"  # the worker or its node went away
    TRANSIENT = "transient"  # the object cannot be had now: throttled, timed out, forbidden, replaced
    RESOURCE = "resource"  # out of GPU or host memory
    ANSWER = "answer"  # the model's text is not a valid answer
    MEDIA = "media"  # the object is no readable video
    POISON = "poison"  # the same video killed its worker twice
    DOMAIN = "domain"  # the model was not made for what is seen; signals are read all the same
    BUG = "bug"  # anything else


class FailureAction(StrEnum):
    """Actions that a failure led to."""

    QUARANTINED = "quarantined"  # set aside until the object is replaced, or for a model until that is
    KEPT_VALID_PART = "kept_valid_part"  # the other answers became rows
    NEXT_RUN = "next_run"  # tried again by the next run


class AttemptOutcome(StrEnum):
    """Ways in which one try at one video ended."""

    INDEXED = "indexed"
    PARTIAL = "partial"  # rows, with an answer missing or cut short
    QUARANTINED = "quarantined"
    RETRIED = "retried"  # another try follows in the same run
    NEXT_RUN = "next_run"


class MediaIndexError(Exception):
    """Base of errors that are shown as `error: …` and `hint: …` without a traceback."""

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type["MediaIndexError"], tuple[str, str]]:
        return type(self), (self.message, self.hint)  # survives the trip through Ray


class UsageError(MediaIndexError):
    """A setting, an argument or a named file is wrong. Remedy: correct it and repeat the command."""

    exit_code = ExitCode.USAGE


class PreflightError(MediaIndexError):
    """Library, index or weights cannot be used as they are. Nothing has been spent."""

    exit_code = ExitCode.PREFLIGHT


class LeaseHeldError(MediaIndexError):
    """Error of a run whose index is held, or was taken, by another of its kind. Remedy: wait for it, or stop
    it."""

    exit_code = ExitCode.LEASE_HELD


class CommitUnknownError(MediaIndexError):
    """Storage did not say whether a write took effect. Remedy: repeat the command, it looks first."""
