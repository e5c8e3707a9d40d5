"""Matroska's elements (RFC 8794, RFC 9559): where they end, and whether any is damaged.

FFmpeg steps over damaged stretches without a word and goes on at the next cluster. So clusters are looked at:
by their checksum where they have one, else by whether their elements follow each other up to their end.
"""

import mmap
import os
import zlib
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
_CRC_BYTES = 6  # the whole element
_LONGEST_HEAD = 12


class Element(NamedTuple):
    """Where an element's content lies, in bytes of the file; `end` is None where its length is not known."""

    kind: int
    start: int
    end: int | None


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
    """Where the outermost element ends that holds everything; 0 where its length is not known."""
    segment = _segment(file, size)
    return segment.end or 0 if segment else 0


def has_damaged_clusters(path: str | os.PathLike[str]) -> bool:
    """Whether a cluster's content is not what was written. What a cut took is no damage."""
    with Path(path).open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        segment = _segment(file, size)
        if segment is None:
            return False
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            is_cut = segment.end is None or segment.end > size
            return _has_damage(data, segment.start, min(size, segment.end or size), is_cut)


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


def _has_damage(data: mmap.mmap, at: int, end: int, is_cut: bool) -> bool:
    is_live = False
    while at < end:
        element = read_element(data, at)
        if element is None:
            return not is_cut or end - at >= _LONGEST_HEAD
        if element.end is None:
            is_live = True
            at = element.start  # a recording that goes on: what is inside follows as if it were outside
            continue
        if element.kind not in _INSIDE and not is_live:
            return True
        if element.end > end:
            return not is_cut
        if element.kind == _CLUSTER and _is_damaged(data, element.start, element.end):
            return True
        at = element.end
    return False


def _is_damaged(data: mmap.mmap, at: int, end: int) -> bool:
    """Of one cluster's content."""
    if at + _CRC_BYTES <= end and data[at] == _CRC and data[at + 1] == 0x84:
        told = int.from_bytes(data[at + 2 : at + _CRC_BYTES], "little")
        return zlib.crc32(memoryview(data)[at + _CRC_BYTES : end]) != told
    while at < end:
        element = read_element(data, at)
        if element is None or element.end is None or element.end > end:
            return True
        at = element.end
    return False
