"""OpenTimelineIO: a timeline with the whole video as its one clip, a marker on it per moment."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange

from jobs.exports.moments import ExportedVideo, Moment, models_of
from jobs.exports.one_line import one_line
from jobs.exports.timecode import Timecode
from jobs.ui.made_by import notes_on

_COLORS = {
    "scenes": otio.schema.MarkerColor.GREEN,
    "highlights": otio.schema.MarkerColor.RED,
    "shots": otio.schema.MarkerColor.BLUE,
    "captions": otio.schema.MarkerColor.CYAN,
    "speech": otio.schema.MarkerColor.CYAN,
}
_NAMESPACE = "media_index"


def to_otio(source: ExportedVideo, moments: Sequence[Moment]) -> str:
    """OTIO JSON. Clip and markers are in the file's own time, so they begin at its start timecode."""
    timecode, models = source.timecode, models_of(source, moments)
    _, num_frames = timecode.span(0, source.duration_ms)
    whole = _range(timecode, 0, num_frames)
    clip = otio.schema.Clip(
        name=source.name,
        media_reference=otio.schema.ExternalReference(target_url=source.url, available_range=whole),
        source_range=whole,
        markers=[_marker(timecode, moment) for moment in moments],
        metadata={_NAMESPACE: _metadata(source) | {"notes": [*timecode.notes, *notes_on(models)]}},
    )
    track = otio.schema.Track(name="V1", kind=otio.schema.TrackKind.Video, children=[clip])
    timeline = otio.schema.Timeline(name=source.name, tracks=[track], global_start_time=_time(timecode, 0))
    return f"{timeline.to_json_string()}\n"


def _marker(timecode: Timecode, moment: Moment) -> otio.schema.Marker:
    first, end = timecode.span(moment.start_ms, moment.end_ms)
    return otio.schema.Marker(
        name=moment.name,
        marked_range=_range(timecode, first, end),
        color=_COLORS[moment.kind],
        comment=one_line(moment.text),
        metadata={_NAMESPACE: _metadata(moment)},
    )


def _metadata(record: ExportedVideo | Moment) -> dict[str, Any]:
    values = dict(record) if isinstance(record, ExportedVideo) else asdict(record)
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """OpenTimelineIO ends a text at its first NUL, and knows no dates."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value).replace("\0", " ") if isinstance(value, str | datetime) else value


def _range(timecode: Timecode, first: int, end: int) -> TimeRange:
    return TimeRange(_time(timecode, first), RationalTime(end - first, float(timecode.label_rate)))


def _time(timecode: Timecode, frame: int) -> RationalTime:
    return RationalTime(timecode.start + frame, float(timecode.label_rate))
