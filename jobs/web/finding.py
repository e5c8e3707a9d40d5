"""What the search form asks, and the hits: the one place here that knows storage.search."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from schemas.failures import UsageError
from storage.catalog import Catalog
from storage.documents import HIT_KINDS
from storage.matches import Span
from storage.search import Filters, Hit, search

KINDS = HIT_KINDS
MAX_TEXT = 1000  # characters of a query
MAX_HITS = 500  # reachable by leafing

# Rows without a search text, newest video first. The literals are columns of ours, never input.
_BROWSE = """
SELECT '{kind}' AS kind, video_id, v.uri, {start} AS start_ms, {end} AS end_ms,
    coalesce({title}, regexp_extract(v.uri, '[^/]*$')) AS title, coalesce({text}, '') AS text
FROM {table} AS t JOIN videos AS v USING (video_id)
WHERE ($video IS NULL OR ends_with(v.uri, $video)) AND ($since IS NULL OR v.modified_at >= $since)
    AND ($tag IS NULL OR {has_tag})
ORDER BY {first} v.modified_at DESC, v.uri, start_ms LIMIT $k"""
_COLUMNS = {
    "videos": ("NULL::BIGINT", "NULL::BIGINT", "v.title", "v.summary", ""),
    "scenes": ("t.start_ms", "t.end_ms", "t.title", "t.summary", ""),
    "highlights": ("t.start_ms", "t.end_ms", "t.title", "t.reason", "t.score DESC,"),
    "characters": ("t.first_seen_ms", "t.last_seen_ms", "t.label", "t.description", ""),
}
_TAGGED = {
    "videos": "false",  # scenes have tags, and what lies in a scene
    "scenes": "list_contains(list_transform(t.tags, lambda x: lower(x)), lower($tag))",
    "highlights": """(video_id, t.scene_index) IN (SELECT (video_id, scene_index) FROM scenes
        WHERE list_contains(list_transform(tags, lambda x: lower(x)), lower($tag)))""",
    "characters": "false",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The form's fields; `video` is how the URI ends, `since` the file's modification date (UTC)."""

    text: str = ""
    kind: str | None = None
    video: str | None = None
    tag: str | None = None
    since: date | None = None

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
    start_ms: int | None
    end_ms: int | None
    title: tuple[Piece, ...]
    text: tuple[Piece, ...]
    score: float | None

    @property
    def middle_ms(self) -> int | None:
        if self.start_ms is None or self.end_ms is None:
            return self.start_ms
        return (self.start_ms + self.end_ms) // 2


def find(catalog: Catalog, wanted: Wanted, offset: int, k: int) -> list[Found]:
    """Hits `offset` to `offset + k`, best first; without words the rows that pass the filters.

    UsageError: no word in the text, a text that is too long, an unknown kind.
    """
    if len(wanted.text) > MAX_TEXT:
        raise UsageError(
            f"the search text has {len(wanted.text):,} characters",
            f"{MAX_TEXT:,} are the most; a few words do.",
        )
    if wanted.kind is not None and wanted.kind not in KINDS:
        raise UsageError(f"{wanted.kind!r} is no kind of hit", f"Kinds are {', '.join(KINDS)}.")
    if not wanted.text:
        return _browse(catalog, wanted, offset + k)[offset:]
    tags = (wanted.tag,) if wanted.tag else ()
    filters = Filters(wanted.kind, wanted.video, wanted.since, tags)
    return [_found(hit) for hit in search(catalog, wanted.text, offset + k, filters)[offset:]]


def _found(hit: Hit) -> Found:
    return Found(
        kind=hit.kind,
        video_id=hit.video_id,
        uri=hit.uri,
        start_ms=hit.start_ms,
        end_ms=hit.end_ms,
        title=_pieces(hit.title, hit.title_matches),
        text=_pieces(hit.text, hit.text_matches),
        score=hit.score,
    )


def _pieces(text: str, matches: tuple[Span, ...]) -> tuple[Piece, ...]:
    borders = [0, *(border for match in matches for border in match), len(text)]
    parts = [text[start:end] for start, end in pairwise(borders)]
    return tuple(Piece(part, bool(number % 2)) for number, part in enumerate(parts) if part)


def _browse(catalog: Catalog, wanted: Wanted, k: int) -> list[Found]:
    kind = wanted.kind or ("scenes" if wanted.tag else "videos")
    start, end, title, text, first = _COLUMNS[kind]
    sql = _BROWSE.format(
        kind=kind,
        table=kind,
        start=start,
        end=end,
        title=title,
        text=text,
        first=first,
        has_tag=_TAGGED[kind],
    )
    params = {"video": wanted.video, "since": wanted.since, "tag": wanted.tag, "k": k}
    rows = catalog.query(sql, params).rows
    return [
        Found(kind, video_id, uri, start_ms, end_ms, (Piece(title, False),), (Piece(text, False),), None)
        for kind, video_id, uri, start_ms, end_ms, title, text in rows
    ]
