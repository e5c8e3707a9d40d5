"""QuickTime edit lists: written into a file by hand, and what they show."""

import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction

from oddfilms.recipe import Edit

_MEDIA_SCALE = 90_000  # as `making` asks the muxer for
_NESTED = (b"moov", b"trak")


def with_edits(content: bytes, edits: Sequence[Edit]) -> bytes:
    """An MP4 or QuickTime file of one track, `moov` at its end, with an edit list put into the track."""
    rows = b"".join(
        struct.pack(">Iihh", edit.length_ms, _media_ticks(edit), 1, 0)  # the movie's scale is milliseconds
        for edit in edits
    )
    elst = _box(b"elst", struct.pack(">II", 0, len(edits)) + rows)
    return _inserted(content, _box(b"edts", elst))


def shown_by_edits(
    edits: Sequence[Edit], media_s: Sequence[Fraction]
) -> tuple[list[tuple[int, Fraction]], Fraction]:
    """Pictures with the film's seconds at which they begin, and the film's end.

    `media_s` is when each picture begins on the media's clock, and when the last one ends. The film's
    clock starts where its first picture does: what only waits before it is not counted.
    """
    shown: list[tuple[int, Fraction]] = []
    at_s = end_s = Fraction(0)
    for edit in edits:
        length_s = Fraction(edit.length_ms, 1000)
        if edit.media_ms is not None:
            from_s = Fraction(_media_ticks(edit), _MEDIA_SCALE)
            to_s = min(from_s + length_s, media_s[-1])
            for number in range(len(media_s) - 1):
                if media_s[number + 1] > from_s and media_s[number] < to_s:
                    shown.append((number, at_s + max(Fraction(0), media_s[number] - from_s)))
            end_s = at_s + max(Fraction(0), to_s - from_s)
        at_s += length_s
    first_s = shown[0][1]
    return [(number, start_s - first_s) for number, start_s in shown], end_s - first_s


def _media_ticks(edit: Edit) -> int:
    return -1 if edit.media_ms is None else edit.media_ms * _MEDIA_SCALE // 1000


def _inserted(content: bytes, edts: bytes) -> bytes:
    """The content with a box put after the track's header, and the boxes around it grown."""
    grown = bytearray(content)
    start, end = 0, len(content)
    for name in _NESTED:
        start, end = next((at, at + size) for at, size, found in _boxes(content, start, end) if found == name)
        struct.pack_into(">I", grown, start, end - start + len(edts))
        start += 8
    after = next(at + size for at, size, found in _boxes(content, start, end) if found == b"tkhd")
    return bytes(grown[:after]) + edts + bytes(grown[after:])


def _boxes(content: bytes, start: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", content, start)
        size = size or end - start
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, start + 8)
        yield start, size, name
        start += size


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content
