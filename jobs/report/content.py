"""What a report says: every number once, for text, JSON and page alike."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from jobs.exit_codes import meaning_of
from jobs.next_command import Place
from jobs.next_steps import Newest, Step, next_steps, read_newest, read_standing, reason_of
from jobs.recipe_changes import changes_between
from jobs.report.period import Period
from schemas.failures import FailureClass
from storage.catalog import Catalog
from storage.leases import read_log
from storage.objects import ObjectStore
from storage.recipes import read_recipe

R = TypeVar("R")

MAX_BUCKETS = 60
# Widths of a column that people count in, in seconds.
_WIDTHS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200)
_DAY = 86_400
_UNLESS_SAID = {  # of failures that leave no row of their own: they were tried again
    FailureClass.LOST: "Its machine or worker went away; it is done again elsewhere.",
    FailureClass.TRANSIENT: "It is tried again by itself; look at the storage if this goes on.",
    FailureClass.RESOURCE: "It is tried again with half the frames.",
    FailureClass.BUG: "It is tried once more on a fresh process.",
}


@dataclass(frozen=True)
class RunLine:
    """One run. Without `exit_code` it has not ended: it is at work, or it died."""

    run_id: str
    kind: str | None  # run or backfill; None: not known
    started_at: datetime
    seen_at: datetime  # when it ended, or the end of its latest recorded try
    exit_code: int | None
    library: str
    recipe_id: str
    model_id: str
    settings_json: str
    num_listed: int | None
    num_unchanged: int | None
    num_planned: int
    num_indexed: int
    num_partial: int
    num_quarantined: int
    num_unfinished: int
    video_ms: int
    num_frames: int | None
    num_prompt_tokens: int | None
    num_output_tokens: int | None
    prefill_seconds: float | None
    generate_seconds: float | None
    meaning: str = ""
    num_actors: int | None = None  # models that held a video at once; None: no attempts recorded

    @property
    def seconds(self) -> float:
        """From start to end, or to the latest thing known of it."""
        return max(0.0, (self.seen_at - self.started_at).total_seconds())


@dataclass(frozen=True)
class Bucket:
    """What happened in one column of time."""

    at: datetime
    indexed: int = 0
    partial: int = 0
    quarantined: int = 0
    next_run: int = 0
    busy_seconds: float = 0.0


@dataclass(frozen=True)
class Timeline:
    """Equal columns of time, `bucket_s` wide, in each of which models can be busy for `busy_capacity_s`."""

    bucket_s: int
    buckets: tuple[Bucket, ...]
    busy_capacity_s: float


@dataclass(frozen=True)
class ReasonLine:
    """Videos that the plan had for one reason."""

    reason: str
    videos: int
    indexed: int
    partial: int
    quarantined: int
    unfinished: int
    video_hours: float
    gpu_hours: float


@dataclass(frozen=True)
class FailureGroup:
    """Failures that are alike, with one example."""

    failure_class: str
    code: str
    fingerprint: str
    stage: str | None
    videos: int
    tries: int
    quarantined: int
    partial: int
    unfinished: int
    uri: str
    video_id: str
    message: str | None
    hint: str | None
    command: str = ""


@dataclass(frozen=True)
class Spent:
    """Seconds of the period's tries. `p50`, `p90`: of a model per hour of video, vain tries included."""

    attempts: int
    wait_seconds: float
    prefill_seconds: float  # with the waiting
    generate_seconds: float
    finish_seconds: float
    lost_seconds: float  # of models, on tries that brought no rows
    video_hours: float
    p50: float | None
    p90: float | None
    busy_share: float | None = None  # of the time in which models held a video, they computed so much
    run_share: float | None = None  # of the runs' whole time, times the models there were

    @property
    def model_hours(self) -> float:
        """In which models held a video."""
        return (self.prefill_seconds + self.generate_seconds) / 3600

    @property
    def parts(self) -> tuple[tuple[str, float], ...]:
        """What a video passes through; the last on CPUs, while the model goes on."""
        return (
            ("waiting", self.wait_seconds),
            ("prefill", self.prefill_seconds - self.wait_seconds),
            ("generate", self.generate_seconds),
            ("finish", self.finish_seconds),
        )

    @property
    def throughput(self) -> float | None:
        """Hours of video per hour of a model."""
        return self.video_hours / self.model_hours if self.model_hours else None


@dataclass(frozen=True)
class SlowVideo:
    """One video's cost, all its tries in one run together."""

    uri: str
    video_id: str
    outcome: str
    tries: int
    video_ms: int | None
    seconds: float
    wait_seconds: float
    prefill_seconds: float
    generate_seconds: float
    finish_seconds: float

    @property
    def held_seconds(self) -> float:
        """In which a model held it."""
        return self.prefill_seconds + self.generate_seconds


@dataclass(frozen=True)
class Machine:
    """One machine's share; `peak_memory_bytes` of the try that took most, at `peak_uri`."""

    node: str
    device: str
    attempts: int
    failed: int
    busy_seconds: float
    held_seconds: float
    peak_memory_bytes: int | None
    peak_uri: str | None


@dataclass(frozen=True)
class SetAside:
    """One video that is set aside now; `is_new`: by a run of the period."""

    uri: str
    video_id: str
    created_at: datetime
    is_new: bool
    failure_class: str | None
    code: str | None
    message: str | None
    hint: str | None
    total: int  # of all that are set aside


@dataclass(frozen=True)
class RecipeLine:
    """Rows under one recipe. `stale`: why a backfill would ask them again; `differs`: what changed since."""

    recipe_id: str
    is_used: bool  # it is that of the newest run
    model_id: str | None
    videos: int
    video_hours: float
    newest: datetime | None
    stale: str | None = None
    differs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """All of it. Sections of a period without runs, or without recorded attempts, are empty."""

    index: str
    made_at: datetime
    since: datetime | None
    runs: tuple[RunLine, ...]
    timeline: Timeline
    reasons: tuple[ReasonLine, ...]
    failures: tuple[FailureGroup, ...]
    spent: Spent
    slowest: tuple[SlowVideo, ...]
    machines: tuple[Machine, ...]
    set_aside: tuple[SetAside, ...]
    recipes: tuple[RecipeLine, ...]
    next_steps: tuple[Step, ...]

    @property
    def num_planned(self) -> int:
        """Videos that the runs were to analyse."""
        return sum(run.num_planned for run in self.runs)

    @property
    def num_done(self) -> int:
        """Videos that became rows."""
        return sum(run.num_indexed + run.num_partial for run in self.runs)

    @property
    def num_actors(self) -> int:
        """The most that a run had."""
        return max((run.num_actors or 0 for run in self.runs), default=0)

    @property
    def engine(self) -> str:
        """What a model ran on, as its time is called."""
        return "GPU" if any(m.device not in ("", "cpu") for m in self.machines) else "model"

    @property
    def exit_codes(self) -> dict[str, int]:
        """How the runs ended, the most frequent first."""
        codes = Counter("no exit code" if r.exit_code is None else f"exit {r.exit_code}" for r in self.runs)
        return dict(codes.most_common())


def read_report(catalog: Catalog, store: ObjectStore, period: Period, place: Place) -> Report:
    """`store` is the index's: it also says who is at work, and what recipes stand for."""
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
        next_steps=tuple(next_steps(read_standing(catalog, store, newest), newest, place)),
    )


def read_section(catalog: Catalog, name: str, **params: Any) -> list[dict[str, Any]]:
    """The rows of one of this folder's `.sql` files, by column."""
    sql = _sql(name)
    wanted = set(re.findall(r"\$([a-z_]+)", sql))
    result = catalog.query(sql, {key: value for key, value in params.items() if key in wanted})
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


@cache
def _sql(name: str) -> str:
    return Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")


def _read(catalog: Catalog, name: str, record: type[R], period: Period) -> tuple[R, ...]:
    rows = read_section(catalog, name, first=period.first, last=period.last)
    return tuple(record(**row) for row in rows)


def _read_runs(catalog: Catalog, store: ObjectStore, period: Period) -> tuple[RunLine, ...]:
    rows = read_section(catalog, "actors", first=period.first, last=period.last)
    actors = {row["run_id"]: row["actors"] for row in rows}
    at_work = {holder.run_id for holder in read_log(store).holders}

    def meaning(run: RunLine) -> str:
        if run.exit_code is not None:
            return meaning_of(run.exit_code)
        return "at work now" if run.run_id in at_work else "not ended: it died, or its end was never recorded"

    runs = _read(catalog, "runs", RunLine, period)
    return tuple(replace(run, meaning=meaning(run), num_actors=actors.get(run.run_id)) for run in runs)


def _read_timeline(catalog: Catalog, period: Period, runs: tuple[RunLine, ...]) -> Timeline:
    if not runs:
        return Timeline(1, (), 0.0)
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
    return Timeline(width, buckets, width * max((run.num_actors or 0 for run in runs), default=0))


def _width(seconds: float) -> int:
    """The narrowest that keeps to MAX_BUCKETS columns."""
    least = seconds / (MAX_BUCKETS - 1)
    return next((width for width in _WIDTHS if width >= least), int(-(-least // _DAY)) * _DAY)


def _read_failures(
    catalog: Catalog, period: Period, place: Place, newest: Newest | None
) -> tuple[FailureGroup, ...]:
    def complete(group: FailureGroup) -> FailureGroup:
        hint = group.hint or _UNLESS_SAID.get(FailureClass(group.failure_class))
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
            video_hours=sum(run.video_ms for run in runs) / 3.6e6,
        )
    held = spent.prefill_seconds + spent.generate_seconds
    busy = held - spent.wait_seconds
    there = sum(run.seconds * (run.num_actors or 0) for run in runs)
    return replace(
        spent,
        busy_share=busy / held if held else None,
        run_share=min(1.0, busy / there) if there else None,
    )


def _read_recipes(catalog: Catalog, store: ObjectStore, newest: Newest | None) -> tuple[RecipeLine, ...]:
    recipe_id = newest.recipe_id if newest else ""
    used = read_recipe(store, recipe_id) if newest else None

    def complete(line: RecipeLine) -> RecipeLine:
        if line.is_used:
            return line
        differs = changes_between(read_recipe(store, line.recipe_id), used)
        return replace(line, stale=reason_of(store, line.recipe_id, newest), differs=differs)

    return tuple(complete(RecipeLine(**row)) for row in read_section(catalog, "recipes", used=recipe_id))
