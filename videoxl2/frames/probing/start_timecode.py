"""The timecode of a film's first picture: of its own timecode track, else as FFmpeg found it in a tag.

A QuickTime timecode track (`tmcd`) has a rate of its own, which need not be the pictures', and an edit list
of its own, which trims it as the pictures' list trims them. FFmpeg gives the label of the track's first
count, whatever was trimmed.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from videoxl2.frames.files.formats.boxes import Movie, Track, read_movie
from videoxl2.timecode import MAX_PER_SECOND, is_label, label_of, parse_label

_DROP_FRAME, _IS_SIGNED, _IS_COUNTER = 1, 4, 8  # flags of the sample description
_MAX_ROWS = 100_000
_ROUNDING = Fraction(1, 10)  # of a count: clocks of 600 ticks a second cannot say 1/29.97


@dataclass(frozen=True, slots=True)
class StartTimecode:
    """A start timecode: `label` is `HH:MM:SS:FF`, `;` before FF for drop-frame. `rate`: counts a second;
    None: not said."""

    label: str
    rate: Fraction | None


def read_start_timecode(
    path: str | os.PathLike[str],
    video_id: int,
    start_s: Fraction,
    fps: Fraction,
    tags: Iterable[Mapping[str, str]],
) -> StartTimecode | None:
    """Read the label of the first picture; None: there is none.

    `video_id` is the video track's, `start_s` when its first picture is shown, on the film's clock; `tags`
    are searched in their order where there is no timecode track.
    """
    return _of_track(path, video_id, start_s) or _of_tags(fps, tags)


def _of_tags(fps: Fraction, tags: Iterable[Mapping[str, str]]) -> StartTimecode | None:
    for metadata in tags:
        for name, text in metadata.items():
            if name.lower() == "timecode" and is_label(text):  # Matroska writes it in capitals
                return _of_label(text, fps)
    return None


def _of_label(label: str, fps: Fraction) -> StartTimecode:
    """Three digits of pictures become two of pairs, where the film is as fast as that."""
    per_second = round(fps)
    if len(label) == 11 or per_second <= MAX_PER_SECOND:
        return StartTimecode(label, None)
    is_drop_frame = label[8] == ";"
    try:
        number = parse_label(label, per_second, is_drop_frame)
    except ValueError:
        return StartTimecode(label, None)
    return _written(number, per_second, fps, is_drop_frame) or StartTimecode(label, None)


def _written(number: int, per_second: int, rate: Fraction, is_drop_frame: bool) -> StartTimecode | None:
    """None: a rate that two digits cannot count."""
    while per_second > MAX_PER_SECOND and per_second % 2 == 0:
        number, per_second, rate = number // 2, per_second // 2, rate / 2
    return StartTimecode(label_of(number, per_second, is_drop_frame), rate) if per_second < 100 else None


def _of_track(path: str | os.PathLike[str], video_id: int, start_s: Fraction) -> StartTimecode | None:
    movie = read_movie(path)
    track = movie and _timecode_track(movie, video_id)
    entry = track and track.description()
    if not track or not entry or len(entry.body) < 25:
        return None
    flags, scale, duration = (int.from_bytes(entry.body[at : at + 4]) for at in (12, 16, 20))
    if not scale or not duration or flags & _IS_COUNTER:
        return None
    rate = Fraction(scale, duration)
    per_second = entry.body[24] if abs(entry.body[24] - rate) <= 1 else round(rate)
    media = _media_ticks(track, start_s)
    sample = _sample_at(track, media)
    if sample is None or not per_second:
        return None
    begin, offset = sample
    counted = _read_number(path, offset, bool(flags & _IS_SIGNED))
    if counted is None:
        return None
    since = (media - begin) / track.timescale * rate
    number = counted + int(since + _ROUNDING)
    is_drop_frame = bool(flags & _DROP_FRAME) and per_second % 30 == 0
    return _written(number, per_second, rate, is_drop_frame)


def _timecode_track(movie: Movie, video_id: int) -> Track | None:
    """The one that the video names, else the first."""
    video = movie.track(video_id)
    named = [movie.track(track_id) for track_id in (video.timecode_ids if video else ())]
    for track in (*named, *movie.tracks):
        entry = track and track.description()
        if entry and entry.kind == b"tmcd":
            return track
    return None


def _media_ticks(track: Track, film_s: Fraction) -> Fraction:
    """What the track's edits show at that time of the film; before the first one, what that begins with."""
    at, media = Fraction(0), film_s * track.timescale
    for edit in track.edits or ():
        if edit.media is not None:
            media = edit.media + max(Fraction(0), film_s - at) * track.timescale
            if not edit.length_s or film_s < at + edit.length_s:
                return media
        at += edit.length_s
    return media


def _sample_at(track: Track, media: Fraction) -> tuple[int, int] | None:
    """The tick at which the sample that holds `media` begins, and its place in the file."""
    index = begin = start = wanted = 0
    for count, delta in _rows(track, b"stts", 2):
        if count:
            inside = min(count - 1, max(0, int((media - begin) // delta))) if delta else count - 1
            start, wanted = begin + inside * delta, index + inside
        index, begin = index + count, begin + count * delta
        if media < begin:
            break
    place = _place(track, wanted) if index else None
    return None if place is None else (start, place)


def _place(track: Track, index: int) -> int | None:
    """Where in the file the `index`-th sample of 4 bytes lies."""
    wide = 4 if b"stco" in track.table else 8
    offsets = track.table.get(b"stco", track.table.get(b"co64", memoryview(b"")))[8:]
    num_chunks = len(offsets) // wide
    runs = [(first, count) for first, count, _ in _rows(track, b"stsc", 3) if first and count]
    for (first, count), (after, _) in pairwise([*runs, (num_chunks + 1, 0)]):
        chunk = first - 1 + index // count
        if chunk < min(after - 1, num_chunks):
            return int.from_bytes(offsets[chunk * wide : (chunk + 1) * wide]) + 4 * (index % count)
        index -= (after - first) * count
    return None


def _rows(track: Track, kind: bytes, width: int) -> list[tuple[int, ...]]:
    """The rows of a sample table, so many numbers of 4 bytes each; no timecode has more than _MAX_ROWS."""
    table = track.table.get(kind, memoryview(b""))[8:]
    starts = range(0, min(len(table), 4 * width * _MAX_ROWS) - 4 * width + 1, 4 * width)
    return [tuple(int.from_bytes(table[at + 4 * n : at + 4 * n + 4]) for n in range(width)) for at in starts]


def _read_number(path: str | os.PathLike[str], offset: int, is_signed: bool) -> int | None:
    with Path(path).open("rb") as file:
        file.seek(offset)
        data = file.read(4)
    return int.from_bytes(data, signed=is_signed) if len(data) == 4 else None
