"""Which streams of a file carry words, in which format, and what the file says of them."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.stream import Disposition, Stream

from videoxl2.captions.markup.plain import tidy
from videoxl2.captions.records import Labels
from videoxl2.frames.files.container import OpenVideo, has_decoder
from videoxl2.frames.files.formats import boxes
from videoxl2.frames.files.formats.matroska_tracks import MatroskaTrack, read_tracks
from videoxl2.frames.probing.languages import language_tag

# Formats that FFmpeg has no name for here, by what their containers call them.
_IN_MP4 = {b"wvtt": "wvtt", b"stpp": "ttml", b"c608": "cea608", b"tx3g": "mov_text", b"text": "mov_text"}
_IN_MATROSKA = {
    "S_TEXT/WEBVTT": "webvtt",
    "S_TEXT/USF": "usf",
    "S_HDMV/TEXTST": "hdmv_text",
    "S_KATE": "kate",
    "S_ARIBSUB": "arib_caption",
}
_IN_FFMPEG = {"eia_608": "cea608", "hdmv_pgs_subtitle": "pgs"}
_ALL_FORCED = 0x8000_0000
# What muxers call every track.
_NO_TITLE = re.compile(r"handler|^core media|gpac|l-smash|^(text|subtitles?|captions?|data)$", re.IGNORECASE)
_FOR_THE_DEAF = Disposition.hearing_impaired | Disposition.captions


@dataclass(frozen=True, slots=True)
class Carrier:
    """One stream with words, or with pictures of words. `codec` is empty where nothing names it."""

    index: int
    track_id: int  # the number that MP4 gives it
    time_base: Fraction | None
    codec: str
    labels: Labels


def find_carriers(path: str | os.PathLike[str], video: OpenVideo, movie: boxes.Movie | None) -> list[Carrier]:
    """All streams of subtitles and captions, in the file's order, but those inside the video stream.

    A stream of several languages, as broadcasters have them, is as many carriers.
    """
    return [
        _described(stream, codec, language or None, movie)
        for stream, codec, tag in _named(path, video, movie)
        for language in (tag or stream.metadata.get("language", "")).split(",")
    ]


def _named(
    path: str | os.PathLike[str], video: OpenVideo, movie: boxes.Movie | None
) -> Iterator[tuple[Stream, str, str | None]]:
    """Streams, their formats, and their languages where the container says them in full."""
    matroska = _matroska_tracks(path, video)
    for stream in video.container.streams:
        track = movie.track(stream.id) if movie else None
        entry = track.description() if track else None
        known = _IN_MP4.get(entry.kind, "") if entry else ""
        if stream.type == "data" and video.demuxer == "mxf":
            yield stream, "ancillary", None
        elif stream.type == "subtitle" or (stream.type == "data" and known == "wvtt"):
            stored = matroska[stream.index] if stream.index < len(matroska) else None
            codec = _ffmpeg_name(stream) or known or (_IN_MATROSKA.get(stored.codec, "") if stored else "")
            tag = track.language_tag if track else stored.language_tag if stored else None
            yield stream, codec, tag


def _matroska_tracks(path: str | os.PathLike[str], video: OpenVideo) -> tuple[MatroskaTrack, ...]:
    """Tracks by the numbers of the streams; none where they are not those that FFmpeg shows."""
    if not video.demuxer.startswith("matroska"):
        return ()
    tracks, streams = read_tracks(path), video.container.streams
    are_alike = len(tracks) <= len(streams) and all(
        (streams[number].type == "subtitle") == track.codec.startswith(("S_", "D_"))
        for number, track in enumerate(tracks)
    )
    return tracks if are_alike else ()


def _ffmpeg_name(stream: Stream) -> str:
    if not has_decoder(stream):
        return ""
    name = stream.codec_context.codec.canonical_name
    return _IN_FFMPEG.get(name, name)


def _described(stream: Stream, codec: str, written: str | None, movie: boxes.Movie | None) -> Carrier:
    shown = stream.disposition
    labels = Labels(
        language=language_tag(written) if written else None,
        language_as_written=written,
        title=_title(stream),
        is_default=bool(shown & Disposition.default),
        is_forced=bool(shown & Disposition.forced) or _is_forced_in_mp4(stream, movie),
        is_hearing_impaired=bool(shown & _FOR_THE_DEAF) or codec == "cea608",
        is_commentary=bool(shown & Disposition.comment),
    )
    return Carrier(stream.index, stream.id, stream.time_base, codec, labels)


def _title(stream: Stream) -> str | None:
    names = (tidy(stream.metadata.get(name, "")) for name in ("title", "name", "handler_name"))
    return next((name for name in names if name and not _NO_TITLE.search(name)), None)


def _is_forced_in_mp4(stream: Stream, movie: boxes.Movie | None) -> bool:
    """Whether the track's description says that all its samples are."""
    track = movie.track(stream.id) if movie else None
    entry = track.description() if track else None
    if entry is None or entry.kind != b"tx3g":
        return False
    return bool(int.from_bytes(entry.body[8:12]) & _ALL_FORCED)
