"""What one export writes: a document per video, or one with all rows of a table."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

from jobs.exports.edl import to_edl
from jobs.exports.files import file_stem
from jobs.exports.formats import SAID, MomentKind, TableFormat, VideoFormat
from jobs.exports.json_ld import to_json_ld
from jobs.exports.moments import ExportedVideo, Moment, models_of, read_moments
from jobs.exports.subrip import to_subrip
from jobs.exports.table_rows import to_csv, to_json_lines
from jobs.exports.thumbnails import read_sheets, to_thumbnail_track
from jobs.exports.webvtt import to_webvtt
from jobs.ui.made_by import MadeBy
from schemas.identity import VideoId
from storage.query.catalog import Catalog
from storage.sql import quote_name


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be. `part` is empty, or `-1`, `-2`, … where a video needs several; `models` wrote it."""

    stem: str
    part: str
    chunks: Iterable[str] | Iterable[bytes]
    models: tuple[MadeBy, ...] = ()
    ending: str | None = None  # of its name; None: the format's


def table_document(catalog: Catalog, to: TableFormat, table: str, video_id: VideoId | None) -> Document:
    """A table's rows, read while they are written."""
    rows, params = f"FROM {quote_name(table)}", list[str]()
    if video_id is not None:
        rows, params = f"{rows} WHERE video_id = ?", [video_id]
    models = _models_in(catalog, rows, params)
    batches = catalog.stream(rows, params)
    return Document(table, "", to_csv(batches) if to == "csv" else to_json_lines(batches), models)


def _models_in(catalog: Catalog, rows: str, params: list[str]) -> tuple[MadeBy, ...]:
    """Tables that no model had a part in have no such columns."""
    if "model_id" not in catalog.query(f"SELECT * FROM ({rows}) LIMIT 0", params).columns:
        return ()
    query = f"SELECT DISTINCT model_id, model_revision FROM ({rows}) WHERE model_id IS NOT NULL ORDER BY ALL"
    found = catalog.query(query, params)
    return tuple(MadeBy(*row) for row in found.rows)


def video_documents(
    catalog: Catalog, to: VideoFormat, kind: MomentKind, video_id: VideoId | None, language: str | None
) -> Iterator[Document]:
    """Documents, at least one per video, also for a video in which nothing was found."""
    said = _transcripts(catalog, video_id, language) if to == "jsonld" else repeat([])
    for (source, moments), cues in zip(read_moments(catalog, kind, video_id, language), said, strict=False):
        texts, models = _render(to, source, moments, cues), tuple(models_of(source, moments))
        for number, text in enumerate(texts, start=1):
            yield Document(file_stem(source), f"-{number}" if len(texts) > 1 else "", [text], models)


def thumbnail_documents(catalog: Catalog, video_id: VideoId | None) -> Iterator[Document]:
    """Make two documents for each video with a strip: the track, and the JPEG that it cuts pictures from."""
    for source, sheet in read_sheets(catalog, video_id):
        stem = file_stem(source)
        yield Document(stem, "", [sheet.image], ending="jpg")
        yield Document(stem, "", [to_thumbnail_track(source, sheet, f"{stem}.jpg")])


def _transcripts(catalog: Catalog, video_id: VideoId | None, language: str | None) -> Iterator[list[Moment]]:
    """The captions of each video, or where there are none what was heard."""
    captions, speech = (read_moments(catalog, kind, video_id, language) for kind in SAID)
    for (_, written), (_, heard) in zip(captions, speech, strict=True):
        yield written or heard


def _render(
    to: VideoFormat, source: ExportedVideo, moments: list[Moment], said: Sequence[Moment]
) -> tuple[str, ...]:
    """One text, except that a long edit list is several."""
    match to:
        case "vtt":
            return (to_webvtt(source, moments),)
        case "srt":
            return (to_subrip(source, moments),)
        case "edl":
            return to_edl(source, moments)
        case "otio":
            from jobs.exports.otio import to_otio  # a tenth of a second that no other verb need wait for

            return (to_otio(source, moments),)
        case "jsonld":
            return (to_json_ld(source, moments, said),)
