"""The verbs that spend: `run`, the nightly, and `backfill`, over videos that are known."""

import shlex
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal

from jobs.cli.options import NEEDED, NOTHING_LISTED, backfill_options, recipe_options, spending_options
from jobs.cli.verb import verb
from jobs.settings.given import load_settings
from jobs.ui.exit_codes import exit_code_help, meaning_of, next_after
from jobs.ui.next_command import IndexPlace
from jobs.ui.terminal import say, show_error, show_json
from schemas.failures import ExitCode, MediaIndexError

if TYPE_CHECKING:  # loading them loads Ray and pydantic
    from jobs.driver.telling.progress import Progress
    from jobs.settings.config import Settings
    from schemas.tables import Run


@verb("run --library s3://films --index s3://catalog --model BAAI/Video-XL-2", more=exit_code_help())
@recipe_options
@spending_options
def run(as_json: bool, new_index: bool, **flags: Any) -> int:
    """Index every video that is new or changed, and retry what failed. Repeat it to resume or refresh.

    Without --model it reads signals only: what a CPU finds in a video that is true of it. Scenes, characters
    and highlights need a model, now or later: `media-index backfill --missing --model BAAI/Video-XL-2`.
    """
    from jobs.planning.plan import NIGHTLY

    return _spend(as_json, new_index, flags, NIGHTLY)


@verb("backfill --stale --sample 5 --library s3://films --index s3://catalog", more=exit_code_help())
@backfill_options
@recipe_options
@spending_options
def backfill(
    as_json: bool,
    stale: bool,
    failed: bool,
    missing: bool,
    everything: bool,
    new_index: bool,
    **flags: Any,
) -> int:
    """Go over videos that are known already: ask again what would be answered differently today.

    Only the prompts that changed are asked; the other answers stay. It may run beside the nightly: no video
    is done twice.
    """
    from jobs.planning.plan import backfill_goal

    everything |= flags["plan"] is not None  # which was told when it was made
    return _spend(as_json, new_index, flags, backfill_goal(stale, failed, missing, everything))


def _spend(as_json: bool, new_index: bool, flags: dict[str, Any], goal: Any) -> int:
    """The exit code, less what the settings call success."""
    from jobs.settings.config import resolve

    settings = resolve(load_settings(flags, needs=NEEDED))
    code = _carry_out(settings, as_json, new_index, goal)
    if code in settings.ok and settings.log_format == "text":
        say(f"--ok {code}: told as 0", err=True)
    return 0 if code in settings.ok else code


def _carry_out(settings: "Settings", as_json: bool, new_index: bool, goal: Any) -> int:
    from jobs.cluster.words import words_aside
    from jobs.driver.run import run as execute  # what reads the index need not wait for Ray to load

    progress, is_text = _progress(settings.log_format), settings.log_format == "text"
    try:
        with nullcontext() if is_text else words_aside():  # of libraries: stderr holds JSON lines only
            row = execute(settings, progress, goal, new_index, owns_process=True)
    except MediaIndexError as error:
        return _stopped(error, settings, progress)
    except OSError as error:  # here and not in `main`: click ends without a word where a pipe is broken
        hint = "Check the disk, the network, the folders and their permissions."
        return _stopped(MediaIndexError(str(error), hint), settings, progress)
    except (Exception, KeyboardInterrupt) as error:
        if is_text:
            raise
        return progress.crashed(error)
    if as_json:
        show_json(row.model_dump(mode="json"))
    else:
        _show_run(row)
    if settings.log_format == "text":
        _show_next(row, settings, as_json)
    if settings.build and row.exit_code != ExitCode.INTERRUPTED:
        failed = _build(settings, progress)
        return failed if row.exit_code in settings.ok else row.exit_code or failed
    return row.exit_code


def _stopped(error: MediaIndexError, settings: "Settings", progress: "Progress") -> int:
    """What stopped the run, and the next command."""
    command = next_after(error.exit_code, IndexPlace(settings.index, settings.endpoint_url), _typed(), "")
    if settings.log_format == "json":
        progress.error(error, command)
    else:
        show_error(error)
        _say_next(command)
    return int(error.exit_code)


def _progress(log_format: Literal["text", "json"]) -> "Progress":
    from rich.console import Console

    from jobs.driver.telling.progress import Progress
    from jobs.ui.own_stderr import own_stderr

    return Progress(Console(file=own_stderr()), log_format)


def _build(settings: "Settings", progress: "Progress") -> int:
    """Make the serving file current. What the run did stays, whatever becomes of it."""
    from storage.query.built.build import build_serving

    try:
        progress.built(build_serving(settings.index, settings.endpoint_url))
    except MediaIndexError as error:
        progress.error(error)
        if settings.log_format == "text":
            say(f"hint: {error.hint}", err=True)
        return int(ExitCode.INTERNAL)
    return int(ExitCode.DONE)


def _show_run(row: "Run") -> None:
    if not row.num_planned:
        say(f"nothing to do: {row.num_listed} videos listed, none to analyse, no model loaded")
        return
    copies = f", {row.num_copied} copied" if row.num_copied else ""
    say(
        f"{row.kind} {row.run_id}: {row.num_indexed} indexed{copies}, {row.num_partial} partial, "
        f"{row.num_quarantined} set aside, {row.num_unfinished} left to the next run "
        f"({row.video_ms / 60_000:.1f} min of video, {row.num_frames} frames)"
    )


def _show_next(row: "Run", settings: "Settings", as_json: bool) -> None:
    """Say on stderr what the exit code means, and the next command."""
    if not row.num_planned:
        if not row.num_listed and not as_json:
            say(f"hint: {NOTHING_LISTED}", err=True)
        return
    if row.exit_code:
        place = IndexPlace(settings.index, settings.endpoint_url)
        say(f"exit {row.exit_code}: {meaning_of(row.exit_code)}", err=True)
        _say_next(next_after(row.exit_code, place, _typed(), row.run_id))
    if row.model_id is None:
        say(f"scenes, characters and highlights need a model: {_with_model(row, settings)}", err=True)


def _with_model(row: "Run", settings: "Settings") -> str:
    from jobs.weights import SOME_MODEL

    place = IndexPlace(settings.index, settings.endpoint_url)
    return place.again(row.settings_json, row.library, "backfill", "--missing", "--model", SOME_MODEL)


def _say_next(command: str | None) -> None:
    if command:
        say(f"next: {command}", err=True)


def _typed() -> str:
    """The command line without what was meant for the first time only."""
    return shlex.join(["media-index", *(word for word in sys.argv[1:] if word != "--new-index")])
