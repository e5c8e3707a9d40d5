"""What the search form asks, and the hits: the one place here that knows storage.search."""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from typing import get_args

from schemas.failures import UsageError
from storage.catalog import Catalog
from storage.search import HitKind, search

KINDS: tuple[str, ...] = get_args(HitKind)
MAX_TEXT = 1000  # characters of a query
MAX_HITS = 500  # reachable by leafing
_FILTERED_FROM = 5000  # best hits that the filters see

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
    most = _FILTERED_FROM if wanted.is_filtered else offset + k
    hits = search(catalog, wanted.text, most, wanted.kind)
    if wanted.is_filtered:
        passing = _passing(catalog, wanted)
        hits = [hit for hit in hits if (hit.kind, hit.video_id, hit.start_ms, hit.title) in passing]
    terms = frozenset(_terms(wanted.text))
    return [
        Found(
            kind=hit.kind,
            video_id=hit.video_id,
            uri=hit.uri,
            start_ms=hit.start_ms,
            end_ms=hit.end_ms,
            title=_mark(hit.title, terms),
            text=_mark(hit.text, terms),
            score=hit.score,
        )
        for hit in hits[offset : offset + k]
    ]


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


def _passing(catalog: Catalog, wanted: Wanted) -> set[tuple[str, str, int | None, str]]:
    """What identifies the rows that pass the filters."""
    kinds = (wanted.kind,) if wanted.kind else KINDS
    return {
        (row.kind, row.video_id, row.start_ms, row.title[0].text)
        for kind in kinds
        for row in _browse(catalog, replace(wanted, kind=kind), 1_000_000)
    }


def _terms(text: str) -> list[str]:
    return re.findall(r"\w+", _plain(text))


def _plain(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


def _mark(text: str, terms: frozenset[str]) -> tuple[Piece, ...]:
    parts = re.split(r"(\w+)", text)
    return tuple(Piece(part, _plain(part) in terms) for part in parts if part)
