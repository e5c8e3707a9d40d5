"""An explanation in a terminal, oldest first, the next command last."""

from collections.abc import Iterator

from jobs.reports.explain.records import Committed, Explanation, Failed, KnownRecipe, Revision
from jobs.reports.explain.rows import RowsOfTable
from jobs.reports.report.text import step_lines, table_lines
from jobs.ui.made_by import MadeBy
from jobs.ui.words import brief, moment, seconds, size
from schemas.tables import Attempt


def explain_lines(known: Explanation) -> Iterator[str]:
    """Line by line; `--json` has it all uncut."""
    yield brief(known.uri)
    yield f"  {known.video_id}: {known.state}"
    if known.video:
        yield from _video(known)
    for uri in known.copies:
        yield f"  same bytes: {brief(uri)}"
    yield "revisions of the object"
    yield from table_lines(map(_revision, known.revisions))
    if known.commits:
        yield "commits"
        yield from table_lines(_commit(commit, commit is known.commits[-1]) for commit in known.commits)
    if known.recipes:
        yield "recipes"
        yield from table_lines(map(_recipe, known.recipes))
    if known.tries:
        yield "tries"
        yield from table_lines(map(_try, known.tries))
    if known.failures:
        yield "failures"
    for failure in known.failures:
        yield from _failure(failure)
    if known.rows:
        yield "rows now"
        yield from table_lines(map(_row, known.rows))
    if known.next_steps:
        yield "to do"
        yield from step_lines(known.next_steps)


def _video(known: Explanation) -> Iterator[str]:
    video = known.video
    assert video
    flags = [
        word for word, is_so in (("partial", video.is_partial), ("degraded", video.is_degraded)) if is_so
    ]
    flags += [f"{video.num_dropped} records dropped"] if video.num_dropped else []
    yield (
        "  "
        + ", ".join([seconds(video.duration_ms / 1000), *flags])
        + f": {brief(video.title or 'no title')}"
    )
    for warning in video.warnings:
        yield f"  warning: {brief(warning)}"


def _revision(one: Revision) -> tuple[str, ...]:
    picture = f"{one.width}×{one.height} {one.video_codec}" if one.width else ""
    length = seconds(one.duration_ms / 1000) if one.duration_ms is not None else "never read to the end"
    return (
        one.object_rev,
        f"since {moment(one.first_seen)}",
        size(one.size_bytes) if one.size_bytes else "",
        length,
        picture,
    )


def _commit(one: Committed, counts: bool) -> tuple[str, ...]:
    return (
        f"snapshot {one.snapshot}",
        moment(one.created_at),
        one.state + (f" ({one.failure_class})" if one.failure_class else ""),
        f"run {one.run_id}",
        f"recipe {one.recipe_id}",
        ", ".join(one.differs),
        "counts" if counts else "",
    )


def _recipe(one: KnownRecipe) -> tuple[str, ...]:
    settings = ", ".join(f"{name} {value}" for name, value in one.settings.items())
    prompts = f"prompts {', '.join(one.prompts)}" if one.prompts else ""
    use = "the newest run's" if one.is_newest else ""
    model = one.model_id or ("no model" if one.is_declared else "not declared")
    return one.recipe_id, model, settings, prompts, use


def _row(one: RowsOfTable) -> tuple[str, ...]:
    made_by = (one.made_by or "no prompt", f"recipe {one.recipe_id}", f"run {one.run_id}")
    return one.table, f"{one.rows:,}", *made_by, MadeBy(one.model_id, one.model_revision).name


def _try(one: Attempt) -> tuple[str, ...]:
    parts = (
        ("wait", one.wait_seconds),
        ("prefill", one.prefill_seconds),
        ("generate", one.generate_seconds),
        ("signals", one.signal_seconds),
        ("finish", one.finish_seconds),
    )
    why = f": {one.failure_class} {one.code} in {one.stage}" if one.failure_class else ""
    return (
        moment(one.started_at),
        f"{one.plan_reason} {one.attempt}",
        f"on {one.node or '?'} ({one.device or '?'})",
        seconds(one.seconds),
        ", ".join(f"{name} {seconds(number)}" for name, number in parts if number is not None),
        one.outcome.replace("_", " ") + why,
    )


def _failure(one: Failed) -> Iterator[str]:
    about = one.prompt_id or one.signal_id
    prompt = f" of {about}" if about else ""
    past = "" if one.counts else ", no longer so"
    yield (
        f"  {moment(one.created_at)}  {one.failure_class} {one.code} in {one.stage}{prompt}: "
        f"{one.action.replace('_', ' ')} after {one.attempts} {'try' if one.attempts == 1 else 'tries'}{past}"
    )
    yield f"    {brief(one.message)}"
    yield f"    hint: {brief(one.hint)}"
