"""One HTML file that needs nothing else: no network, no scripts, pictures and styles inside."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from jobs.reports.report.content import read_section
from jobs.reports.report.period import Period
from jobs.reports.report.plots import Series, bar, growing_areas, share_columns, stacked_columns
from jobs.reports.report.records import Report, RunTimeline, cpu_parts_of, parts_of
from jobs.ui.templates import templates_in
from jobs.ui.words import file_name, printable, short, timecode
from storage.query.catalog import Catalog

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
    newest = read_section(catalog, "newest", first=period.first, last=period.last)
    return [_tile(catalog, **video) for video in newest]


def _tile(
    catalog: Catalog,
    uri: str,
    video_id: str,
    analysis_key: str,
    title: str | None,
    duration_ms: int,
    created_at: datetime,
) -> Tile:
    ids = {"video_id": video_id, "analysis_key": analysis_key}
    scene: dict[str, Any] = {"title": "", "start_ms": 0}
    scene = next(iter(read_section(catalog, "first_scene", **ids)), scene)
    stored = next(iter(read_section(catalog, "keyframe", **ids, most_bytes=MAX_PICTURE_BYTES)), None)
    at_ms = stored["at_ms"] if stored else scene["start_ms"]
    at = f"{timecode(at_ms)} of {timecode(duration_ms)}"
    source = _source(stored["media_type"], stored["image"]) if stored else None
    return Tile(uri, video_id, title or file_name(uri), scene["title"], at, created_at, source)


def _source(media_type: str, image: bytes) -> str | None:
    """An address that holds the picture; None: it is none, whatever it says it is."""
    if media_type not in _STARTS or not image.startswith(_STARTS[media_type]):
        return None
    return f"data:{media_type};base64,{base64.b64encode(image).decode()}"


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
    """Progress: how far one run was when, or how much each stretch of time brought of several."""
    timeline = report.timeline
    series = [Series(name, tuple(getattr(b, name) for b in timeline.buckets)) for name in OUTCOMES]
    if not any(sum(one.values) for one in series):
        return None
    times = [bucket.at for bucket in timeline.buckets]
    about = ", ".join(f"{sum(one.values):,} {one.name}" for one in series)
    if report.since is None:
        return growing_areas(series, times, f"Videos over time: {about}", report.runs[-1].num_planned)
    return stacked_columns(series, times, f"Videos over time: {about}")


def _busy(timeline: RunTimeline) -> Markup | None:
    if not timeline.busy_capacity_s:
        return None
    shares = [bucket.busy_seconds / timeline.busy_capacity_s for bucket in timeline.buckets]
    mean = sum(shares) / len(shares)
    return share_columns(
        "busy", shares, [b.at for b in timeline.buckets], f"Busy over time, {mean:.0%} on average"
    )


def _whole(text: str) -> Markup:
    """What is of no use when it is cut: commands, pictures."""
    return escape(printable(text))


_TEMPLATES = templates_in(Path(__file__).parent, short)
_TEMPLATES.filters["whole"] = _whole
_TEMPLATES.globals |= {"bar": bar, "parts_of": parts_of, "cpu_parts_of": cpu_parts_of}
