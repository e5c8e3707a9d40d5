"""The verb `status`: what is in the index, who is at work on it, the latest runs, what is to be done."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from jobs.reports.next_steps import Standing, Step, next_steps, read_newest, read_standing
from jobs.reports.report.text import step_lines, table_lines
from jobs.ui.exit_codes import meaning_of, next_after
from jobs.ui.made_by import MadeBy, notes_on
from jobs.ui.next_command import IndexPlace
from jobs.ui.words import moment, seconds
from jobs.weights import note_on
from storage.index.leases import Holder, is_gone, read_log
from storage.objects.store import ObjectStore
from storage.query.catalog import Catalog, Result

SECTIONS = {
    "index": """
        select count(*) as videos,
               round(coalesce(sum(duration_ms), 0) / 3.6e6, 2) as hours,
               (select count(*) from scenes) as scenes,
               (select count(*) from characters) as characters,
               (select count(*) from highlights) as highlights,
               (select count(*) from shots) as shots,
               (select count(*) from captions) as captions,
               (select count(*) from speech) as speech,
               (select count(*) from screen_text) as screen_text,
               count(*) filter (is_partial) as partial,
               count(*) filter (is_degraded) as degraded,
               (select count(distinct video_id) from failures where action = 'quarantined') as set_aside
        from videos""",
    "models": """
        select model_id, model_revision, count(*) as videos,
               round(coalesce(sum(duration_ms), 0) / 3.6e6, 2) as hours
        from videos group by all order by videos desc, model_id, model_revision""",
    "latest runs": """
        select run_id,
               kind,
               round(epoch(ended_at - started_at), 1) as seconds,
               exit_code,
               num_listed as listed,
               num_unchanged as unchanged,
               num_copied as copied,
               num_indexed as indexed,
               num_partial as partial,
               num_quarantined as set_aside,
               num_unfinished as unfinished,
               num_frames as frames
        from runs order by run_id desc limit 10""",
    "failures": """
        select failure_class, code, action, coalesce(prompt_id, '') as prompt, count(*) as count,
               min(uri) as example
        from failures group by all order by count desc, code""",
}
_HELD = {  # what the questions need of the views that most of them name
    "commits_all": ("video_id", "snapshot", "state", "analysis_key", "uri", "failure_class", "recipe_id"),
    "videos_all": ("analysis_key", "duration_ms", "is_partial", "is_degraded", "model_id", "model_revision"),
}
_SHOWN = 10  # kinds of failure; --json has all


class AtWork(Holder):
    """One process that holds a lease; `is_gone`: known to be dead, as it was on this machine."""

    is_gone: bool


@dataclass(frozen=True)
class Status:
    """The state of an index; `sections` are tables by title."""

    index: str
    sections: dict[str, Result]
    at_work: tuple[AtWork, ...]
    standing: Standing
    next_steps: tuple[Step, ...]

    def as_json(self) -> dict[str, Any]:
        """One object; the tables' rows by column."""
        tables = {name.replace(" ", "_"): result.records for name, result in self.sections.items()}
        for run in tables["latest_runs"]:
            run["meaning"] = meaning_of(run["exit_code"])
        for model in tables["models"]:
            model["note"] = note_on(model["model_id"])
        standing = asdict(self.standing)
        del standing["example"], standing["example_out"]
        return {
            **tables,
            "at_work": self.at_work,
            "videos": standing,
            "to_do": self.next_steps,
        }


def read_status(catalog: Catalog, store: ObjectStore, place: IndexPlace) -> Status:
    """A few small queries, one listing and one small file."""
    catalog.will_read(*SECTIONS.values())
    with catalog.holding(_HELD):
        sections = {title: catalog.query(query) for title, query in SECTIONS.items()}
        newest = read_newest(catalog)
        standing = read_standing(catalog, store, newest)
    steps = next_steps(standing, newest, place)
    runs = sections["latest runs"]
    if runs.rows and newest:
        last = runs.records[0]
        command = next_after(last["exit_code"], place, newest.again(place), last["run_id"])
        if command and all(step.command != command for step in steps):
            steps.insert(0, Step(f"latest run: {meaning_of(last['exit_code'])}", command))
    return Status(catalog.url, sections, _at_work(store), standing, tuple(steps))


def _at_work(store: ObjectStore) -> tuple[AtWork, ...]:
    return tuple(AtWork(**dict(one), is_gone=is_gone(one)) for one in read_log(store).holders)


def status_lines(status: Status) -> Iterator[str]:
    """A screen of text; what is not there takes no line."""
    index = status.sections["index"].records[0]
    now = status.standing
    yield f"index {status.index}"
    shown = ("shots", "captions", "speech", "screen_text", "scenes", "characters", "highlights")
    always = ("scenes", "characters", "highlights")
    videos = f"videos {index['videos']:,} ({index['hours']:,.2f} h)"
    rows = [f"{name.replace('_', ' ')} {index[name]:,}" for name in shown if index[name] or name in always]
    yield f"  {', '.join([videos, *rows])}"
    counts = (
        "partial",
        "set_aside",
        "out_of_domain",
        "unfinished",
        "stale",
        "missing",
        "released",
        "deleted",
    )
    odd = [f"{getattr(now, name):,} {name.replace('_', ' ')}" for name in counts if getattr(now, name)]
    odd += [f"{index['degraded']:,} degraded"] if index["degraded"] else []
    if odd:
        yield f"  {', '.join(odd)}"
    yield from _models(status.sections["models"])
    yield "at work"
    yield from table_lines(map(_holder, status.at_work)) if status.at_work else ["  nobody"]
    runs = status.sections["latest runs"]
    if runs.rows:
        yield "latest runs"
        yield from table_lines(_run(run) for run in runs.records)
    yield from _failures(status.sections["failures"])
    if status.next_steps:
        yield "to do"
        yield from step_lines(status.next_steps)


def _models(models: Result) -> Iterator[str]:
    """Who wrote the rows, and what has to be said of it."""
    if models.rows:
        yield "rows are by"
    made = [MadeBy(model_id, revision) for model_id, revision, _, _ in models.rows]
    yield from table_lines(
        (model.name, f"{videos:,} video{'' if videos == 1 else 's'}", f"{hours:,.2f} h")
        for model, (_, _, videos, hours) in zip(made, models.rows, strict=True)
    )
    yield from (f"  note: {note}" for note in notes_on(made))


def _holder(one: AtWork) -> tuple[str, ...]:
    trouble = f"but process {one.pid} is gone: the next run takes over" if one.is_gone else ""
    return one.kind, one.run_id, f"on {one.host}", f"since {moment(one.since)} UTC", trouble


def _run(run: dict[str, Any]) -> tuple[str, ...]:
    counts = ", ".join(
        f"{run[name]:,} {name.replace('_', ' ')}"
        for name in ("indexed", "partial", "set_aside", "unfinished", "copied", "unchanged")
        if run[name]
    )
    code = run["exit_code"]
    return (
        run["run_id"],
        run["kind"] or "run",
        seconds(run["seconds"]),
        f"exit {code}: {meaning_of(code)}",
        counts,
    )


def _failures(failures: Result) -> Iterator[str]:
    if failures.rows:
        yield "failures"
    yield from table_lines(_failure(*row) for row in failures.rows[:_SHOWN])
    if len(failures.rows) > _SHOWN:
        yield f"  and {len(failures.rows) - _SHOWN} more kinds: --json has all"


def _failure(
    failure_class: str, code: str, action: str, prompt: str, count: int, example: str
) -> tuple[str, ...]:
    done = action.replace("_", " ") + (f" of {prompt}" if prompt else "")
    return f"{count:,}", f"{failure_class} {code}", done, example
