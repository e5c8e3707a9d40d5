"""What is left to do in an index, and the command for each: shared by `status` and `report`."""

from collections import Counter
from dataclasses import dataclass

from jobs.planning.reasons.staleness import compare_recipes
from jobs.ui.next_command import IndexPlace
from schemas.plan import MISSING, STALE, Reason
from storage.index.commits.recipes import read_recipe
from storage.objects.store import ObjectStore
from storage.query.catalog import Catalog

_STANDING = """
WITH latest AS (
    SELECT video_id, max_by(state, snapshot) AS state, max_by(uri, snapshot) AS uri,
        max_by(coalesce(failure_class, ''), snapshot) AS failure_class
    FROM commits_all GROUP BY video_id
)
SELECT
    count(*) FILTER (state = 'rows') AS indexed,
    count(*) FILTER (state = 'quarantined') AS set_aside,
    count(*) FILTER (state = 'rows' AND failure_class = 'domain') AS out_of_domain,
    count(*) FILTER (state = 'deleted') AS deleted,
    count(*) FILTER (state = 'released') AS released,
    (SELECT count(*) FROM videos WHERE is_partial) AS partial,
    (SELECT count(DISTINCT video_id) FROM failures WHERE action = 'next_run') AS unfinished,
    max(uri) FILTER (state = 'quarantined') AS example,
    max(uri) FILTER (state = 'rows' AND failure_class = 'domain') AS example_out
FROM latest"""
_RECIPES = """
SELECT recipe_id, failure_class IS NOT DISTINCT FROM 'domain', count(*)
FROM commits WHERE state = 'rows' GROUP BY ALL"""
# A nightly's settings are those to go on with; a backfill's only where there was no nightly.
_NEWEST = """
SELECT recipe_id, library, settings_json FROM runs
ORDER BY kind IS NOT DISTINCT FROM 'backfill', run_id DESC LIMIT 1"""


@dataclass(frozen=True)
class Newest:
    """The settings of the newest nightly."""

    recipe_id: str
    library: str
    settings_json: str

    def again(self, place: IndexPlace, verb: str = "run", *flags: str) -> str:
        """The command that does it once more."""
        return place.again(self.settings_json, self.library, verb, *flags)


@dataclass(frozen=True)
class Standing:
    """The count of the index's videos in each state now."""

    indexed: int
    set_aside: int
    out_of_domain: int  # of those indexed: set aside for their model, with rows of signals
    deleted: int
    released: int
    partial: int
    unfinished: int
    stale: int  # a backfill would ask them something again
    missing: int  # they were never asked something that the newest run asks
    example: str | None  # one that is set aside
    example_out: str | None  # one that is out of domain


@dataclass(frozen=True)
class Step:
    """A thing that is not as it should be, and the command to go on with."""

    what: str
    command: str


def read_newest(catalog: Catalog) -> Newest | None:
    """Read of the newest run; None: there was no run yet."""
    rows = catalog.query(_NEWEST).rows
    return Newest(*rows[0]) if rows else None


def reason_of(
    store: ObjectStore, recipe_id: str, newest: Newest | None, is_aside: bool = False
) -> Reason | None:
    """Return why rows of this recipe are not what the newest one would make; None: they are, as far as it
    asks.

    `is_aside`: they are of signals only, as the recipe's model was not made for the video.
    """
    used = read_recipe(store, newest.recipe_id) if newest else None
    if used is None or recipe_id == used.recipe_id:
        return None
    staleness = compare_recipes(read_recipe(store, recipe_id), used)
    if staleness and is_aside and staleness.tasks != ():
        return Reason.MISSING
    return staleness.reason if staleness else None


def read_standing(catalog: Catalog, store: ObjectStore, newest: Newest | None) -> Standing:
    """Counts over the whole index, whatever run they come from."""
    result = catalog.query(_STANDING)
    reasons: Counter[Reason | None] = Counter()
    for recipe_id, is_aside, count in catalog.query(_RECIPES).rows:
        reasons[reason_of(store, recipe_id, newest, is_aside)] += count
    stale, missing = (sum(reasons[one] for one in group) for group in (STALE, MISSING))
    return Standing(**result.records[0], stale=stale, missing=missing)


def next_steps(now: Standing, newest: Newest | None, place: IndexPlace) -> list[Step]:
    """One for everything that waits for somebody, the most urgent first."""
    said = newest or Newest("", "LIBRARY", "")
    partial = "select uri, prompt_id, message from failures where action = 'kept_valid_part'"
    deleted = "select uri, created_at from commits_all where state = 'deleted' order by created_at desc"
    steps = (
        (now.unfinished, "left to the next run", said.again(place)),
        (now.released, "released, to be tried again", said.again(place)),
        (now.set_aside, "set aside; why, for one of them", place.command("explain", now.example or "")),
        (
            now.out_of_domain,
            "set aside for their model, which was not made for them; how so, for one of them",
            place.command("explain", now.example_out or ""),
        ),
        (now.partial, "without a whole answer", place.command("sql", partial)),
        (now.stale, "that would be answered otherwise now", said.again(place, "backfill", "--stale")),
        (now.missing, "never asked what is asked now", said.again(place, "backfill", "--missing")),
        (now.deleted, "gone from the library, rows hidden", place.command("sql", deleted)),
    )
    return [Step(f"{_videos(number)} {what}", command) for number, what, command in steps if number]


def _videos(number: int) -> str:
    return "1 video" if number == 1 else f"{number:,} videos"
