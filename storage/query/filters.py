"""What a hit must be, besides matching the words."""

import difflib
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from schemas.failures import UsageError
from storage.query.catalog import Catalog
from storage.query.date_kinds import DATE_SQL, DateKind
from storage.query.documents import hit_kinds

Params = dict[str, Any]

_LANGUAGES = """
SELECT DISTINCT language FROM (SELECT language FROM captions UNION SELECT language FROM speech)
WHERE language IS NOT NULL ORDER BY 1"""


FAR_MS = 1000  # of a scene's border from those of shots; a highlight may well begin within a shot
_DOUBTED = f"""
document NOT IN (
    SELECT d.document FROM documents AS d JOIN (
        SELECT analysis_key, table_name, row_index FROM claims
        WHERE table_name = 'scenes' AND greatest(start_off_ms, end_off_ms) > {FAR_MS}
        UNION
        SELECT analysis_key, table_name, row_index FROM unsupported_names()
        WHERE table_name <> 'appearances'
    ) AS c ON c.analysis_key = d.analysis_key AND c.table_name = d.kind AND c.row_index = d.row_index
)"""


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on a hit: of this table, in a video whose URI ends so, that was recorded (or what `by` says)
    on this day or at this instant or later, in a scene with all these tags, in this language (`pt` takes
    `pt-BR`, too); where `supported`, no row that shots, or what is said and written, speak against."""

    kind: str | None = None
    video: str | None = None
    since: date | None = None
    tags: tuple[str, ...] = ()
    by: DateKind = "recorded"
    language: str | None = None
    supported: bool = False


NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Condition:
    """Filters as SQL over the columns of `documents` that `vectors` has too; empty: all rows pass."""

    sql: str = ""
    params: Params = field(default_factory=dict)


ANYTHING = Condition()


def condition_of(catalog: Catalog, filters: Filters) -> Condition:
    """Return the filters as a condition in SQL. UsageError: a filter that nothing passes."""
    if filters.kind is not None:
        check_kind(catalog, filters.kind)
    if filters.video is not None:
        _check_video(catalog, filters.video)
    for tag in filters.tags:
        _check_tag(catalog, tag)
    if filters.language is not None:
        _check_language(catalog, filters.language)
    return condition_sql(filters)


def condition_sql(filters: Filters) -> Condition:
    """The filters as they are, whether anything passes them or not."""
    conditions: list[str] = []
    params: Params = {}
    if filters.kind is not None:
        conditions.append("kind = $kind")
        params["kind"] = filters.kind
    if filters.video is not None:
        conditions.append("ends_with(uri, $video)")
        params["video"] = filters.video
    if filters.since is not None:
        conditions.append(f"{DATE_SQL[filters.by]} >= $since")
        params["since"] = filters.since
    for n, tag in enumerate(filters.tags):
        conditions.append(
            "(analysis_key, scene_index) IN "
            f"(SELECT (analysis_key, scene_index) FROM scene_tags WHERE tag = lower($tag{n}))"
        )
        params[f"tag{n}"] = tag
    if filters.language is not None:
        conditions.append("(language = $language OR starts_with(language, $language || '-'))")
        params["language"] = filters.language
    if filters.supported:
        conditions.append(_DOUBTED)
    return Condition(" AND ".join(conditions), params)


def check_kind(catalog: Catalog, kind: str) -> None:
    """Check that a table is searched. UsageError: it is none of this index that is."""
    kinds = hit_kinds(catalog.own_tables)
    if kind not in kinds:
        raise UsageError(f"{kind!r} is no kind of hit here", f"Kinds are {', '.join(kinds)}.")


def _check_video(catalog: Catalog, ending: str) -> None:
    if not catalog.query("FROM videos WHERE ends_with(uri, ?) LIMIT 1", [ending]).rows:
        hint = "`media-index sql 'select uri from videos'` lists them."
        raise UsageError(f"no video's URI ends with {ending!r}", hint)


def _check_language(catalog: Catalog, language: str) -> None:
    found = catalog.query(_LANGUAGES).rows
    known = [tag for (tag,) in found]
    if not any(tag == language or tag.startswith(f"{language}-") for tag in known):
        hint = f"Languages are {', '.join(known)}." if known else "No row of this index says its language."
        raise UsageError(f"no row is in language {language!r}", hint)


def _check_tag(catalog: Catalog, tag: str) -> None:
    if catalog.query("FROM scene_tags WHERE tag = lower(?) LIMIT 1", [tag]).rows:
        return
    common = "SELECT tag FROM scene_tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT 10000"
    tags = [row[0] for row in catalog.query(common).rows]
    close = difflib.get_close_matches(tag.lower(), tags, n=3) or tags[:5]
    raise UsageError(
        f"no scene has the tag {tag!r}", f"Tags are, for example: {', '.join(close) or 'none yet'}."
    )
