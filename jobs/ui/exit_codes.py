"""What each exit code means and what to do then. The table is what help, runs, status and report say."""

from dataclasses import dataclass

from jobs.ui.next_command import IndexPlace
from schemas.failures import ExitCode

AGAIN = "run"  # the same command once more


@dataclass(frozen=True)
class Meaning:
    """The meaning of an exit code; `then` is the verb to go on with, None: nothing to do, or the error itself
    says what."""

    says: str
    then: str | None = None


MEANINGS = {
    ExitCode.DONE: Meaning("done, or nothing to do"),
    ExitCode.INTERNAL: Meaning("stopped by an error on the way; what is committed stays", AGAIN),
    ExitCode.USAGE: Meaning("usage or settings; nothing was spent"),
    ExitCode.DONE_WITH_FAILURES: Meaning("done, but videos were left out or lack an answer", "report"),
    ExitCode.TOO_MANY_FAILURES: Meaning(
        "stopped: more failures than the budget; what is committed stays", "report"
    ),
    ExitCode.LEASE_HELD: Meaning("another run of this kind is at work on the index", "status"),
    ExitCode.DEADLINE: Meaning("deadline reached; what is committed stays, the same command goes on", AGAIN),
    ExitCode.NO_MACHINES: Meaning(
        "waited for GPUs in vain; what is committed stays, the same command goes on", AGAIN
    ),
    ExitCode.PREFLIGHT: Meaning("preflight failed; nothing was spent"),
    ExitCode.INTERRUPTED: Meaning("interrupted; what is committed stays, the same command goes on", AGAIN),
}


def meaning_of(code: int) -> str:
    """The meaning in words, also of a code that only a later version knows."""
    return MEANINGS[ExitCode(code)].says if code in MEANINGS else "a code this version does not know"


def next_after(code: int, place: IndexPlace, again: str, run_id: str) -> str | None:
    """The command to type after a run that ended so. `again` repeats it."""
    then = MEANINGS[ExitCode(code)].then if code in MEANINGS else None
    if then == AGAIN:
        return again
    if then == "report":
        return place.command("report", "--run", run_id)
    return place.command(then) if then else None


def exit_code_help() -> str:
    """Exit codes as `--help` shows them."""
    lines = []
    for code, meaning in MEANINGS.items():
        then = {None: "", AGAIN: ""}.get(meaning.then, f": media-index {meaning.then}")
        lines.append(f"  {code:<4} {meaning.says}{then}")
    return "\n".join(["Exit codes:", *lines])
