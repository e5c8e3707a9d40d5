"""Tracks of Matroska and WebM files: what their entries say that FFmpeg does not hand on."""

import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from videoxl2.frames.files.formats.matroska import Element, read_element

_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_TRACKS = 0x1654AE6B
_ENTRY = 0xAE
_NUMBER, _TYPE, _CODEC, _TAG = 0xD7, 0x83, 0x86, 0x22B59D
_STREAM_TYPES = {1, 2, 17, 33}  # video, sound, subtitles, metadata: those that FFmpeg makes streams of
_MAX_ELEMENTS = 10_000
_LONGEST = 1024  # bytes of a name


@dataclass(frozen=True, slots=True)
class MatroskaTrack:
    """One track: its codec's name, such as `S_TEXT/WEBVTT`, its language as BCP 47 where it says so, and the
    number that its blocks bear."""

    codec: str
    language_tag: str | None
    number: int


def read_tracks(path: str | os.PathLike[str]) -> tuple[MatroskaTrack, ...]:
    """Read the tracks that FFmpeg makes streams of, in its order; none where there is no list before the
    media.

    Raises OSError when the file cannot be read.
    """
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        segment = _find(data, 0, len(data), _SEGMENT)
        tracks = segment and _find(data, segment.start, segment.end or len(data), _TRACKS)
        if tracks is None or tracks.end is None:
            return ()
        entries = (_read_entry(data, entry) for entry in _inside(data, tracks) if entry.kind == _ENTRY)
        return tuple(entry for entry in entries if entry is not None)


def _find(data: mmap.mmap, at: int, end: int, kind: int) -> Element | None:
    """The first element of a kind; none behind a cluster."""
    for _ in range(_MAX_ELEMENTS):
        element = read_element(data, at) if at < min(end, len(data)) else None
        if element is None or element.kind == kind:
            return element
        if element.end is None or element.kind == _CLUSTER:
            return None
        at = element.end
    return None


def _inside(data: mmap.mmap, parent: Element) -> Iterator[Element]:
    at = parent.start
    for _ in range(_MAX_ELEMENTS):
        element = read_element(data, at) if parent.end is not None and at < parent.end else None
        if element is None or element.end is None or parent.end is None or element.end > parent.end:
            return
        yield element
        at = element.end


def _read_entry(data: mmap.mmap, entry: Element) -> MatroskaTrack | None:
    """None: FFmpeg leaves it out."""
    parts = (part for part in _inside(data, entry) if part.kind in (_NUMBER, _TYPE, _CODEC, _TAG))
    said = {part.kind: data[part.start : min(part.end or 0, part.start + _LONGEST)] for part in parts}
    codec = _text(said.get(_CODEC, b""))
    if int.from_bytes(said.get(_TYPE, b"")) not in _STREAM_TYPES or not codec:
        return None
    number = int.from_bytes(said.get(_NUMBER, b""))
    return MatroskaTrack(codec, _text(said.get(_TAG, b"")) or None, number)


def _text(raw: bytes) -> str:
    return raw.split(b"\0")[0].decode("utf-8", "replace")
