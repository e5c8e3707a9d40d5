"""One video's rows, and what the start page says of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from jobs.ui.made_by import MadeBy
from jobs.web.support import Claim, Support, read_support
from schemas.failures import UsageError
from schemas.identity import VideoId
from storage.library.playback import IndexedObject
from storage.query.catalog import Catalog
from storage.sql import quote_name

Record = dict[str, Any]  # a row of the index by column, for templates and JSON

_ORDER = {
    "scenes": "start_ms, scene_index",
    "characters": "first_seen_ms, character_id",
    "appearances": "start_ms, character_id",
    "highlights": "rank",
    "chapters": "start_ms, chapter",
    "shots": "start_ms, shot_index",
    "cues": "start_ms, kind",
    "screen_text": "start_ms, line",
    "failures": "created_at",
}
_TOTALS = """
SELECT count(*) AS num_videos, coalesce(sum(duration_ms), 0)::BIGINT AS duration_ms,
    (SELECT count(*) FROM scenes) AS "Scenes", (SELECT count(*) FROM highlights) AS "Highlights",
    (SELECT count(*) FROM characters) AS "Characters", (SELECT count(*) FROM shots) AS "Shots",
    (SELECT count(*) FROM captions) + (SELECT count(*) FROM speech) AS "Lines said",
    (SELECT count(*) FROM screen_text) AS "Lines on screen"
FROM videos"""
_TAGS = """
SELECT lower(tag) AS tag FROM (SELECT unnest(tags) AS tag FROM scenes) WHERE tag <> ''
GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 24"""

_MODELS = """
SELECT model_id, model_revision FROM videos WHERE model_id IS NOT NULL GROUP BY ALL
ORDER BY count(*) DESC, model_id, model_revision"""


@dataclass(frozen=True, slots=True)
class Overview:
    """The content of the index in numbers."""

    num_videos: int
    duration_ms: int
    counts: Mapping[str, int]  # rows that there are, by what people call them; none of what is not there
    tags: tuple[str, ...]  # the most frequent
    models: tuple[MadeBy, ...]  # those that wrote the rows, the most frequent first


@dataclass(frozen=True, slots=True)
class VideoRows:
    """All current rows of one video; `tables` by name, those that prompt packs brought included."""

    video: Record
    tables: dict[str, list[Record]]
    run: Record | None  # the one that made the video's row
    support: Mapping[Claim, Support] = field(default_factory=dict)  # by table, and number or id of the row

    @property
    def media(self) -> IndexedObject:
        """The object that the rows were made from."""
        return media_of(self.video)

    @property
    def models(self) -> list[MadeBy]:
        """The models that described any of it; what is measured is not described."""
        rows = chain([self.video], *self.tables.values())
        found = (row for row in rows if row.get("model_id") and "signal_id" not in row)
        return list(dict.fromkeys(MadeBy(row["model_id"], row["model_revision"]) for row in found))


def read_overview(catalog: Catalog) -> Overview:
    """Read what the start page shows: totals, tags and models."""
    (totals,) = catalog.query(_TOTALS).records
    tags = tuple(tag for (tag,) in catalog.query(_TAGS).rows)
    models = tuple(MadeBy(*row) for row in catalog.query(_MODELS).rows)
    num_videos, duration_ms = totals.pop("num_videos"), totals.pop("duration_ms")
    counts = {name: count for name, count in totals.items() if count}
    return Overview(num_videos, duration_ms, counts, tags, models)


def read_shown(catalog: Catalog, video_ids: Sequence[VideoId]) -> dict[str, Record]:
    """Read how long each video is, and the analysis whose rows are shown."""
    query = "SELECT video_id, duration_ms, analysis_key FROM videos WHERE list_contains(?, video_id)"
    return {row["video_id"]: row for row in catalog.query(query, [list(video_ids)]).records}


def read_video(catalog: Catalog, video_id: VideoId) -> Record | None:
    """The row in `videos`; None: no such video in the index."""
    rows = _select(catalog, "videos", video_id, "uri")
    return rows[0] if rows else None


def read_video_rows(catalog: Catalog, video_id: VideoId) -> VideoRows | None:
    """Read everything about one video; None: not in the index."""
    video = read_video(catalog, video_id)
    if video is None:
        return None
    order = dict(_ORDER)
    for table, columns in catalog.own_tables.items():
        order[table] = "start_ms" if "start_ms" in columns else "created_at"
    tables = {table: _select(catalog, table, video_id, by) for table, by in order.items()}
    runs = catalog.query("SELECT * FROM runs WHERE run_id = ?", [video["run_id"]]).records
    support = read_support(catalog, video_id) if any(tables[one] for one in ("scenes", "highlights")) else {}
    return VideoRows(video, tables, runs[0] if runs else None, support)


def media_of(video: Record) -> IndexedObject:
    """Return the object that a row of `videos` was made of."""
    return IndexedObject(video["uri"], video["object_rev"], video["etag"], video["version_id"])


def _select(catalog: Catalog, table: str, video_id: VideoId, order: str) -> list[Record]:
    """`table` and `order` are the index's own names."""
    try:
        query = f"SELECT * FROM {quote_name(table)} WHERE video_id = ? ORDER BY {order}"
        return catalog.query(query, [video_id]).records
    except UsageError as error:  # our SQL: the index itself is odd
        raise RuntimeError(error.message) from error
