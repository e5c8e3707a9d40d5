"""The verb `explain`: everything the index knows of one video, and how it came about."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from jobs.explain_rows import RowsOfTable, read_rows
from jobs.find_video import find_ever
from jobs.next_command import Place
from jobs.next_steps import Newest, Step, read_newest, reason_of
from jobs.recipe_changes import changes_between
from schemas.commit import CommitState
from schemas.failures import FailureAction
from schemas.plan import Reason
from storage.catalog import Catalog
from storage.objects import ObjectStore
from storage.recipes import read_recipe

R = TypeVar("R")


@dataclass(frozen=True)
class Revision:
    """What the library object was; what is in the file is known of those that were analysed."""

    object_rev: str
    first_seen: datetime
    last_seen: datetime
    size_bytes: int | None
    modified_at: datetime | None
    duration_ms: int | None
    width: int | None
    height: int | None
    video_codec: str | None


@dataclass(frozen=True)
class Committed:
    """One commit. `differs` says what was other than with the commit before."""

    snapshot: int
    created_at: datetime
    state: str
    object_rev: str
    recipe_id: str
    run_id: str
    analysis_key: str
    failure_class: str | None
    differs: tuple[str, ...]


@dataclass(frozen=True)
class Try:
    """One attempt; see the table `attempts`."""

    run_id: str
    started_at: datetime
    attempt: int
    plan_reason: str
    object_rev: str
    recipe_id: str
    node: str | None
    device: str | None
    seconds: float
    wait_seconds: float | None
    prefill_seconds: float | None
    generate_seconds: float | None
    finish_seconds: float | None
    outcome: str
    stage: str | None
    failure_class: str | None
    code: str | None
    fingerprint: str | None
    peak_memory_bytes: int | None
    num_frames: int | None


@dataclass(frozen=True)
class Failed:
    """One row of the failures; `counts`: it still says something of how the video stands."""

    created_at: datetime
    run_id: str
    object_rev: str
    stage: str
    failure_class: str
    code: str
    message: str
    hint: str
    action: str
    attempts: int
    prompt_id: str | None
    counts: bool


@dataclass(frozen=True)
class Recipe:
    """One recipe that the video met; without `prompts` nobody declared what its id stands for."""

    recipe_id: str
    is_newest: bool  # it is that of the newest run
    model_id: str | None
    settings: dict[str, str]
    prompts: tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """What the video's row says now."""

    title: str | None
    summary: str | None
    duration_ms: int
    is_partial: bool
    is_degraded: bool
    num_dropped: int
    warnings: list[str]


@dataclass(frozen=True)
class Explanation:
    """All of it, oldest first; `state` in one sentence."""

    uri: str
    video_id: str
    state: str
    revisions: tuple[Revision, ...]
    commits: tuple[Committed, ...]
    recipes: tuple[Recipe, ...]
    tries: tuple[Try, ...]
    failures: tuple[Failed, ...]
    video: Row | None
    rows: tuple[RowsOfTable, ...]
    copies: tuple[str, ...]
    next_steps: tuple[Step, ...]


def read_explanation(catalog: Catalog, store: ObjectStore, place: Place, name: str) -> Explanation:
    """`name` as `find_ever` takes it. UsageError: nobody ever heard of it."""
    video_id = find_ever(catalog, name)
    commits = _read_commits(catalog, store, video_id)
    tries = _read(catalog, "tries", Try, video_id)
    failures = _read(catalog, "failures", Failed, video_id)
    newest = read_newest(catalog)
    uri = _uri(catalog, video_id)
    stale = reason_of(store, commits[-1].recipe_id, newest) if commits else None
    return Explanation(
        uri=uri,
        video_id=video_id,
        state=_state(commits, failures, stale),
        revisions=_read(catalog, "revisions", Revision, video_id),
        commits=commits,
        recipes=_read_recipes(store, [*commits, *tries], newest),
        tries=tries,
        failures=failures,
        video=next(iter(_read(catalog, "video", Row, video_id)), None),
        rows=read_rows(catalog, video_id),
        copies=tuple(row["uri"] for row in _records(catalog, "copies", video_id)),
        next_steps=tuple(_next_steps(commits, failures, stale, place, uri, video_id, newest)),
    )


def _read(catalog: Catalog, name: str, record: type[R], video_id: str) -> tuple[R, ...]:
    return tuple(record(**row) for row in _records(catalog, name, video_id))


def _records(catalog: Catalog, name: str, video_id: str) -> list[dict[str, Any]]:
    result = catalog.query(_queries()[name], {"video_id": video_id})
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


@cache
def _queries() -> dict[str, str]:
    """By the word that heads the comment before each."""
    text = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    return {
        match[1]: match[2] for match in re.finditer(r"^-- (\w+): .*\n((?:(?!-- ).*\n)+)", text, re.MULTILINE)
    }


def _uri(catalog: Catalog, video_id: str) -> str:
    names = " UNION ALL ".join(
        f"SELECT uri FROM {t} WHERE video_id = $id" for t in ("commits_all", "failures_all", "attempts")
    )
    return str(catalog.query(f"SELECT any_value(uri) FROM ({names})", {"id": video_id}).rows[0][0])


def _read_commits(catalog: Catalog, store: ObjectStore, video_id: str) -> tuple[Committed, ...]:
    commits: list[Committed] = []
    for row in _records(catalog, "commits", video_id):
        differs = [] if commits else ["first"]
        if commits and commits[-1].object_rev != row["object_rev"]:
            differs.append("other bytes")
        if commits and commits[-1].recipe_id != row["recipe_id"]:
            before, after = (read_recipe(store, i) for i in (commits[-1].recipe_id, row["recipe_id"]))
            differs += changes_between(before, after)
        commits.append(Committed(**row, differs=tuple(differs)))
    return tuple(commits)


def _read_recipes(
    store: ObjectStore, met: list[Committed | Try], newest: Newest | None
) -> tuple[Recipe, ...]:
    recipes = []
    for recipe_id in dict.fromkeys(one.recipe_id for one in met):
        said = read_recipe(store, recipe_id)
        recipes.append(
            Recipe(
                recipe_id,
                newest is not None and recipe_id == newest.recipe_id,
                said.model_id if said else None,
                said.settings if said else {},
                tuple(f"{name} {task}" for name, task in said.tasks.items()) if said else (),
            )
        )
    return tuple(recipes)


def _state(commits: tuple[Committed, ...], failures: tuple[Failed, ...], stale: Reason | None) -> str:
    left = "; the latest try was left to the next run" if _is_left(failures) else ""
    match commits[-1].state if commits else None:
        case CommitState.ROWS:
            return "indexed" + (f", {stale}" if stale else "") + left
        case CommitState.QUARANTINED:
            return "set aside for its present object revision; a replaced one comes back by itself" + left
        case CommitState.DELETED:
            return "gone from the library; its rows are history, in the views …_all"
        case CommitState.RELEASED:
            return "released: the next run tries it again" + left
    return "never settled" + left


def _is_left(failures: tuple[Failed, ...]) -> bool:
    return any(failure.counts and failure.action == FailureAction.NEXT_RUN for failure in failures)


def _next_steps(
    commits: tuple[Committed, ...],
    failures: tuple[Failed, ...],
    stale: Reason | None,
    place: Place,
    uri: str,
    video_id: str,
    newest: Newest | None,
) -> Iterator[Step]:
    said = newest or Newest("", "LIBRARY", "")
    state = commits[-1].state if commits else None
    if _is_left(failures) or state in (None, CommitState.RELEASED):
        yield Step("try it again, with all that is new", said.again(place))
    if state == CommitState.QUARANTINED:
        yield Step("have the next run try it once more as it is", place.command("retry", uri))
    if state == CommitState.ROWS:
        query = f"select start_ms, end_ms, title from scenes where video_id = '{video_id}' order by 1"
        yield Step("see its scenes", place.command("sql", query))
        if stale:
            flag = "--missing" if stale is Reason.MISSING else "--stale"
            yield Step("have it answered as it would be now", said.again(place, "backfill", flag))
    if state in (CommitState.DELETED, CommitState.QUARANTINED):
        yield Step("remove every trace of it", place.command("forget", uri))
