"""Everything the index knows of one video, read with the queries in `explain.sql`."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

from jobs.reports.explain.records import Committed, Explanation, Failed, KnownRecipe, Revision
from jobs.reports.explain.rows import read_rows
from jobs.reports.explain.standing import state_of, steps_for
from jobs.reports.next_steps import Newest, read_newest, reason_of
from jobs.reports.recipe_changes import changes_between
from jobs.ui.find_video import find_ever
from jobs.ui.next_command import IndexPlace
from schemas.commit import CommitState
from schemas.tables import TABLES, Attempt, Video
from storage.index.commits.recipes import read_recipe
from storage.objects.store import ObjectStore
from storage.query.catalog import Catalog

R = TypeVar("R")


def read_explanation(catalog: Catalog, store: ObjectStore, place: IndexPlace, name: str) -> Explanation:
    """Read all that the index knows of a video; `name` as `find_ever` takes it. UsageError: nobody ever heard
    of it."""
    catalog.will_read(*(f"{table}_all" for table in (*TABLES, "commits", *catalog.own_tables)), *TABLES)
    video_id = find_ever(catalog, name)
    commits = _read_commits(catalog, store, video_id)
    tries = _read(catalog, "tries", Attempt, video_id)
    failures = _read(catalog, "failures", Failed, video_id)
    newest = read_newest(catalog)
    uri = _uri(catalog, video_id)
    stale = reason_of(store, commits[-1].recipe_id, newest) if commits else None
    current = commits[-1].analysis_key if commits and commits[-1].state == CommitState.ROWS else ""
    rows = read_rows(catalog, video_id, current) if current else ()
    return Explanation(
        uri=uri,
        video_id=video_id,
        state=state_of(commits, failures, stale),
        revisions=_read(catalog, "revisions", Revision, video_id),
        commits=commits,
        recipes=_read_recipes(store, [*commits, *tries], newest),
        tries=tries,
        failures=failures,
        video=next(iter(_read(catalog, "video", Video, video_id, analysis_key=current)), None),
        rows=rows,
        copies=tuple(uri for (uri,) in catalog.query(_queries()["copies"], {"video_id": video_id}).rows),
        next_steps=tuple(steps_for(commits, failures, stale, place, uri, video_id, newest, rows)),
    )


def _read(catalog: Catalog, name: str, record: type[R], video_id: str, **params: str) -> tuple[R, ...]:
    return catalog.read(record, _queries()[name], {"video_id": video_id, **params})


@cache
def _queries() -> dict[str, str]:
    """Queries by the word that heads the comment before each."""
    text = Path(__file__).with_name("explain.sql").read_text(encoding="utf-8")
    return {
        match[1]: match[2] for match in re.finditer(r"^-- (\w+): .*\n((?:(?!-- ).*\n)+)", text, re.MULTILINE)
    }


def _uri(catalog: Catalog, video_id: str) -> str:
    names = " UNION ALL ".join(
        f"SELECT uri FROM {t} WHERE video_id = $id" for t in ("commits_all", "failures_all", "attempts")
    )
    return str(catalog.query(f"SELECT any_value(uri) FROM ({names})", {"id": video_id}).rows[0][0])


def _read_commits(catalog: Catalog, store: ObjectStore, video_id: str) -> tuple[Committed, ...]:
    commits = _read(catalog, "commits", Committed, video_id)
    return tuple(
        commit.model_copy(update={"differs": tuple(_differences(store, before, commit))})
        for before, commit in zip((None, *commits), commits, strict=False)
    )


def _differences(store: ObjectStore, before: Committed | None, commit: Committed) -> Iterator[str]:
    if before is None:
        yield "first"
        return
    if before.object_rev != commit.object_rev:
        yield "other bytes"
    if before.recipe_id != commit.recipe_id:
        yield from changes_between(*(read_recipe(store, one.recipe_id) for one in (before, commit)))


def _read_recipes(
    store: ObjectStore, met: list[Committed | Attempt], newest: Newest | None
) -> tuple[KnownRecipe, ...]:
    recipes = []
    for recipe_id in dict.fromkeys(one.recipe_id for one in met):
        said = read_recipe(store, recipe_id)
        recipes.append(
            KnownRecipe(
                recipe_id,
                newest is not None and recipe_id == newest.recipe_id,
                said is not None,
                said.model_id if said else None,
                said.settings if said else {},
                tuple(f"{name} {task}" for name, task in said.tasks.items()) if said else (),
            )
        )
    return tuple(recipes)
