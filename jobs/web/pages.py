"""The HTML pages: search with its results, one video, and errors."""

from collections.abc import Iterable
from datetime import date

from starlette.datastructures import QueryParams
from starlette.responses import HTMLResponse

from jobs.ui.made_by import MadeBy, notes_on
from jobs.ui.player_clock import player_start
from jobs.web.finding import MAX_HITS, Wanted, find, model_of
from jobs.web.guards import content_policy
from jobs.web.looks import show
from jobs.web.media import check_served
from jobs.web.open_index import OpenIndex
from jobs.web.pictures import StoredPictures
from jobs.web.strip import read_strip
from jobs.web.timeline import lay_out
from jobs.web.transcript import HEARD, read_transcript, track_name
from jobs.web.videos import (
    Overview,
    Record,
    VideoRows,
    read_overview,
    read_shown,
    read_video_rows,
)
from schemas.failures import MediaIndexError, UsageError
from schemas.identity import VideoId
from schemas.measured import Measured
from schemas.tables import Appearance, Timed
from storage.library.playback import find_file, link_origin
from storage.query.catalog import Catalog
from storage.query.date_kinds import DATE_KINDS, DateKind
from storage.query.documents import hit_kinds

PAGE_SIZE = 24
# Tables whose rows have pictures on the page.
_PICTURED = {"scenes": "scene_index", "highlights": "rank", "shots": "shot_index"}
# Shown apart from what was said.
_LINEAGE = frozenset({*Timed.model_fields, *Appearance.model_fields, *Measured.model_fields})


class Pages:
    """Pages over one index. `library`: only videos in it are played; None: all."""

    def __init__(self, index: OpenIndex, library: str | None, stored: StoredPictures) -> None:
        self._index = index
        self._library = library
        self._stored = stored
        self._overview: tuple[int, Overview] | None = None  # its queries read whole columns: once a snapshot

    def search(self, params: QueryParams) -> HTMLResponse:
        """The start page, and hits where something is asked. A wrong filter is told on the page."""
        page = number(params, "page", 0, MAX_HITS // PAGE_SIZE)
        problem, found, wanted = None, [], Wanted(text=params.get("q", "").strip())
        with self._index.reading() as catalog:
            overview = self._read_overview(catalog)
            try:
                wanted = read_form(params)
                found = find(catalog, wanted, page * PAGE_SIZE, PAGE_SIZE + 1)
            except UsageError as error:
                problem = error
            kinds = hit_kinds(catalog.own_tables)
            videos = read_shown(catalog, [hit.video_id for hit in found])
            self._stored.expect(
                (hit.video_id, hit.kind, hit.row_index) for hit in found if hit.row_index is not None
            )
        hits = found[:PAGE_SIZE]
        models: Iterable[MadeBy] = overview.models
        if wanted.is_anything:
            models = dict.fromkeys(model_of(hit) for hit in hits if hit.model_id)
        return show(
            "search.html",
            status=400 if problem else 200,
            wanted=wanted,
            kinds=kinds,
            hits=hits,
            page=page,
            page_size=PAGE_SIZE,
            has_more=len(found) > PAGE_SIZE,
            videos=videos,
            problem=problem,
            overview=overview,
            date_kinds=DATE_KINDS,
            models=list(models),
            notes=notes_on(models),
        )

    def video(self, video_id: VideoId, params: QueryParams) -> HTMLResponse | None:
        """One video; None: not in the index."""
        with self._index.reading() as catalog:
            rows = read_video_rows(catalog, video_id)
            if rows is None:
                return None
            track = params.get("track", "")
            is_number = track.isascii() and track.isdigit() and len(track) < 6
            wanted = HEARD if track == str(HEARD) else int(track) if is_number else None
            transcript = read_transcript(catalog, video_id, wanted)
            strip = read_strip(catalog, rows.video)
            for table, index in _PICTURED.items():
                self._stored.expect((video_id, table, row[index]) for row in rows.tables.get(table, []))
        problem, origin = self._look_at_media(rows)
        response = show(
            "video.html",
            rows=rows,
            video=rows.video,
            characters={row["character_id"]: row["label"] for row in rows.tables["characters"]},
            timeline=lay_out(rows),
            strip=strip,
            transcript=transcript,
            track_name=track_name,
            lineage_columns=_LINEAGE,
            start_ms=min(moment_ms(params), max(0, rows.video["duration_ms"] - 1)),
            offset_ms=_player_start(rows.video),
            models=rows.models,
            notes=notes_on(rows.models),
            problem=problem,
            wanted=Wanted(),
        )
        response.headers["Content-Security-Policy"] = content_policy(origin)
        return response

    def _look_at_media(self, rows: VideoRows) -> tuple[MediaIndexError | None, str]:
        """Why the player will stay dark, as far as that is known before it starts; where it may load from."""
        media = rows.media
        try:
            check_served(media, self._library)
            if media.is_local:
                find_file(media)
                return None, ""
            return None, link_origin(media.uri, self._index.endpoint_url)
        except MediaIndexError as error:
            return error, ""

    def _read_overview(self, catalog: Catalog) -> Overview:
        snapshot = catalog.snapshot.number if catalog.snapshot else 0
        if self._overview is None or self._overview[0] != snapshot:
            self._overview = snapshot, read_overview(catalog)
        return self._overview[1]


def _player_start(video: Record) -> int:
    return player_start(video["player_start_ms"], video["container"], video["container_start_ms"])


def read_form(params: QueryParams) -> Wanted:
    """Read what a search form says. UsageError: no date where one is expected."""
    since = params.get("since", "").strip()
    try:
        day = date.fromisoformat(since) if since else None
    except ValueError:
        raise UsageError(f"{since[:40]!r} is no date", "Write it as 2026-11-21.") from None
    return Wanted(
        text=params.get("q", "").strip(),
        kind=params.get("kind") or None,
        video=params.get("video", "").strip() or None,
        tag=params.get("tag", "").strip() or None,
        since=day,
        by=_date_kind(params.get("by", "")),
    )


def _date_kind(text: str) -> DateKind:
    """What is no date of a video counts as not given."""
    return next((kind for kind in DATE_KINDS if kind == text), DATE_KINDS[0])


def number(params: QueryParams, name: str, otherwise: int, most: int) -> int:
    """A whole number from the address, at least 0; nonsense counts as not given."""
    text = params.get(name, "")
    return min(int(text), most) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def moment_ms(params: QueryParams) -> int:
    """Return `?t=12.5` in milliseconds; nonsense counts as the start."""
    text = params.get("t", "")
    whole, _, part = text.partition(".")
    if not (text.isascii() and len(text) < 16 and whole.isdigit() and (part or "0").isdigit()):
        return 0
    return round(float(text) * 1000)
