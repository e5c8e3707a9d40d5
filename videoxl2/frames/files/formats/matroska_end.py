"""When a Matroska's last picture is shown, from the end of the file alone (RFC 9559)."""

import os
from collections.abc import Iterator
from pathlib import Path

from videoxl2.frames.files.formats.matroska import Element, read_element
from videoxl2.frames.files.formats.matroska_tracks import read_tracks

_TAILS = (1 << 18, 1 << 23)  # bytes before the end; clusters of 5 MB are usual
_NOT_HERE = bytes(1 << 16)  # of an object on S3, of which only head and tail are copied
_CLUSTER_HEAD, _CUES_HEAD = b"\x1f\x43\xb6\x75", b"\x1c\x53\xbb\x6b"
_TIME, _SIMPLE_BLOCK, _GROUP, _BLOCK = 0xE7, 0xA3, 0xA0, 0xA1
_CUE, _CUE_TIME = 0xBB, 0xB3
_MOST_CLUSTERS = 64


def last_tick(path: str | os.PathLike[str], index: int) -> int | None:
    """Return when the last picture of FFmpeg's stream `index` is shown, in its ticks: out of the last
    clusters, else of the index. None where neither is in the file's end."""
    tracks = read_tracks(path)
    if index >= len(tracks):
        return None
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        for length in _TAILS:
            file.seek(max(0, size - length))
            tail = file.read()
            tail = tail[tail.rfind(_NOT_HERE) + 1 :]
            if (tick := _of_clusters(tail, tracks[index].number)) is not None:
                return tick
    return _of_cues(tail)


def _of_clusters(tail: bytes, track: int) -> int | None:
    at = len(tail)
    for _ in range(_MOST_CLUSTERS):
        at = tail.rfind(_CLUSTER_HEAD, 0, at)
        if at < 0:
            return None
        if (ticks := list(_ticks(tail, at, track))) and max(ticks) >= 0:
            return max(ticks)
    return None


def _ticks(tail: bytes, at: int, track: int) -> Iterator[int]:
    """When the pictures of one cluster are shown."""
    cluster = read_element(tail, at)
    begins: int | None = None
    for element in _inside(tail, cluster) if cluster else ():
        if element.kind == _TIME:
            begins = _number(tail, element)
        block = element
        if element.kind == _GROUP:
            block = next((inner for inner in _inside(tail, element) if inner.kind == _BLOCK), element)
        if block.kind in (_BLOCK, _SIMPLE_BLOCK) and begins is not None:
            named, since = _head(tail, block.start)
            if named == track:
                yield begins + since


def _of_cues(tail: bytes) -> int | None:
    """The latest entry of the index."""
    at = tail.rfind(_CUES_HEAD)
    cues = read_element(tail, at) if at >= 0 else None
    points = [point for point in _inside(tail, cues) if point.kind == _CUE] if cues else []
    times = [
        _number(tail, inner) for point in points for inner in _inside(tail, point) if inner.kind == _CUE_TIME
    ]
    return max(times, default=None)


def _inside(data: bytes, outer: Element) -> Iterator[Element]:
    """The elements of one that is wholly or partly here; the last of them may go on beyond the data."""
    at = outer.start
    end = len(data) if outer.end is None else min(outer.end, len(data))
    while at < end:
        element = read_element(data, at)
        if element is None:
            return
        yield element
        at = end if element.end is None else element.end


def _number(data: bytes, element: Element) -> int:
    return int.from_bytes(data[element.start : element.end])


def _head(data: bytes, at: int) -> tuple[int, int]:
    """A block's track, and its time since its cluster's."""
    width = 9 - data[at].bit_length() if at < len(data) and data[at] else 1
    track = int.from_bytes(data[at : at + width]) & (1 << 7 * width) - 1
    return track, int.from_bytes(data[at + width : at + width + 2], signed=True)
