"""What one export writes: a document per video, or one with all rows of a table."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from jobs.exports.edl import to_edl
from jobs.exports.files import file_stem
from jobs.exports.json_ld import to_json_ld
from jobs.exports.moments import Moment, MomentKind, Source, read_moments
from jobs.exports.subrip import to_subrip
from jobs.exports.table_rows import to_csv, to_json_lines
from jobs.exports.webvtt import to_webvtt
from storage.index.columns import quote_name
from storage.query.catalog import Catalog

VideoFormat = Literal["vtt", "srt", "edl", "otio", "jsonld"]
TableFormat = Literal["jsonl", "csv"]
VIDEO_FORMATS: tuple[VideoFormat, ...] = get_args(VideoFormat)
TABLE_FORMATS: tuple[TableFormat, ...] = get_args(TableFormat)


@dataclass(frozen=True, slots=True)
class Document:
    """A file to be. `part` is empty, or `-1`, `-2`, … where a video needs several."""

    stem: str
    part: str
    chunks: Iterable[str]


def table_document(catalog: Catalog, to: TableFormat, table: str, video_id: str | None) -> Document:
    """A table's rows, read while they are written."""
    if video_id is None:
        batches = catalog.stream(f"FROM {quote_name(table)}")
    else:
        batches = catalog.stream(f"FROM {quote_name(table)} WHERE video_id = ?", [video_id])
    return Document(table, "", to_csv(batches) if to == "csv" else to_json_lines(batches))


def video_documents(
    catalog: Catalog, to: VideoFormat, kind: MomentKind, video_id: str | None
) -> Iterator[Document]:
    """At least one per video, also for a video in which nothing was found."""
    for source, moments in read_moments(catalog, kind, video_id):
        texts = _render(to, source, moments)
        for number, text in enumerate(texts, start=1):
            yield Document(file_stem(source), f"-{number}" if len(texts) > 1 else "", [text])


def _render(to: VideoFormat, source: Source, moments: list[Moment]) -> tuple[str, ...]:
    """One text, except that a long edit list is several."""
    match to:
        case "vtt":
            return (to_webvtt(source, moments),)
        case "srt":
            return (to_subrip(moments),)
        case "edl":
            return to_edl(source, moments)
        case "otio":
            from jobs.exports.otio import to_otio  # a tenth of a second that no other verb need wait for

            return (to_otio(source, moments),)
        case "jsonld":
            return (to_json_ld(source, moments),)
