"""One HTML file that needs nothing else: no network, no scripts, pictures and styles inside."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from jobs.report.content import read_section
from jobs.report.period import Period
from jobs.report.plots import Series, bar, growing_areas, share_columns, stacked_columns
from jobs.report.records import Report, Timeline
from jobs.report.words import hours, moment, percent, seconds, short
from jobs.terminal import timecode
from jobs.web.looks import file_name, megabytes, printable
from storage.catalog import Catalog

OUTCOMES = ("indexed", "partial", "quarantined", "next_run")
MAX_PICTURE_BYTES = 100_000
_STARTS = {"image/jpeg": b"\xff\xd8", "image/png": b"\x89PNG", "image/webp": b"RIFF"}
MAX_RUNS, MAX_GROUPS = 100, 50  # in the page; all are in --json


@dataclass(frozen=True)
class Tile:
    """One picture of the contact sheet; without `source` a placeholder is drawn."""

    uri: str
    video_id: str
    title: str
    scene_title: str
    at: str
    created_at: datetime
    source: str | None


def read_tiles(catalog: Catalog, period: Period) -> list[Tile]:
    """The first scenes of the newest videos."""
    rows = read_section(
        catalog, "pictures", first=period.first, last=period.last, most_bytes=MAX_PICTURE_BYTES
    )
    return [_tile(**row) for row in rows]


def _tile(
    uri: str,
    video_id: str,
    title: str | None,
    duration_ms: int,
    created_at: datetime,
    scene_title: str | None,
    at_ms: int | None,
    media_type: str | None,
    image: bytes | None,
) -> Tile:
    is_picture = bool(image) and bytes(image or b"").startswith(_STARTS.get(media_type or "", b"\0none"))
    source = f"data:{media_type};base64,{base64.b64encode(image or b'').decode()}" if is_picture else None
    at = f"{timecode(at_ms or 0)} of {timecode(duration_ms)}"
    return Tile(uri, video_id, title or file_name(uri), scene_title or "", at, created_at, source)


def report_page(report: Report, tiles: Sequence[Tile]) -> str:
    """The whole file. Whatever comes from videos is escaped, cut to a readable length and set apart."""
    return _TEMPLATES.get_template("report.html").render(
        report=report,
        tiles=tiles,
        progress=_progress(report),
        busy=_busy(report.timeline),
        version=version("media-index"),
        max_runs=MAX_RUNS,
        max_groups=MAX_GROUPS,
    )


def _progress(report: Report) -> Markup | None:
    """Of one run how far it was when; of several how much each stretch of time brought."""
    timeline = report.timeline
    series = [Series(name, tuple(getattr(b, name) for b in timeline.buckets)) for name in OUTCOMES]
    if not any(sum(one.values) for one in series):
        return None
    times = [bucket.at for bucket in timeline.buckets]
    about = ", ".join(f"{sum(one.values):,} {one.name}" for one in series)
    if report.since is None:
        return growing_areas(series, times, f"Videos over time: {about}", report.runs[-1].num_planned)
    return stacked_columns(series, times, f"Videos over time: {about}")


def _busy(timeline: Timeline) -> Markup | None:
    if not timeline.busy_capacity_s:
        return None
    shares = [bucket.busy_seconds / timeline.busy_capacity_s for bucket in timeline.buckets]
    mean = sum(shares) / len(shares)
    return share_columns(
        "busy", shares, [b.at for b in timeline.buckets], f"Busy over time, {mean:.0%} on average"
    )


def _safe(value: Any) -> Any:
    """Text from outside; what is HTML already stays."""
    return short(value) if type(value) is str else value


def _whole(text: str) -> Markup:
    """What is of no use when it is cut: commands, pictures."""
    return escape(printable(text))


def _environment() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_safe,
    )
    templates.filters |= {
        "file_name": file_name,
        "megabytes": megabytes,
        "moment": moment,
        "seconds": seconds,
        "hours": hours,
        "percent": percent,
        "whole": _whole,
    }
    templates.globals |= {"bar": bar}
    return templates


_TEMPLATES = _environment()
