"""What is left to do in an index, and the command for each: shared by `status` and `report`."""

from dataclasses import dataclass

from jobs.next_command import Place
from storage.catalog import Catalog

_STANDING = """
WITH latest AS (
    SELECT video_id, max_by(state, snapshot) AS state, max_by(uri, snapshot) AS uri,
        max_by(recipe_id, snapshot) AS recipe_id
    FROM commits_all GROUP BY video_id
),
last_run AS (SELECT max_by(recipe_id, run_id) AS recipe_id, max_by(library, run_id) AS library,
    max_by(settings_json, run_id) AS settings_json FROM runs)
SELECT
    count(*) FILTER (state = 'rows') AS indexed,
    count(*) FILTER (state = 'quarantined') AS set_aside,
    count(*) FILTER (state = 'deleted') AS deleted,
    count(*) FILTER (state = 'released') AS released,
    count(*) FILTER (state = 'rows' AND recipe_id <> (SELECT recipe_id FROM last_run)) AS stale,
    (SELECT count(*) FROM videos WHERE is_partial) AS partial,
    (SELECT count(DISTINCT video_id) FROM failures WHERE action = 'next_run') AS unfinished,
    max(struct_pack(uri, video_id)) FILTER (state = 'quarantined') AS example,
    (SELECT recipe_id FROM last_run) AS recipe_id,
    (SELECT library FROM last_run) AS library,
    (SELECT settings_json FROM last_run) AS settings_json
FROM latest"""


@dataclass(frozen=True)
class Standing:
    """How many videos of the index are in which state now."""

    indexed: int
    set_aside: int
    deleted: int
    released: int
    stale: int  # rows under another recipe than the newest run's
    partial: int
    unfinished: int
    example: dict[str, str] | None  # uri and video_id of one that is set aside
    recipe_id: str | None  # this and the next two are the newest run's
    library: str | None
    settings_json: str | None


@dataclass(frozen=True)
class Step:
    """Something that is not as it should be, and the command to go on with."""

    what: str
    command: str


def read_standing(catalog: Catalog) -> Standing:
    """Counts over the whole index, whatever run they come from."""
    result = catalog.query(_STANDING)
    return Standing(**dict(zip(result.columns, result.rows[0], strict=True)))


def next_steps(now: Standing, place: Place) -> list[Step]:
    """One for everything that waits for somebody, the most urgent first."""

    def again(verb: str = "run") -> str:
        return place.again(now.settings_json or "", now.library or "LIBRARY", verb)

    steps = []
    if now.unfinished:
        steps.append(Step(f"{_videos(now.unfinished)} left to the next run", again()))
    if now.released:
        steps.append(Step(f"{_videos(now.released)} released, to be tried again", again()))
    if now.set_aside and now.example:
        why = place.about("explain", **now.example)
        steps.append(Step(f"{_videos(now.set_aside)} set aside; why, for one of them", why))
    if now.partial:
        query = "select uri, prompt_id, message from failures where action = 'kept_valid_part'"
        steps.append(Step(f"{_videos(now.partial)} without a whole answer", place.command("sql", query)))
    if now.stale:
        steps.append(
            Step(
                f"{_videos(now.stale)} under another recipe than the newest run's",
                again("backfill") + " --stale",
            )
        )
    if now.deleted:
        query = "select uri, created_at from commits_all where state = 'deleted' order by created_at desc"
        steps.append(
            Step(f"{_videos(now.deleted)} gone from the library, rows hidden", place.command("sql", query))
        )
    return steps


def _videos(number: int) -> str:
    return "1 video" if number == 1 else f"{number:,} videos"
