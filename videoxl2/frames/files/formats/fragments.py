"""Fragments of an MP4 file (ISO/IEC 14496-12, 8.8): which description of its codec each one is coded by."""

import os
from pathlib import Path

from videoxl2.frames.files.formats.boxes import MAX_MOOV_BYTES, boxes, outermost, read_movie

_NAMES_DESCRIPTION = 2  # flag of a track fragment's header
_HAS_BASE = 1  # flag: 8 bytes of an offset come before it


def change_description(path: str | os.PathLike[str], track_id: int) -> bool:
    """Whether a fragment of a track has another codec description than the first, by which all is decoded.

    Fragments are looked at only where there are several. Raises OSError.
    """
    movie = read_movie(path)
    track = movie.track(track_id) if movie is not None and movie.is_fragmented else None
    if track is None or track.num_descriptions < 2:
        return False
    return any(number != 1 for number in _named(Path(path), track_id))


def _named(path: Path, track_id: int) -> set[int]:
    """The numbers that fragments name; those that name none are not looked at."""
    named: set[int] = set()
    with path.open("rb") as file:
        places = [place for place in outermost(file) if place.kind == b"moof"]
        for start, end in ((place.start, place.end) for place in places):
            file.seek(start)
            fragment = memoryview(file.read(min(end - start, MAX_MOOV_BYTES)))
            for part in (box.body for box in boxes(fragment) if box.kind == b"traf"):
                head = next((box.body for box in boxes(part) if box.kind == b"tfhd"), None)
                if head is not None and len(head) >= 8 and int.from_bytes(head[4:8]) == track_id:
                    named |= _description(head)
    return named


def _description(head: memoryview) -> set[int]:
    at = 16 if head[3] & _HAS_BASE else 8
    return {int.from_bytes(head[at : at + 4])} if head[3] & _NAMES_DESCRIPTION else set()
