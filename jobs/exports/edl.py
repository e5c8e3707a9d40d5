"""CMX3600 edit decision lists: one cut per moment, its source the video, its record side back to back.

`* FROM CLIP NAME:` names the file and `* LOC:` sets a marker on the record side, as Avid and Resolve write
them. Out points are exclusive.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

from jobs.exports.moments import ExportedVideo, Moment, models_of
from jobs.exports.one_line import cut, one_line
from jobs.exports.timecode import Timecode
from jobs.ui.made_by import notes_on
from videoxl2.timecode import parse_label

MAX_EVENTS = 999  # an event number has three digits
_COLORS = {"scenes": "GREEN", "highlights": "RED", "shots": "BLUE"}
_NAME_LENGTH, _COMMENT_LENGTH = 60, 240  # editing systems cut names and comments at various lengths


def to_edl(source: ExportedVideo, moments: Sequence[Moment]) -> tuple[str, ...]:
    """One list per 999 events; record timecode goes on from list to list. From 01:00:00:00."""
    timecode = source.timecode
    events = list(_events(source, moments, timecode))
    parts = [events[first : first + MAX_EVENTS] for first in range(0, len(events), MAX_EVENTS)] or [[]]
    return tuple(
        "\n\n".join([_head(source, timecode, part, len(parts)), *_numbered(events)]) + "\n"
        for part, events in enumerate(parts, start=1)
    )


def _head(source: ExportedVideo, timecode: Timecode, part: int, num_parts: int) -> str:
    title = cut(source.name, _NAME_LENGTH) + (f" {part} of {num_parts}" if num_parts > 1 else "")
    return f"TITLE: {title}\nFCM: {'DROP FRAME' if timecode.is_drop_frame else 'NON-DROP FRAME'}"


def _numbered(events: Sequence[str]) -> Iterator[str]:
    return (f"{number:03}  {event}" for number, event in enumerate(events, start=1))


def _events(source: ExportedVideo, moments: Sequence[Moment], timecode: Timecode) -> Iterator[str]:
    record = parse_label("01:00:00:00", round(timecode.label_rate), timecode.is_drop_frame)
    reel = reel_name(source)
    for index, moment in enumerate(moments):
        first, end = timecode.span(moment.start_ms, moment.end_ms)
        labels = (
            timecode.source_label(first),
            timecode.source_label(end),
            timecode.label(record),
            timecode.label(record + end - first),
        )
        lines = [f"{reel:8} V     C        {' '.join(labels)}"]
        lines.append(f"* FROM CLIP NAME: {cut(one_line(source.file_name), _COMMENT_LENGTH)}")
        lines.append(f"* LOC: {labels[2]} {_COLORS[moment.kind]:7} {cut(moment.name, _NAME_LENGTH)}")
        lines += [f"* {cut(comment, _COMMENT_LENGTH)}" for comment in _comments(moment)]
        if index % MAX_EVENTS == 0:
            said = (*timecode.notes, *_lineage(source, moments))
            lines += [f"* {cut(line, _COMMENT_LENGTH)}" for line in said]
        yield "\n".join(lines)
        record += end - first


def _comments(moment: Moment) -> Iterator[str]:
    """Words that readers take for commands (`LOC:`, `FROM CLIP NAME:`) cannot stand first in any of these."""
    if moment.text:
        yield f"COMMENT: {one_line(moment.text)}"
    if moment.score is not None:
        yield f"HIGHLIGHT {moment.number}: {moment.category}, score {moment.score}"
    if moment.confidence is not None:
        yield f"CONFIDENCE: {moment.confidence:.2f}"
    if moment.kind == "shots" and moment.category:
        yield f"BEGINS WITH: {moment.category}"


def _lineage(source: ExportedVideo, moments: Sequence[Moment]) -> Iterator[str]:
    yield f"SOURCE FILE: {one_line(source.uri)}"
    yield f"RECIPE: {source.recipe_id}, of the file's revision {source.object_rev}"
    models = models_of(source, moments)
    yield from (
        f"MODEL: {one_line(model.model_id or '')}, revision {model.model_revision}" for model in models
    )
    yield from (f"NOTE: {note}" for note in notes_on(models))


def reel_name(source: ExportedVideo) -> str:
    """A name of at most 8 of A-Z, 0-9 and _, from the file's name; from the video's id where none is left."""
    stem = source.file_name.rpartition(".")[0] or source.file_name
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Z0-9_]", "", ascii_stem.upper())[:8] or source.video_id[:8].upper()
