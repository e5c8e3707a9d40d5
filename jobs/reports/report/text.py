"""A report in a terminal: what a person on call needs first, on a screen or two."""

from collections.abc import Iterable, Iterator, Sequence

from jobs.reports.next_steps import Step
from jobs.reports.report.records import Machine, ReasonLine, RecipeLine, Report, RunLine, SetAside, SlowVideo
from jobs.ui.words import brief, hours, moment, percent, seconds, size

_WIDE = 120  # characters of a text from outside
MAX_GROUPS, MAX_SET_ASIDE, MAX_RUNS, MAX_SLOWEST = 10, 10, 20, 5


def report_lines(report: Report) -> Iterator[str]:
    """Line by line; all of it is in `--json`."""
    if not report.runs:
        yield "no run to report" + (
            f" since {moment(report.since)} UTC" if report.since else ": none was recorded yet"
        )
    elif report.since is None:
        yield from _run(report.runs[-1])
    else:
        ends = ", ".join(f"{count} × {code}" for code, count in report.exit_codes.items())
        number = f"{len(report.runs):,} run{'' if len(report.runs) == 1 else 's'}"
        yield f"{number} since {moment(report.since)} UTC: {ends}"
        yield from table_lines(_run_row(run) for run in report.runs[-MAX_RUNS:])
    if report.runs:
        yield from _spent(report)
    yield from _section(
        "planned because",
        map(_reason, report.reasons),
        ("", "videos", "of video", f"of {report.engine}", "on CPUs"),
    )
    yield from _failures(report)
    slowest = map(_slow, report.slowest[:MAX_SLOWEST])
    yield from _section("slowest videos", slowest, (report.engine, "on CPUs", "of video", "", ""))
    yield from _section("machines", map(_machine, report.machines))
    yield from _section("set aside", map(_set_aside, report.set_aside[:MAX_SET_ASIDE]))
    yield from _more(report.set_aside[0].total if report.set_aside else 0, MAX_SET_ASIDE)
    yield from _section("recipes", map(_recipe, report.recipes))
    yield from (f"  note: {note}" for note in report.notes)
    if report.next_steps:
        yield ""
        yield "to do"
        yield from step_lines(report.next_steps)


def step_lines(steps: Iterable[Step]) -> Iterator[str]:
    """Yield what is to be done, and the command on a line of its own, to copy."""
    for step in steps:
        yield f"  {step.what}:"
        yield f"    {step.command}"


def table_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns side by side, no wider than they must be."""
    listed = [[brief(cell, _WIDE) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)]
    for row in listed:
        yield "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


def _run(run: RunLine) -> Iterator[str]:
    code = "no exit code" if run.exit_code is None else f"exit {run.exit_code}"
    yield f"{run.kind or 'run'} {run.run_id}  {code}: {run.meaning}"
    where = f", {run.library}" if run.library else ""
    where += f", by {run.model_id}" if run.model_id else ""
    yield f"  {moment(run.started_at)} to {moment(run.seen_at)} UTC, {seconds(run.seconds)}{where}"
    yield (
        f"  {run.num_planned:,} planned: {run.num_indexed:,} indexed, {run.num_partial:,} partial, "
        f"{run.num_quarantined:,} set aside, {run.num_unfinished:,} left to the next run"
    )


def _run_row(run: RunLine) -> tuple[str, ...]:
    return (
        run.run_id,
        "exit –" if run.exit_code is None else f"exit {run.exit_code}",
        seconds(run.seconds),
        f"{run.num_indexed:,} indexed",
        f"{run.num_partial:,} partial",
        f"{run.num_quarantined:,} set aside",
        f"{run.num_unfinished:,} left",
    )


def _spent(report: Report) -> Iterator[str]:
    spent, engine = report.spent, report.engine
    on_cpus = ", ".join(f"{name} {seconds(number)}" for name, number in spent.cpu_parts)
    if not spent.model_hours:
        if on_cpus:
            yield f"  {hours(spent.video_hours)} of video without a model; on CPUs: {on_cpus}"
        return
    rate = f", {spent.throughput:.1f} video hours per {engine} hour" if spent.throughput else ""
    yield f"  {hours(spent.video_hours)} of video in {hours(spent.model_hours)} of {engine}{rate}"
    if spent.p50 is not None and spent.p90 is not None:
        yield f"  {engine} time per video hour: p50 {seconds(spent.p50)}, p90 {seconds(spent.p90)}"
    shares = ", ".join(f"{name} {percent(number / spent.model_hours / 3600)}" for name, number in spent.parts)
    yield f"  of that: {shares}" + (f"; on CPUs: {on_cpus}" if on_cpus else "")
    if spent.busy_share is not None:
        yield (
            f"  {engine} busy {percent(spent.busy_share)} of the time with a video, "
            f"{percent(spent.run_share)} of the whole run; {seconds(spent.lost_seconds)} without a result"
        )


def _failures(report: Report) -> Iterator[str]:
    if report.failures:
        yield ""
        yield "what went wrong"
    for group in report.failures[:MAX_GROUPS]:
        ends = (("set aside", group.quarantined), ("partial", group.partial), ("left", group.unfinished))
        said = [f"{count:,} {word}" for word, count in ends if count] or ["tried again"]
        yield f"  {group.failure_class} {group.code}: {_count(group.videos, 'video')}, {', '.join(said)}"
        if group.message:
            yield f"    {brief(group.message, _WIDE)}"
        if group.hint:
            yield f"    hint: {brief(group.hint, _WIDE)}"
        yield f"    {group.command}"
    yield from _more(len(report.failures), MAX_GROUPS)


def _section(title: str, rows: Iterable[Sequence[str]], head: Sequence[str] = ()) -> Iterator[str]:
    listed = list(rows)
    if listed:
        yield ""
        yield title
        yield from table_lines([head, *listed] if head else listed)


def _reason(line: ReasonLine) -> tuple[str, ...]:
    return (
        line.reason,
        f"{line.videos:,}",
        hours(line.video_hours),
        hours(line.gpu_hours),
        hours(line.cpu_hours),
    )


def _slow(video: SlowVideo) -> tuple[str, ...]:
    spent = seconds(video.model_seconds), seconds(video.cpu_seconds)
    length = seconds((video.video_ms or 0) / 1000)
    return (*spent, length, _count(video.tries, "try", "tries"), video.uri)


def _machine(one: Machine) -> tuple[str, ...]:
    memory = f"{size(one.peak_memory_bytes or 0)} at most"
    return (
        one.node or "not known",
        one.device,
        _count(one.attempts, "try", "tries"),
        f"{one.failed} failed",
        memory,
    )


def _set_aside(video: SetAside) -> tuple[str, ...]:
    return moment(video.created_at), f"{video.failure_class or ''} {video.code or ''}", video.uri


def _recipe(line: RecipeLine) -> tuple[str, ...]:
    since = f"since then: {', '.join(line.differs)}"
    use = "in use" if line.is_used else f"{line.stale}; {since}" if line.stale else since
    return line.recipe_id, line.model, _count(line.videos, "video"), use


def _more(number: int, shown: int) -> Iterator[str]:
    if number > shown:
        yield f"  and {number - shown:,} more: --json has all kinds, --html shows them"


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"
