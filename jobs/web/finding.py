"""What the search form asks, and the hits: the one place here that knows storage.query.search."""

from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from jobs.ui.made_by import MadeBy
from schemas.failures import UsageError
from storage.query.catalog import Catalog
from storage.query.date_kinds import DATE_SQL, DateKind
from storage.query.documents import document_query
from storage.query.filters import Filters, check_kind
from storage.query.matches import Span
from storage.query.search import Hit, search

MAX_TEXT = 1000  # characters of a query
MAX_HITS = 500  # reachable by leafing

# Rows without a search text, newest video first; of highlights the best come first.
_BROWSE = """
SELECT kind, d.video_id, v.uri, row_index, start_ms, end_ms, d.title, text, v.recorded_at, v.modified_at,
    v.indexed_at, d.model_id, d.model_revision
FROM ({rows}) AS d
JOIN (SELECT *, created_at AS indexed_at FROM videos) AS v USING (analysis_key)
WHERE ($video IS NULL OR ends_with(v.uri, $video)) AND ($since IS NULL OR {date} >= $since)
    AND ($tag IS NULL OR (analysis_key, scene_index) IN
        (SELECT (analysis_key, scene_index) FROM scene_tags WHERE tag = lower($tag)))
ORDER BY {first} {date} DESC, v.uri, start_ms, row_index LIMIT $k"""
_BEST_FIRST = {
    "highlights": "(SELECT max(score) FROM highlights AS h "
    "WHERE h.analysis_key = d.analysis_key AND h.rank = d.row_index) DESC,"
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form's fields; `video` is how the URI ends, `since` a day (UTC) of the date that `by` says."""

    text: str = ""
    kind: str | None = None
    video: str | None = None
    tag: str | None = None
    since: date | None = None
    by: DateKind = "recorded"

    @property
    def is_filtered(self) -> bool:
        return any((self.video, self.tag, self.since))

    @property
    def is_anything(self) -> bool:
        return bool(self.text or self.kind or self.is_filtered)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a hit's text; matches are shown marked."""

    text: str
    is_match: bool


@dataclass(frozen=True, slots=True)
class Found:
    """One hit. A video as a whole has no times, nor has a character in no scene. `score`: None if browsed."""

    kind: str
    video_id: str
    uri: str
    row_index: int | None  # as in `keyframes`
    start_ms: int | None
    end_ms: int | None
    title: tuple[Piece, ...]
    text: tuple[Piece, ...]
    score: float | None
    recorded_at: datetime | None  # the video's, as the file says
    modified_at: datetime
    indexed_at: datetime
    model: MadeBy  # who wrote the row

    @property
    def middle_ms(self) -> int | None:
        if self.start_ms is None or self.end_ms is None:
            return self.start_ms
        return (self.start_ms + self.end_ms) // 2

    @property
    def row(self) -> str | None:
        """The row as pictures' addresses name it."""
        return None if self.row_index is None else f"{self.kind}-{self.row_index}"


def find(catalog: Catalog, wanted: Wanted, offset: int, k: int) -> list[Found]:
    """Hits `offset` to `offset + k`, best first; without words the rows that pass the filters.

    UsageError: no word in the text, a text that is too long, an unknown kind.
    """
    if len(wanted.text) > MAX_TEXT:
        raise UsageError(
            f"the search text has {len(wanted.text):,} characters",
            f"{MAX_TEXT:,} are the most; a few words do.",
        )
    if wanted.kind is not None:
        check_kind(catalog, wanted.kind)
    if not wanted.text:
        return _browse(catalog, wanted, offset + k)[offset:]
    tags = (wanted.tag,) if wanted.tag else ()
    filters = Filters(wanted.kind, wanted.video, wanted.since, tags, wanted.by)
    return [_found(hit) for hit in search(catalog, wanted.text, offset + k, filters)[offset:]]


def _found(hit: Hit) -> Found:
    return Found(
        kind=hit.kind,
        video_id=hit.video_id,
        uri=hit.uri,
        row_index=hit.row_index,
        start_ms=hit.start_ms,
        end_ms=hit.end_ms,
        title=_pieces(hit.title, hit.title_matches),
        text=_pieces(hit.text, hit.text_matches),
        score=hit.score,
        recorded_at=hit.recorded_at,
        modified_at=hit.modified_at,
        indexed_at=hit.indexed_at,
        model=MadeBy(hit.model_id, hit.model_revision),
    )


def _pieces(text: str, matches: tuple[Span, ...]) -> tuple[Piece, ...]:
    borders = [0, *(border for match in matches for border in match), len(text)]
    parts = [text[start:end] for start, end in pairwise(borders)]
    return tuple(Piece(part, bool(number % 2)) for number, part in enumerate(parts) if part)


def _browse(catalog: Catalog, wanted: Wanted, k: int) -> list[Found]:
    kind = wanted.kind or ("scenes" if wanted.tag else "videos")
    rows = document_query(kind, "main", catalog.own_tables)
    sql = _BROWSE.format(rows=rows, first=_BEST_FIRST.get(kind, ""), date=DATE_SQL[wanted.by])
    params = {"video": wanted.video, "since": wanted.since, "tag": wanted.tag, "k": k}
    return [_browsed(row) for row in catalog.query(sql, params).rows]


def _browsed(row: tuple[Any, ...]) -> Found:
    kind, video_id, uri, row_index, start_ms, end_ms, title, text, *dates, model_id, revision = row
    recorded_at, modified_at, indexed_at = dates
    return Found(
        kind=kind,
        video_id=video_id,
        uri=uri,
        row_index=row_index,
        start_ms=start_ms,
        end_ms=end_ms,
        title=_pieces(title, ()),
        text=_pieces(text, ()),
        score=None,
        recorded_at=recorded_at,
        modified_at=modified_at,
        indexed_at=indexed_at,
        model=MadeBy(model_id, revision),
    )
