"""The verbs that spend: `run` and `backfill`; `plan`, which says on what; `retry`, which allows it again."""

import shlex
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import click

from jobs.cli.verb import Verb, index_options
from jobs.settings.given import load_settings
from jobs.ui.exit_codes import exit_code_help, meaning_of, next_after
from jobs.ui.next_command import Place
from jobs.ui.terminal import say, show_error, show_json
from schemas.failures import ExitCode, MediaIndexError

if TYPE_CHECKING:  # loading them loads Ray and pydantic
    from jobs.driver.progress import Progress
    from jobs.settings.config import Settings
    from schemas.tables import Run

F = TypeVar("F", bound=Callable[..., Any])
NEEDED = ("library", "index", "model")
_NOTHING_LISTED = "Is this the right --library, and do the filters let any through?"


def _with(*options: Callable[[F], F]) -> Callable[[F], F]:
    """These options in this order."""

    def decorate(verb: F) -> F:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return decorate


# What is asked of which videos: the same for planning and doing.
recipe_options = _with(
    click.option("--library", metavar="DIR|s3://…", help="Where the videos are."),
    index_options,
    click.option(
        "--model",
        metavar="DIR|HUB_ID",
        help="Weights, e.g. BAAI/Video-XL-2, or small: built in, for drawn films only.",
    ),
    click.option("--dtype", metavar="TYPE", help="auto, float32, bfloat16 or float16. [auto]"),
    click.option("--fps", metavar="RATE", help="Pictures per second the model sees, e.g. 1, 1/2 or 2. [1]"),
    click.option("--max-frames", type=int, help="Longer videos are sampled more thinly to fit. [2048]"),
    click.option("--split", is_flag=True, default=None, help="Take longer videos in sections instead."),
    click.option(
        "--pack",
        "packs",
        multiple=True,
        metavar="NAME|DIR",
        help="What to ask: default, surveillance, livestream or a folder of prompts; repeatable. [default]",
    ),
    click.option(
        "--extension",
        "extensions",
        multiple=True,
        metavar="EXT",
        help="Only these; repeatable. [all video]",
    ),
    click.option("--include", multiple=True, metavar="GLOB", help="Only keys that match; repeatable."),
    click.option("--exclude", multiple=True, metavar="GLOB", help="Not keys that match; repeatable."),
    click.option(
        "--prefix",
        "prefixes",
        multiple=True,
        metavar="PREFIX",
        help="List only keys that start so; repeatable.",
    ),
    click.option("--since", metavar="DATE|AGO", help="Only what was modified since: 2026-11-01, 36h, 7d."),
    click.option(
        "--inventory",
        metavar="MANIFEST",
        help="List by this S3 Inventory: s3://…/manifest.json, or a copy of it.",
    ),
    click.option(
        "--follow-links",
        is_flag=True,
        default=None,
        help="Of a folder: also links that lead out of it.",
    ),
    click.option(
        "--where",
        metavar="SQL",
        help="Only planned videos of which this is true, e.g. \"uri like '%/news/%'\".",
    ),
    click.option("--sample", type=int, metavar="N", help="Only so many of them, drawn by lot."),
    click.option("--limit", type=int, metavar="N", help="At most so many."),
    click.option(
        "--mass-deletion",
        is_flag=True,
        default=None,
        help="Most of the library is gone, and that is right.",
    ),
    click.option(
        "--max-cost-per-video",
        metavar="20m|1.50usd|600frames",
        help="Refuse videos that would take more of an actor's time, more money, or more pictures.",
    ),
    click.option("--usd-per-gpu-hour", type=float, metavar="USD", help="What an hour of an actor costs."),
    click.option("--num-actors", type=int, help="Models at work at once. [one per GPU; one without GPUs]"),
    click.option(
        "--scratch",
        type=click.Path(path_type=Path),
        help="Folder for copies of S3 objects. [temporary]",
    ),
)


# How a plan is carried out.
spending_options = _with(
    click.option("--new-index", is_flag=True, help="Make the index, where there is none yet."),
    click.option(
        "--plan",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Do what was saved by `media-index plan --save FILE`, no more.",
    ),
    click.option(
        "--ray-address",
        metavar="ADDRESS",
        help="Join this Ray cluster. [a private one on this machine]",
    ),
    click.option(
        "--max-streams",
        type=int,
        metavar="N",
        help="Videos with more tracks are set aside. [1000]",
    ),
    click.option("--max-duration", metavar="36h|7d", help="Longer videos are set aside. [7d]"),
    click.option(
        "--max-pixels",
        type=int,
        metavar="N",
        help="Videos with larger pictures, width times height, are set aside. [40000000]",
    ),
    click.option(
        "--max-failures",
        metavar="N|P%",
        help="No video begins once more than N, or P% of the planned ones, have failed. [no limit]",
    ),
    click.option(
        "--deadline",
        metavar="6h|07:00|DATE",
        help="No video begins after this long, or this time of day; those under way finish.",
    ),
    click.option(
        "--build",
        is_flag=True,
        default=None,
        help="At the end, what `media-index build` makes is made, or made current.",
    ),
    click.option("--log-format", metavar="text|json", help="What is said on stderr. [text]"),
)


# Which known videos.
backfill_options = _with(
    click.option("--stale", is_flag=True, help="Whose model, sampling or prompts have changed."),
    click.option("--failed", is_flag=True, help="That runs before could not settle, or were released."),
    click.option("--missing", is_flag=True, help="That were never asked what is asked now."),
    click.option("--all", "everything", is_flag=True, help="All of these, and changed ones."),
)


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  media-index run --library s3://films --index s3://catalog "
    "--model BAAI/Video-XL-2\n\n" + exit_code_help(),
)
@recipe_options
@spending_options
def run(as_json: bool, new_index: bool, **flags: Any) -> int:
    """Index every video that is new or changed, and retry what failed. Repeat it to resume or refresh."""
    from jobs.planning.plan import NIGHTLY

    return _spend(as_json, new_index, flags, NIGHTLY)


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  media-index backfill --stale --sample 5 --library s3://films "
    "--index s3://catalog\n\n" + exit_code_help(),
)
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
    from jobs.cluster.words import words_aside
    from jobs.settings.config import resolve

    try:
        settings = resolve(load_settings(flags, needs=NEEDED))
    except MediaIndexError as error:
        if flags["log_format"] != "json":
            raise
        _progress("json").error(error)
        return int(error.exit_code)
    from jobs.driver.run import run as execute  # what reads the index need not wait for Ray to load

    progress, is_text = _progress(settings.log_format), settings.log_format == "text"
    try:
        with nullcontext() if is_text else words_aside():  # of libraries: stderr holds JSON lines only
            row = execute(settings, progress, goal, new_index)
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
        return row.exit_code or failed
    return row.exit_code


def _stopped(error: MediaIndexError, settings: "Settings", progress: "Progress") -> int:
    """What stopped the run, and the next command."""
    command = next_after(error.exit_code, Place(settings.index, settings.endpoint_url), _typed(), "")
    if settings.log_format == "json":
        progress.error(error, command)
    else:
        show_error(error)
        _say_next(command)
    return int(error.exit_code)


def _progress(log_format: Literal["text", "json"]) -> "Progress":
    from rich.console import Console

    from jobs.driver.progress import Progress
    from jobs.ui.own_stderr import own_stderr

    return Progress(Console(file=own_stderr()), log_format)


def _build(settings: "Settings", progress: "Progress") -> int:
    """Make the serving file current. What the run did stays, whatever becomes of it."""
    from storage.query.build import build_serving

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
    say(
        f"{row.kind} {row.run_id}: {row.num_indexed} indexed, {row.num_partial} partial, "
        f"{row.num_quarantined} set aside, {row.num_unfinished} left to the next run "
        f"({row.video_ms / 60_000:.1f} min of video, {row.num_frames} frames)"
    )


def _show_next(row: "Run", settings: "Settings", as_json: bool) -> None:
    """On stderr: what the exit code means, and the next command."""
    if not row.num_planned:
        if not row.num_listed and not as_json:
            say(f"hint: {_NOTHING_LISTED}", err=True)
        return
    if row.exit_code:
        place = Place(settings.index, settings.endpoint_url)
        say(f"exit {row.exit_code}: {meaning_of(row.exit_code)}", err=True)
        _say_next(next_after(row.exit_code, place, _typed(), row.run_id))


def _say_next(command: str | None) -> None:
    if command:
        say(f"next: {command}", err=True)


def _typed() -> str:
    """Without what was meant for the first time only."""
    return shlex.join(["media-index", *(word for word in sys.argv[1:] if word != "--new-index")])


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  media-index plan --library s3://films --index s3://catalog "
    "--usd-per-gpu-hour 3.50 --save tonight.plan",
)
@backfill_options
@recipe_options
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Keep it for --plan.")
@click.option("--show-ignored", is_flag=True, help="List what is in the library and no video to index.")
def plan(
    as_json: bool,
    show_ignored: bool,
    save: Path | None,
    stale: bool,
    failed: bool,
    missing: bool,
    everything: bool,
    **flags: Any,
) -> None:
    """What `run` would do, for which reason, and what it would cost; with --stale … what `backfill` would."""
    from jobs.planning.estimate import estimate_of
    from jobs.planning.lines import estimate_lines, no_index_lines, plan_json, plan_lines
    from jobs.planning.plan import NIGHTLY, backfill_goal, preview, save_plan
    from jobs.settings.config import resolve
    from storage.index.nearby import nearest_indexes

    is_backfill = stale or failed or missing or everything
    goal = backfill_goal(stale, failed, missing, everything) if is_backfill else NIGHTLY
    settings = resolve(load_settings(flags, needs=NEEDED))
    ignored: list[dict[str, str]] = []

    def on_ignored(uri: str, why: str) -> None:
        if as_json:
            ignored.append({"uri": uri, "why": why})
        else:
            say(f"ignored  {uri}: {why}")

    checked, made = preview(settings, goal, on_ignored if show_ignored else None)
    estimate = estimate_of(made, checked)
    if save is not None:
        save_plan(made, save)
    if as_json:
        show_json(plan_json(made, estimate) | ({"ignored": ignored} if show_ignored else {}))
        return
    near = nearest_indexes(settings.index, settings.endpoint_url) if not checked.index.exists else ()
    for line in (*no_index_lines(made, near), *plan_lines(made), *estimate_lines(estimate)):
        say(line)
    if not made.summary.reasons.total():
        say(f"hint: {_NOTHING_LISTED}", err=True)
    if save is not None:
        made_with = "" if checked.index.exists else " --new-index"
        command = f"media-index {goal.kind}{made_with} --plan {shlex.quote(str(save))}"
        say(f"saved; do it with: {command}, and the same settings", err=True)


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  media-index retry --index s3://catalog s3://films/a.mp4\n"
    "  media-index retry --index s3://catalog --code out_of_memory",
)
@click.argument("videos", nargs=-1)
@click.option("--code", "codes", multiple=True, help="All that were set aside for this; repeatable.")
@click.option("--all", "everything", is_flag=True, help="All that are set aside.")
@index_options
def retry(
    as_json: bool,
    videos: tuple[str, ...],
    codes: tuple[str, ...],
    everything: bool,
    **flags: Any,
) -> None:
    """Take videos out of quarantine: the next run tries them again."""
    from jobs.planning.retry import release

    settings = load_settings(flags, needs=("index",))
    released = release(settings["index"], settings.get("endpoint_url"), videos, codes, everything)
    if as_json:
        show_json({"released": released})
        return
    for uri in released:
        say(uri)
    say(f"{len(released)} released; `media-index run` tries them again", err=True)
