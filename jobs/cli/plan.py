"""The verbs before spending: `plan`, which says on what a run would spend; `retry`, which allows it again."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobs.cli.options import NEEDED, NOTHING_LISTED, backfill_options, recipe_options
from jobs.cli.verb import index_options, verb
from jobs.settings.given import index_place, load_settings
from jobs.ui.terminal import say, show_json

if TYPE_CHECKING:  # these load what a usage error does without
    from jobs.planning.estimate import Estimate
    from jobs.planning.plan import Plan
    from jobs.planning.preflight import Preflight


@verb("plan --library s3://films --index s3://catalog --usd-per-gpu-hour 3.50 --save tonight.plan")
@backfill_options
@recipe_options
@click.option("--save", type=click.Path(path_type=Path), metavar="FILE", help="Save the plan for --plan.")
@click.option("--show-ignored", is_flag=True, help="List what is in the library but is no video to index.")
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
    """Say what `run` would do, why, and what it would cost; with --stale … what `backfill` would."""
    from jobs.planning.estimate import estimate_of
    from jobs.planning.lines import plan_json
    from jobs.planning.plan import planned_goal, preview, save_plan
    from jobs.settings.config import resolve

    goal = planned_goal(stale, failed, missing, everything)
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
    for line in _lines(checked, made, estimate):
        say(line)
    if not made.summary.reasons.total():
        say(f"hint: {NOTHING_LISTED}", err=True)
    if save is not None:
        made_with = "" if checked.index.exists else " --new-index"
        command = f"media-index {goal.kind}{made_with} --plan {shlex.quote(str(save))}"
        say(f"saved; do it with: {command}, and the same settings", err=True)


def _lines(checked: "Preflight", made: "Plan", estimate: "Estimate") -> Iterator[str]:
    """Say in words what is planned, what it takes, and how many frames fit."""
    from jobs.planning.frames import frames_lines
    from jobs.planning.lines import domain_lines, estimate_lines, model_lines, no_index_lines, plan_lines
    from storage.index.nearby import nearest_indexes

    settings = checked.settings
    near = nearest_indexes(settings.index, settings.endpoint_url) if not checked.index.exists else ()
    yield from (*no_index_lines(made, near), *plan_lines(made), *domain_lines(made, checked.weights))
    estimated = tuple(estimate_lines(estimate))
    yield from estimated
    asked = checked.weights if estimated else None
    yield from model_lines(asked, settings)
    yield from frames_lines(
        asked,
        settings.dtype,
        checked.recipe.prompts,
        settings.max_frames,
        settings.pixels,
        settings.gpus_per_model,
        settings.weight_bits,
    )


@verb("retry --index s3://catalog s3://films/a.mp4", "retry --index s3://catalog --code out_of_memory")
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

    released = release(*index_place(flags), videos, codes, everything)
    if as_json:
        show_json({"released": released})
        return
    for uri in released:
        say(uri)
    say(f"{len(released)} released; `media-index run` tries them again", err=True)
