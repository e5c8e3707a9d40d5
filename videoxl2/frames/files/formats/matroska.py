"""Matroska's elements (RFC 8794, RFC 9559): where they end, and whether any is damaged.

FFmpeg steps over damaged stretches without a word and goes on at the next cluster. So clusters are looked at:
by whether their elements follow each other up to their end, and by their checksum where they have one.
"""

import mmap
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

_EBML = 0x1A45DFA3
_SEGMENT = 0x18538067
_CLUSTER = 0x1F43B675
_CRC = 0xBF
# What a segment holds: seek head, info, tracks, cues, chapters, tags, attachments, padding.
_INSIDE = {
    0x114D9B74,
    0x1549A966,
    0x1654AE6B,
    _CLUSTER,
    0x1C53BB6B,
    0x1043A770,
    0x1254C367,
    0x1941A469,
    _CRC,
    0xEC,
}
_CLUSTER_HEAD = _CLUSTER.to_bytes(4, "big")
_BLOCK, _SIMPLE_BLOCK, _GROUP = 0xA1, 0xA3, 0xA0
# And a cluster: time, silent tracks, position, size of the one before, blocks (one kind encrypted), padding.
_IN_CLUSTER = {0xE7, 0x5854, 0xA7, 0xAB, _SIMPLE_BLOCK, _GROUP, 0xAF, _CRC, 0xEC}
_CRC_BYTES = 6  # the whole element
_LONGEST_HEAD = 12


class Element(NamedTuple):
    """The place of an element's content, in bytes of the file; `end` is None where its length is not
    known."""

    kind: int
    start: int
    end: int | None


class Stretch(NamedTuple):
    """Bytes of the file from `start` up to `end`."""

    start: int
    end: int


def read_element(data: bytes | mmap.mmap, at: int = 0, base: int = 0) -> Element | None:
    """The element whose head begins at `at` of `data`, which begins at `base` of the file; None: no head."""
    head = data[at : at + _LONGEST_HEAD]
    if not head or not head[0]:
        return None
    kind_bytes = 9 - head[0].bit_length()
    rest = head[kind_bytes:]
    if kind_bytes > 4 or not rest or not rest[0]:
        return None
    length_bytes = 9 - rest[0].bit_length()
    if len(rest) < length_bytes:
        return None
    unknown = (1 << 7 * length_bytes) - 1
    length = int.from_bytes(rest[:length_bytes], "big") & unknown
    start = base + at + kind_bytes + length_bytes
    kind = int.from_bytes(head[:kind_bytes], "big")
    return Element(kind, start, None if length == unknown else start + length)


def segment_end(file: BinaryIO, size: int) -> int:
    """Return where the outermost element ends that holds everything; 0 where its length is not known."""
    segment = _segment(file, size)
    return segment.end or 0 if segment else 0


def damaged_stretches(path: str | os.PathLike[str]) -> tuple[Stretch, ...]:
    """Return where what was written is not there any more, in order. What a cut took is no damage.

    A stretch ends where elements follow each other again; it is a whole cluster where only a checksum tells.
    """
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        segment = _segment(file, size)
        if segment is None or segment.start >= size:
            return ()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            is_cut = segment.end is None or segment.end > size
            return tuple(_damage(data, segment.start, min(size, segment.end or size), is_cut))


def _segment(file: BinaryIO, size: int) -> Element | None:
    at = 0
    while at < size:
        file.seek(at)
        element = read_element(file.read(_LONGEST_HEAD), base=at)
        if element is None or element.kind == _SEGMENT:
            return element
        if element.kind != _EBML or element.end is None:
            return None
        at = element.end
    return None


def _damage(data: mmap.mmap, at: int, end: int, is_cut: bool) -> Iterator[Stretch]:
    """Damage to a segment's content."""
    inside = _INSIDE
    unchecked = at  # where the element begins that would hide the first bytes of a stretch
    while at < end:
        element = read_element(data, at)
        is_known = element is not None and element.kind in inside
        if element is not None and is_known and element.end is None:
            inside = _INSIDE | _IN_CLUSTER  # a recording that goes on: blocks follow as if they were outside
            unchecked = at
            at = element.start
        elif element is not None and is_known and element.end is not None and element.end <= end:
            goes_on, unchecked = element.end, at
            if element.kind == _CLUSTER:
                found, unchecked = _damage_of_cluster(data, element.start, element.end, end)
                if found is not None:
                    yield found
                    goes_on = found.end
            at = goes_on
        else:
            again = _next_cluster(data, at + 1, end)
            is_last = again == end and (is_known or (element is None and end - at < _LONGEST_HEAD))
            if not (is_cut and is_last):
                yield Stretch(unchecked, again)
            at = unchecked = again


def _damage_of_cluster(data: mmap.mmap, at: int, stop: int, end: int) -> tuple[Stretch | None, int]:
    """Damage to a cluster up to `stop`, of a segment up to `end`, and from where on nothing vouches for it.

    Bytes that are lost inside a block show where the next one should begin.
    """
    is_told = at + _CRC_BYTES <= stop and data[at] == _CRC and data[at + 1] == 0x84
    if is_told and _checksum(data, at) == zlib.crc32(memoryview(data)[at + _CRC_BYTES : stop]):
        return None, stop
    last, broken = _break(data, at, stop)
    if broken is None:
        return Stretch(at, stop) if is_told else None, last
    is_followed = stop == end or _begins_element(data, stop)
    again = _next_cluster(data, broken, stop if is_followed else end)
    return Stretch(last, again), again


def _checksum(data: mmap.mmap, at: int) -> int:
    return int.from_bytes(data[at + 2 : at + _CRC_BYTES], "little")


def _next_cluster(data: mmap.mmap, at: int, end: int) -> int:
    found = data.find(_CLUSTER_HEAD, at, end)
    return end if found < 0 else found


def _begins_element(data: mmap.mmap, at: int) -> bool:
    element = read_element(data, at)
    return element is not None and element.kind in _INSIDE


def _break(data: mmap.mmap, at: int, end: int) -> tuple[int, int | None]:
    """Where the last element of a cluster begins that another follows, and where none does; None: nowhere."""
    last = at
    while at < end:
        element = read_element(data, at)
        if element is None or element.kind not in _IN_CLUSTER or element.end is None or element.end > end:
            return last, at
        if not _is_sound(data, element, element.end):
            return last, at
        last, at = at, element.end
    return last, None


def _is_sound(data: mmap.mmap, element: Element, end: int) -> bool:
    """Whether a block names a track, and a group's elements follow each other."""
    if element.kind in (_BLOCK, _SIMPLE_BLOCK):
        return element.start < end and data[element.start] != 0
    at = element.start
    while element.kind == _GROUP and at < end:
        inner = read_element(data, at)
        if inner is None or inner.end is None or inner.end > end or not _is_sound(data, inner, inner.end):
            return False
        at = inner.end
    return True
