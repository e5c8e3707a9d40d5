"""Zeros in Motion JPEG's pictures: plain areas, or bytes that were lost.

Zeros are the shortest code of each table. Where those say "as bright as the block before, and nothing more",
a plain area is zeros, too; where they say anything else, no picture is like that. A stretch of zeros is more
blocks than the bytes in whose place it stands, so the picture is full before its scan ends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from random import Random
from typing import Self

from videoxl2.frames.files.payloads.jpeg import FIELD, SCAN, segments

JPEG_END = b"\xff\xd9"
_PROGRESSIVE, _HUFFMAN, _RESTART = 0xC2, 0xC4, 0xDD  # markers
_TABLES = frozenset({_HUFFMAN, 0xDB})  # without a value that repeats, and without zeros
_FILL = 0xFF  # may stand before any marker
_COEFFICIENTS = 0x10  # numbers of their tables; others are for mean values
_PLAIN = bytes(162)  # a table of every pair of a run and a size, the shortest "nothing more"
_USUAL = {0x10: b"\1" + _PLAIN, 0x11: _PLAIN}  # tables that pictures without any take (K.3.3)
_ZEROS = bytes(64)
_LAST, _TRIES = 8, 3  # bytes of a scan that are changed to see whether they matter; how often
_FIELDS = 2  # pictures in a packet; what else is behind them is none
_MANY = 4  # codes in a table, so that some make a plain block another


def lacks_bytes(data: bytes) -> bool:
    """Whether a stretch of the picture, or of its second field, is zeros that no encoder wrote.

    Nobody can know of scans with restart marks, or with tables for nothing but plain areas.
    """
    for _ in range(_FIELDS):
        if data.find(_ZEROS) < 0:
            return False
        scan = _Scan.of(data)
        if scan is None or _has_hole(data, scan):
            return True
        if scan.field < 0:
            return False
        data = data[scan.field :]
    return False


@dataclass(frozen=True)
class _Scan:
    """The first one of a picture, and its tables: what their codes stand for, from the shortest on."""

    head: int
    start: int
    stop: int  # the end of the data where no end is marked
    tables: tuple[bytes, ...]
    has_restarts: bool
    field: int = -1  # where another picture begins

    @classmethod
    def of(cls, data: bytes) -> Self | None:
        """None: there is none, or bytes of its head or tables are lost."""
        tables = dict(_USUAL)
        has_restarts = is_progressive = False
        for marker, start, end in segments(data):
            if marker in _TABLES and data.find(_ZEROS, start, end) >= 0:
                return None
            if marker == _HUFFMAN:
                tables.update(_tables(data, start, end))
            elif marker == _RESTART:
                has_restarts = any(data[start : start + 2])
            elif marker == _PROGRESSIVE:
                is_progressive = True
            elif marker == SCAN:
                if not _is_head(data, start, end, is_progressive):
                    return None
                taken = tuple(tables.get(number, _PLAIN) for number in _taken(data, start))
                stop = data.find(JPEG_END, end)
                if stop < 0:
                    return cls(start, end, len(data), taken, has_restarts)
                return cls(start, end, stop, taken, has_restarts, data.find(FIELD, stop))
        return None


def _has_hole(data: bytes, scan: _Scan) -> bool:
    if data.find(_ZEROS, scan.head, scan.stop) < 0:
        return False  # what follows the end is padding
    if any(not symbols or symbols[0] & 15 for symbols in scan.tables):
        return True
    is_told = scan.stop < len(data) and not scan.has_restarts and len(max(scan.tables, key=len)) >= _MANY
    return is_told and _is_full_early(data[: scan.stop], scan.start)


def _is_head(data: bytes, at: int, end: int, is_progressive: bool) -> bool:
    """Whether a scan's head has components, as many as it says, and no zeros go on from its middle (B.2.3).

    It ends in one byte that may be zero, or, where a scan can have mean values alone, in four.
    """
    last = end - (5 if is_progressive else 2)
    return at < end == at + 4 + 2 * data[at] > at + 4 and data.find(_ZEROS, at, last + len(_ZEROS)) < 0


def _is_full_early(data: bytes, start: int) -> bool:
    """Whether the last bytes of a scan, which begins at `start`, can be any others, and the picture stays."""
    stop = len(data)
    while data[stop - 1] == _FILL:
        stop -= 1
    first = max(start, stop - _LAST)
    while data[first - 1] == _FILL:
        first -= 1
    draw = Random(0)
    others = [bytes(draw.randrange(1, _FILL) for _ in range(first, stop)) for _ in range(_TRIES)]
    changed = [data[:first] + other for other in others]
    return all(_are_alike(data, other, is_draft) for is_draft in (True, False) for other in changed)


def _are_alike(one: bytes, other: bytes, is_draft: bool) -> bool:
    """Whether two pictures are the same; as drafts, which are drawn faster, by one pixel of each block."""
    from PIL import Image  # of all videos few need it

    pixels = []
    for data in (one, other):
        try:
            with Image.open(BytesIO(data + JPEG_END), formats=["JPEG"]) as image:
                if is_draft:
                    image.draft("L", (max(1, image.width // 8), max(1, image.height // 8)))
                pixels.append(image.tobytes())
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            return False  # nobody can say
    return pixels[0] == pixels[1]


def _tables(data: bytes, at: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Their numbers, and what their codes stand for (B.2.4.2)."""
    while at + 17 < end:
        length = sum(data[at + 1 : at + 17])
        yield data[at], data[at + 17 : at + 17 + length]
        at += 17 + length


def _taken(data: bytes, at: int) -> list[int]:
    """The tables that a scan's components take, for mean values and for coefficients (B.2.3)."""
    pairs = data[at + 2 : at + 1 + 2 * data[at] : 2]
    return [table for pair in pairs for table in (pair >> 4, _COEFFICIENTS | pair & 15)]
