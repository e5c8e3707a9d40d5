"""The templates, and how times, sizes and texts are written in them."""

from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from jobs.ui.terminal import timecode
from jobs.ui.words import file_name, megabytes, printable
from jobs.web.finding import pieces, row_of

_FOLDER = Path(__file__).parent
STATIC = _FOLDER / "static"


def show(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page; whatever is in `values` is escaped."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(values), status)


def clock(ms: int) -> str:
    """`2:03` or `1:02:03`, rounded down."""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def duration(ms: int) -> str:
    """`45 s`, `12 min` or `3.2 h`."""
    if ms < 60_000:
        return f"{ms / 1000:.0f} s"
    return f"{ms / 60_000:.0f} min" if ms < 3_600_000 else f"{ms / 3_600_000:,.1f} h"


def seconds(ms: int) -> str:
    """As links have it: `?t=12.0`, no digit more than needed."""
    text = f"{ms / 1000:.3f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def link(path: str, **query: object) -> str:
    """An address of ours with the values that are given."""
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def picture_link(video_id: str, at_ms: int | None, row: str | None = None, of: str | None = None) -> str:
    """Of a row such as `scenes-3`, of a moment, or of the video as a whole; while `of` is its analysis."""
    return link(f"/picture/{video_id}/{'poster' if at_ms is None else at_ms}", row=row, of=of)


def _environment() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(_FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: printable(value) if type(value) is str else value,  # not what is HTML already
    )
    templates.filters |= {
        "clock": clock,
        "timecode": timecode,
        "duration": duration,
        "file_name": file_name,
        "seconds": seconds,
        "megabytes": megabytes,
        "day": day,
    }
    templates.globals |= {"link": link, "picture_link": picture_link, "pieces": pieces, "row_of": row_of}
    return templates


_TEMPLATES = _environment()
