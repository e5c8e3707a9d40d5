"""The same data as JSON, for programs: /api/search and /api/videos/<id>."""

from dataclasses import asdict
from typing import Any

from starlette.datastructures import QueryParams
from starlette.responses import Response

from jobs.ui.made_by import notes_on
from jobs.ui.terminal import to_json
from jobs.web.finding import MAX_HITS, find, model_of, row_of
from jobs.web.looks import link, link_seconds, picture_link
from jobs.web.open_index import OpenIndex
from jobs.web.pages import number, read_form
from jobs.web.videos import Record, read_shown, read_video_rows
from schemas.identity import VideoId
from storage.query.search import Hit


def search(index: OpenIndex, params: QueryParams) -> Response:
    """Hits best first. UsageError: as `find`."""
    wanted = read_form(params)
    limit = max(1, number(params, "limit", 20, MAX_HITS))
    with index.reading() as catalog:
        hits = find(catalog, wanted, 0, limit)
        videos = read_shown(catalog, [hit.video_id for hit in hits])
    return answer({"query": wanted, "hits": [_hit(hit, videos.get(hit.video_id, {})) for hit in hits]})


def video(index: OpenIndex, video_id: VideoId) -> Response | None:
    """All rows of one video as the tables have them; None: not in the index."""
    with index.reading() as catalog:
        rows = read_video_rows(catalog, video_id)
    if rows is None:
        return None
    notes = notes_on(rows.models)
    claims = [{"table": table, "row": row, **asdict(one)} for (table, row), one in rows.support.items()]
    told = {"run": rows.run, "model_notes": notes, "claims": claims}
    return answer({"video": rows.video, **rows.tables, **told})


def answer(value: Any, status: int = 200) -> Response:
    """Return a response whose body is the value as JSON."""
    return Response(to_json(value), status, media_type="application/json")


def _hit(hit: Hit, video: Record) -> dict[str, Any]:
    at = None if hit.start_ms is None else link_seconds(hit.start_ms)
    return {
        "kind": hit.kind,
        "video_id": hit.video_id,
        "uri": hit.uri,
        "start_ms": hit.start_ms,
        "end_ms": hit.end_ms,
        "title": hit.title,
        "text": hit.text,
        "score": hit.score,
        "recorded_at": hit.recorded_at,
        "modified_at": hit.modified_at,
        "indexed_at": hit.indexed_at,
        "model_id": hit.model_id,
        "model_revision": hit.model_revision,
        "model_note": model_of(hit).note,
        "picture": picture_link(hit.video_id, hit.middle_ms, row_of(hit), video.get("analysis_key")),
        "url": link(f"/video/{hit.video_id}", t=at),
    }
