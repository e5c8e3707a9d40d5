"""The templates, and how times, sizes and texts are written in them."""

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.responses import HTMLResponse

from jobs.ui.templates import templates_in
from jobs.ui.words import printable
from jobs.web.finding import pieces, row_of
from schemas.identity import VideoId

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"


def show(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; whatever is in `values` is escaped."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(values), status)


def link_seconds(ms: int) -> str:
    """Seconds as links have them: `?t=12.0`, no digit more than needed."""
    text = f"{ms / 1000:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def day(moment: datetime) -> str:
    """Return the date of a moment, as `2026-11-30`."""
    return f"{moment:%Y-%m-%d}"


def link(path: str, **query: object) -> str:
    """An address of ours with the values that are given."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def picture_link(video_id: VideoId, at_ms: int | None, row: str | None = None, of: str | None = None) -> str:
    """A link to the picture of a row (`scenes-3`), a moment or a video; while `of` is its analysis."""
    return link(f"/picture/{video_id}/{'poster' if at_ms is None else at_ms}", row=row, of=of)


_TEMPLATES = templates_in(_FOLDER / "templates", printable)
_TEMPLATES.filters |= {"link_seconds": link_seconds, "day": day}
_TEMPLATES.globals |= {"link": link, "picture_link": picture_link, "pieces": pieces, "row_of": row_of}
