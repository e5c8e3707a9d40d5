"""The formats there are, and what each can hold."""

from typing import Final, Literal, get_args

VideoFormat = Literal["vtt", "srt", "edl", "otio", "jsonld"]  # a document per video
TableFormat = Literal["jsonl", "csv"]  # a document per table
ICEBERG: Final = "iceberg"  # all tables, by metadata that lists the index's own files
MomentKind = Literal["scenes", "highlights", "shots", "captions", "speech"]
THUMBNAILS = "thumbnails"  # a kind that is no table of moments: pictures for players, as vtt
VIDEO_FORMATS: tuple[VideoFormat, ...] = get_args(VideoFormat)
TABLE_FORMATS: tuple[TableFormat, ...] = get_args(TableFormat)
SAID: tuple[MomentKind, ...] = ("captions", "speech")
# Which formats hold those; the others are about what a model describes.
HOLD_MEASURED: dict[str, tuple[VideoFormat, ...]] = {
    "shots": ("vtt", "edl", "otio"),
    **dict.fromkeys(SAID, ("vtt", "srt", "otio")),
}
MOMENT_KINDS: tuple[MomentKind, ...] = get_args(MomentKind)
