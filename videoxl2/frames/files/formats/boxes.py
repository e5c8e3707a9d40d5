"""Boxes of MP4 and QuickTime files (ISO/IEC 14496-12): what they say that FFmpeg does not hand on.

    movie = read_movie(path)                 # None: no such file, or one that is not to be read this way
    movie.track(stream.id).edits

A movie's header (`moov`) is read whole and walked; nothing else of the file is touched.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BufferedReader
from pathlib import Path
from typing import NamedTuple

MAX_MOOV_BYTES = 64 << 20
MAX_EDITS = 10_000
_MAX_BOXES = 100_000  # of the file itself, of which `moov` is one
_HEADERS = (b"mdia", b"minf", b"edts", b"tref")  # boxes that only hold others


class Box(NamedTuple):
    """One box: its four letters, and the bytes after its header."""

    kind: bytes
    body: memoryview


class Extent(NamedTuple):
    """The bytes of a box in the file; by its own word it can end beyond the file."""

    kind: bytes
    start: int  # of what is in it
    end: int


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of the film. `media`: the tick of the track that it begins with; None: nothing is shown."""

    length_s: Fraction  # 0: up to the media's end, in fragmented files
    media: int | None
    rate: Fraction  # 1 but for slow motion and stills


@dataclass(frozen=True, slots=True)
class Track:
    """One track. `edits` is None where there are more than MAX_EDITS, and empty where there is no list."""

    track_id: int
    handler: bytes  # b"vide", b"soun", b"tmcd", …
    timescale: int  # ticks a second
    edits: tuple[Edit, ...] | None
    timecode_ids: tuple[int, ...]  # tracks that it takes its timecode from
    language_tag: str | None  # BCP 47, where it is said in full
    table: dict[bytes, memoryview]  # the boxes of its sample table

    @property
    def num_descriptions(self) -> int:
        """The count of descriptions that the samples are coded by, at different times."""
        return int.from_bytes(self.table.get(b"stsd", _EMPTY)[4:8])

    def description(self) -> Box | None:
        """The first entry of the sample descriptions, its kind the codec's four letters."""
        return next(boxes(self.table.get(b"stsd", _EMPTY)[8:]), None)


@dataclass(frozen=True, slots=True)
class Movie:
    """The content of `moov`. `is_fragmented`: there is more to be said later in the file."""

    tracks: tuple[Track, ...]
    is_fragmented: bool

    def track(self, track_id: int) -> Track | None:
        """The track with the number that is FFmpeg's `stream.id`."""
        return next((track for track in self.tracks if track.track_id == track_id), None)


_EMPTY = memoryview(b"")


def read_movie(path: str | os.PathLike[str]) -> Movie | None:
    """The movie's header; None where there is none, or it is packed, damaged or above MAX_MOOV_BYTES.

    Raises OSError when the file cannot be read.
    """
    with Path(path).open("rb") as file:
        moov = _find_moov(file)
    if moov is None:
        return None
    held = list(boxes(moov))
    kinds = {box.kind for box in held}
    if b"cmov" in kinds or b"mvhd" not in kinds:
        return None
    scale = _after_dates(next(box.body for box in held if box.kind == b"mvhd"))
    tracks = (_read_track(box.body, scale) for box in held if box.kind == b"trak")
    return Movie(tuple(track for track in tracks if track is not None), b"mvex" in kinds)


def boxes(data: memoryview) -> Iterator[Box]:
    """One after the other, up to the end or to the first that makes no sense."""
    at = 0
    while at + 8 <= len(data):
        size, head = int.from_bytes(data[at : at + 4]), 8
        if size == 1:
            size, head = int.from_bytes(data[at + 8 : at + 16]), 16
        elif size == 0:
            size = len(data) - at
        if size < head or at + size > len(data):
            return
        yield Box(bytes(data[at + 4 : at + 8]), data[at + head : at + size])
        at += size


def outermost(file: BufferedReader) -> Iterator[Extent]:
    """The file's own boxes up to the first that makes no sense; only their sizes are read."""
    end, at = file.seek(0, os.SEEK_END), 0
    for _ in range(_MAX_BOXES):
        if at >= end:
            return
        file.seek(at)
        start = file.read(16)
        size, head = int.from_bytes(start[:4]), 8
        if size == 1:
            size, head = int.from_bytes(start[8:16]), 16
        elif size == 0:
            size = end - at
        if len(start) < 8 or size < head:
            return
        yield Extent(start[4:8], at + head, at + size)
        at += size


def _find_moov(file: BufferedReader) -> memoryview | None:
    place = next((place for place in outermost(file) if place.kind == b"moov"), None)
    if place is None:
        return None
    size = min(place.end, file.seek(0, os.SEEK_END)) - place.start
    if size > MAX_MOOV_BYTES:
        return None
    file.seek(place.start)
    return memoryview(file.read(size))


def _read_track(trak: memoryview, movie_scale: int) -> Track | None:
    """None: without an id or a clock it is none."""
    found = dict(_inner(trak))
    scale = _after_dates(found.get(b"mdhd", _EMPTY))
    track_id = _after_dates(found.get(b"tkhd", _EMPTY))
    if not scale or not track_id:
        return None
    references = found.get(b"tmcd", _EMPTY)
    return Track(
        track_id=track_id,
        handler=bytes(found.get(b"hdlr", _EMPTY)[8:12]),
        timescale=scale,
        edits=_read_edits(found.get(b"elst", _EMPTY), movie_scale),
        timecode_ids=tuple(
            int.from_bytes(references[at : at + 4]) for at in range(0, min(len(references), 64) - 3, 4)
        ),
        language_tag=bytes(found.get(b"elng", _EMPTY)[4:]).split(b"\0")[0].decode("ascii", "replace") or None,
        table={box.kind: box.body for box in boxes(found.get(b"stbl", _EMPTY))},
    )


def _inner(data: memoryview) -> Iterator[Box]:
    """A track's boxes of all depths. Of two `hdlr` the media's comes first, and counts."""
    waiting, has_handler = [data], False
    while waiting:
        for box in boxes(waiting.pop()):
            if box.kind in _HEADERS:
                waiting.append(box.body)
            if box.kind != b"hdlr" or not has_handler:
                yield box
                has_handler = has_handler or box.kind == b"hdlr"


def _after_dates(header: memoryview) -> int:
    """The number after the two dates, of 4 or 8 bytes, with which `mvhd`, `mdhd` and `tkhd` begin: ticks a
    second, or the track's id.
    """
    place = 20 if len(header) and header[0] == 1 else 12
    return int.from_bytes(header[place : place + 4])


def _read_edits(elst: memoryview, movie_scale: int) -> tuple[Edit, ...] | None:
    if len(elst) < 8 or not movie_scale:
        return ()
    wide = 8 if elst[0] == 1 else 4
    entry = 2 * wide + 4
    count = min(int.from_bytes(elst[4:8]), (len(elst) - 8) // entry)
    if count > MAX_EDITS:
        return None
    return tuple(_read_edit(elst[8 + n * entry :], wide, movie_scale) for n in range(count))


def _read_edit(entry: memoryview, wide: int, movie_scale: int) -> Edit:
    media = int.from_bytes(entry[wide : 2 * wide], signed=True)
    rate = int.from_bytes(entry[2 * wide : 2 * wide + 4], signed=True)
    length = int.from_bytes(entry[:wide])
    return Edit(Fraction(length, movie_scale), None if media < 0 else media, Fraction(rate, 1 << 16))
