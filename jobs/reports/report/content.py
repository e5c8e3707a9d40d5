"""A report read from the index, with one SQL file for each of its sections."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from jobs.reports.next_steps import Newest, next_steps, read_newest, read_standing, reason_of
from jobs.reports.recipe_changes import changes_between
from jobs.reports.report.period import Period
from jobs.reports.report.records import (
    Bucket,
    Disagreement,
    FailureGroup,
    Machine,
    ReasonLine,
    RecipeLine,
    Report,
    RunLine,
    RunTimeline,
    SetAside,
    SlowVideo,
    Spent,
)
from jobs.ui.exit_codes import meaning_of
from jobs.ui.next_command import IndexPlace
from jobs.weights import note_on
from schemas.failures import FailureClass
from storage.index.commits.recipes import read_recipe
from storage.index.leases import read_log
from storage.objects.store import ObjectStore
from storage.query.actors import actors_by_run
from storage.query.catalog import Catalog

R = TypeVar("R")

MAX_BUCKETS = 60
FAR_MS, FEWEST_BORDERS = 1000, 20  # of scenes' borders from shots': what is noted, and of how many at least
# Widths of a column that people count in, in seconds.
_WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY = 86_400
_UNLESS_SAID: dict[str, str] = {  # of failures that leave no row of their own: they were tried again
    FailureClass.LOST: "Its machine or worker went away; it is done again elsewhere.",
    FailureClass.TRANSIENT: "It is tried again by itself; look at the storage if this goes on.",
    FailureClass.RESOURCE: "It is tried again with half the frames.",
    FailureClass.BUG: "It is tried once more on a fresh process.",
}


def read_report(catalog: Catalog, store: ObjectStore, period: Period, place: IndexPlace) -> Report:
    """Read the report on a period; `store` is the index's: it also says who is at work, and what recipes
    stand for."""
    runs, newest = _read_runs(catalog, store, period), read_newest(catalog)
    return Report(
        index=catalog.url,
        made_at=datetime.now(UTC),
        since=period.since,
        runs=runs,
        timeline=_read_timeline(catalog, period, runs),
        reasons=_read(catalog, "reasons", ReasonLine, period),
        failures=_read_failures(catalog, period, place, newest),
        spent=_read_spent(catalog, period, runs),
        slowest=_read(catalog, "slowest", SlowVideo, period),
        machines=_read(catalog, "machines", Machine, period),
        set_aside=_read(catalog, "set_aside", SetAside, period),
        recipes=_read_recipes(catalog, store, newest),
        disagreements=_read_disagreements(catalog, period),
        next_steps=tuple(next_steps(read_standing(catalog, store, newest), newest, place)),
    )


def read_section(catalog: Catalog, name: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of one of this folder's `.sql` files, by column."""
    sql = _sql(name)
    wanted = set(re.findall(r"\$([a-z_]+)", sql))
    result = catalog.query(sql, {key: value for key, value in params.items() if key in wanted})
    return result.records


@cache
def _sql(name: str) -> str:
    return Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")


def _read(catalog: Catalog, name: str, record: type[R], period: Period) -> tuple[R, ...]:
    rows = read_section(catalog, name, first=period.first, last=period.last)
    return tuple(record(**row) for row in rows)


def _read_runs(catalog: Catalog, store: ObjectStore, period: Period) -> tuple[RunLine, ...]:
    actors = actors_by_run(catalog, period.first, period.last)
    at_work = {holder.run_id for holder in read_log(store).holders}

    def meaning(run: RunLine) -> str:
        if run.exit_code is not None:
            return meaning_of(run.exit_code)
        return "at work now" if run.run_id in at_work else "not ended: it died, or its end was never recorded"

    runs = _read(catalog, "runs", RunLine, period)
    return tuple(replace(run, meaning=meaning(run), num_actors=actors.get(run.run_id)) for run in runs)


def _read_timeline(catalog: Catalog, period: Period, runs: tuple[RunLine, ...]) -> RunTimeline:
    if not runs:
        return RunTimeline(1, (), 0.0)
    begin, end = min(run.started_at for run in runs), max(run.seen_at for run in runs)
    width = _width((end - begin).total_seconds())
    start = begin.timestamp() // width * width
    count = int((end.timestamp() - start) // width) + 1
    params = {
        "first": period.first,
        "last": period.last,
        "start": datetime.fromtimestamp(start, UTC),
        "bucket": width,
        "buckets": count,
    }
    outcomes: dict[int, dict[str, int]] = {}
    for row in read_section(catalog, "progress", **params):
        outcomes.setdefault(max(0, row["bucket"]), {})[row["outcome"]] = row["videos"]
    busy = {row["bucket"]: row["busy_seconds"] for row in read_section(catalog, "busy", **params)}
    buckets = tuple(
        Bucket(
            datetime.fromtimestamp(start + n * width, UTC),
            busy_seconds=busy.get(n, 0.0),
            **outcomes.get(n, {}),
        )
        for n in range(count)
    )
    return RunTimeline(width, buckets, width * max((run.num_actors or 0 for run in runs), default=0))


def _width(seconds: float) -> int:
    """The narrowest that keeps to MAX_BUCKETS columns."""
    least = seconds / (MAX_BUCKETS - 1)
    return next((width for width in _WIDTHS if width >= least), int(-(-least // _DAY)) * _DAY)


def _read_failures(
    catalog: Catalog, period: Period, place: IndexPlace, newest: Newest | None
) -> tuple[FailureGroup, ...]:
    def complete(group: FailureGroup) -> FailureGroup:
        hint = group.hint or _UNLESS_SAID.get(group.failure_class)
        is_left = group.unfinished and not group.quarantined
        command = newest.again(place) if newest and is_left else place.command("explain", group.uri)
        return replace(group, hint=hint, command=command)

    return tuple(complete(group) for group in _read(catalog, "failures", FailureGroup, period))


def _read_spent(catalog: Catalog, period: Period, runs: tuple[RunLine, ...]) -> Spent:
    [spent] = _read(catalog, "spent", Spent, period)
    if not spent.attempts:  # all that older runs recorded
        return replace(
            spent,
            prefill_seconds=sum(run.prefill_seconds or 0.0 for run in runs),
            generate_seconds=sum(run.generate_seconds or 0.0 for run in runs),
            video_hours=sum(run.video_ms or 0 for run in runs) / 3.6e6,
        )
    held, busy = spent.model_seconds, spent.busy_seconds
    there = sum(run.seconds * (run.num_actors or 0) for run in runs)
    return replace(
        spent,
        busy_share=busy / held if held else None,
        run_share=min(1.0, busy / there) if there else None,
    )


def _read_disagreements(catalog: Catalog, period: Period) -> tuple[Disagreement, ...]:
    limits = {"far_ms": FAR_MS, "fewest": FEWEST_BORDERS}
    rows = read_section(catalog, "disagreements", first=period.first, last=period.last, **limits)
    return tuple(Disagreement(**row) for row in rows)


def _read_recipes(catalog: Catalog, store: ObjectStore, newest: Newest | None) -> tuple[RecipeLine, ...]:
    recipe_id = newest.recipe_id if newest else ""
    used = read_recipe(store, recipe_id) if newest else None

    def complete(line: RecipeLine) -> RecipeLine:
        line = replace(line, note=note_on(line.model_id))
        if line.is_used:
            return line
        differs = changes_between(read_recipe(store, line.recipe_id), used)
        return replace(line, stale=reason_of(store, line.recipe_id, newest), differs=differs)

    return tuple(complete(RecipeLine(**row)) for row in read_section(catalog, "recipes", used=recipe_id))
