"""Where the elements of a file stop following each other: bytes are lost there, and FFmpeg steps over them.

In AVI, Flash, MXF, Ogg and program streams each element says where the next one begins. ASF and Matroska have
modules of their own.
"""

import mmap
import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from videoxl2.frames.files.formats.asf_packets import broken_packets
from videoxl2.frames.files.formats.matroska import Stretch, damaged_stretches

Data = mmap.mmap
_MATROSKA = "matroska,webm"


def lost_stretches(path: str | os.PathLike[str], demuxer: str) -> tuple[Stretch, ...]:
    """Return where what was written is not there any more, in order. What a cut took is no damage.

    A stretch begins with the last element before it, whose end may be lost, too.
    """
    if demuxer == _MATROSKA:
        return damaged_stretches(path)
    if demuxer not in _CHAINS and demuxer != "asf":
        return ()
    with Path(path).open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return tuple(broken_packets(data) if demuxer == "asf" else _broken(data, _CHAINS[demuxer]))


@dataclass(frozen=True)
class _Chain:
    """How elements follow each other: where the one at a byte ends (None: none begins there), where to begin,
    what the first bytes of one look like that is looked for, and, where no header tells how far a file goes,
    whether the element at a byte is the last of all."""

    end: Callable[[Data, int], int | None]
    start: Callable[[Data], int]
    head: "re.Pattern[bytes]"
    is_last: Callable[[Data, int], bool] = lambda data, at: True


def _broken(data: Data, chain: _Chain) -> Iterator[Stretch]:
    last = at = chain.start(data)
    while at < len(data):
        end = chain.end(data, at)
        if end is not None and end <= len(data):
            last, at = at, end
            continue
        again = _again(data, at + 1, chain)
        if again is None:  # a cut, or what some recorders leave behind the end
            if (
                len(data) - at >= len(_SECTOR)
                and data[-len(_SECTOR) :] == _SECTOR
                and not chain.is_last(data, last)
            ):
                yield Stretch(last, len(data))
            return
        yield Stretch(last, again)
        last = at = again


def _again(data: Data, at: int, chain: _Chain) -> int | None:
    """Where two elements follow each other again."""
    for found in chain.head.finditer(data, at):
        end = chain.end(data, found.start())
        if end is not None and (end == len(data) or (end < len(data) and chain.end(data, end) is not None)):
            return found.start()
    return None


def _chunk_end(data: Data, at: int) -> int | None:
    """AVI: a chunk's, or the head's of a list, whose chunks follow as if they were outside."""
    head = data[at : at + 8]
    if not _CHUNK.fullmatch(head[:4]) or len(head) < 8:
        return None
    if head[:4] in (b"RIFF", b"LIST"):
        return at + 12
    end = at + 8 + int.from_bytes(head[4:], "little")
    # A byte fills an odd one up, though not by every writer.
    is_padded = end % 2 != at % 2 and not _IN_MOVIE.match(data[end : end + 4])
    return end + is_padded


def _tag_end(data: Data, at: int) -> int | None:
    """Flash (FLV 10.1, E.4.1)."""
    head = data[at : at + 11]
    if len(head) < 11 or head[0] & 0x1F not in (8, 9, 18) or any(head[8:]):
        return None
    end = at + 15 + int.from_bytes(head[1:4])
    told = data[end - 4 : end]
    return end if len(told) < 4 or int.from_bytes(told) in (0, end - at - 4) else None


def _set_end(data: Data, at: int) -> int | None:
    """MXF: key, length, value (SMPTE 377)."""
    if data[at : at + 4] != _LABEL or at + 17 > len(data):
        return None
    first = data[at + 16]
    if first < 0x80:
        return at + 17 + first
    wide = first & 0x7F
    return at + 17 + wide + int.from_bytes(data[at + 17 : at + 17 + wide]) if 0 < wide <= 8 else None


def _page_end(data: Data, at: int) -> int | None:
    """Ogg: of a page that is what its checksum was made of (RFC 3533, 6)."""
    if data[at : at + 4] != b"OggS" or at + 27 > len(data):
        return None
    num_segments = data[at + 26]
    body = at + 27 + num_segments
    end = body + sum(data[at + 27 : body])
    if end > len(data):
        return end
    page = data[at : at + 22] + bytes(4) + data[at + 26 : end]
    # The same polynomial as zlib's, with the bits of each byte, and of the result, the other way round.
    turned = zlib.crc32(page.translate(_TURNED), _FROM_ZERO) ^ _FROM_ZERO
    return end if turned == int.from_bytes(data[at + 22 : at + 26].translate(_TURNED), "big") else None


def _pack_end(data: Data, at: int) -> int | None:
    """Program streams: a pack's head, or one packet (ISO 13818-1, 2.5.3; ISO 11172-1, 2.4.3)."""
    head = data[at : at + 14]
    if head[:3] != b"\0\0\1" or len(head) < 6:
        return None
    if head[3] == 0xBA and len(head) == 14:
        return at + (14 + (head[13] & 7) if head[4] >> 6 == 1 else 12)
    if head[3] == 0xB9:
        return at + 4
    return at + 6 + int.from_bytes(head[4:6]) if head[3] > 0xBA else None


def _first_label(data: Data) -> int:
    return max(0, data.find(_LABEL, 0, _RUN_IN + 4))


def _first_pack(data: Data) -> int:
    return max(0, data.find(b"\0\0\1\xba"))


_SECTOR = bytes(2048)  # up to so much a disc is filled up with zeros
_IN_MOVIE = re.compile(rb"\d\d(?:d[bc]|wb|tx|pc)|idx1|LIST|RIFF|JUNK|ix\d\d")
_CHUNK = re.compile(rb"[0-9A-Za-z ]{4}")
_LABEL, _RUN_IN = b"\x06\x0e\x2b\x34", 65_536
_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_FROM_ZERO = 0xFFFFFFFF
_CHAINS = {
    "avi": _Chain(_chunk_end, lambda data: 0, _IN_MOVIE),
    "flv": _Chain(_tag_end, lambda data: 13, re.compile(rb"[\x08\x09\x12].{7}\x00\x00\x00", re.DOTALL)),
    "mxf": _Chain(_set_end, _first_label, re.compile(re.escape(_LABEL))),
    "ogg": _Chain(_page_end, lambda data: 0, re.compile(rb"OggS"), lambda data, at: data[at + 5] & 4 != 0),
    "mpeg": _Chain(
        _pack_end, _first_pack, re.compile(rb"\x00\x00\x01\xba"), lambda data, at: data[at + 3] == 0xB9
    ),
}
