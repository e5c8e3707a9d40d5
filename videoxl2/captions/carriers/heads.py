"""Caption bytes at the head of a coded picture (ATSC A/53), in messages or user data before its first slice.

Key pictures have hundreds of KiB, so no more of a packet is looked at than what comes before the slices.
"""

from collections.abc import Callable
from typing import NamedTuple

from av.video.stream import VideoStream

from videoxl2.frames.files.packets import VideoPacket

Reader = Callable[[VideoPacket], list[bytes]]  # gives triplets

_START = b"\0\0\1"
_ATSC = b"\xb5\0\x31GA94\3"  # a message: of a country, by a provider, captions
_USER_DATA = b"\0\0\1\xb2GA94\3"  # of MPEG-2
_GUARDED = b"\0\0\3"  # a three that keeps zeros from being a start code
_HAS_TRIPLETS = 0x40
_FIRST_LOOK = 512
_KEY_HEAD = 4096


class _Syntax(NamedTuple):
    """How a unit of a codec tells its kind, and which kinds matter."""

    shift: int
    mask: int
    slices: frozenset[int]
    message: int


_SYNTAX = {
    "h264": _Syntax(0, 31, frozenset(range(1, 6)), 6),
    "hevc": _Syntax(1, 63, frozenset(range(32)), 39),
}


def head_reader(stream: VideoStream) -> Reader | None:
    """Return what takes triplets from the packets of `stream`; None: its codec has no place for them.

    The reader raises ValueError where captions are cut off.
    """
    context = stream.codec_context
    codec = context.codec.canonical_name
    if codec == "mpeg2video":
        return _of_mpeg2
    if codec not in _SYNTAX:
        return None
    syntax, length_bytes = _SYNTAX[codec], _length_bytes(codec, bytes(context.extradata or b""))

    def read(packet: VideoPacket) -> list[bytes]:
        data = memoryview(packet)
        size = _FIRST_LOOK
        while True:
            head = bytes(data[:size])
            if (found := _at_once(head)) is not None:
                return found
            is_all = size >= len(data)
            units = _counted(head, length_bytes, syntax) if length_bytes else _marked(head, syntax)
            if units is not None or is_all:
                return _of_messages(units or [])
            size *= 4

    return read


def _at_once(head: bytes) -> list[bytes] | None:
    """Triplets of a picture's only message, as most pictures have it; None: look at its units."""
    start = head.find(_ATSC)
    at = start + len(_ATSC)
    if start > 0 and at < len(head):
        end = at + 2 + 3 * (head[at] & 31)
        is_whole = end <= min(len(head), start + head[start - 1])  # before it stands its length
        if is_whole and _GUARDED not in head[at:end] and _ATSC not in head[end:]:
            return [head[at + 2 : end]] if head[at] & _HAS_TRIPLETS else []
    return None


def _length_bytes(codec: str, header: bytes) -> int:
    """Bytes of the length before each unit; 0: a start code is there instead."""
    place = 4 if codec == "h264" else 21
    return (header[place] & 3) + 1 if len(header) > place and header[0] == 1 else 0


def _counted(head: bytes, length_bytes: int, syntax: _Syntax) -> list[bytes] | None:
    """Messages before the first slice, where each unit begins with its length; None: there is none yet."""
    found: list[bytes] = []
    shift, mask, slices, message = syntax
    at, end = 0, len(head)
    while (start := at + length_bytes) < end:
        kind = head[start] >> shift & mask
        if kind in slices:
            return found
        at = start + int.from_bytes(head[at:start])
        if kind == message:
            found.append(head[start:at])
    return None


def _marked(head: bytes, syntax: _Syntax) -> list[bytes] | None:
    """The same where units begin with start codes."""
    found: list[bytes] = []
    shift, mask, slices, message = syntax
    at, last = head.find(_START), len(head) - 3
    while 0 <= at < last:
        kind = head[at + 3] >> shift & mask
        if kind in slices:
            return found
        following = head.find(_START, at + 3)
        if kind == message:
            found.append(head[at + 3 : following])
        at = following
    return None


def _of_messages(units: list[bytes]) -> list[bytes]:
    found: list[bytes] = []
    for unit in units:
        body = unit.replace(_GUARDED, b"\0\0") if _GUARDED in unit else unit
        found += _triplets(body, _ATSC)
    return found


def _of_mpeg2(packet: VideoPacket) -> list[bytes]:
    size = _KEY_HEAD if packet.is_keyframe else _FIRST_LOOK  # keys have headers of their sequence, too
    return _triplets(bytes(memoryview(packet)[:size]), _USER_DATA)


def _triplets(body: bytes, mark: bytes) -> list[bytes]:
    """Those behind each mark: one byte says whether there are any and how many, and another comes between."""
    found: list[bytes] = []
    at = body.find(mark)
    while at >= 0:
        at += len(mark)
        if at < len(body) and body[at] & _HAS_TRIPLETS:
            num_bytes = 3 * (body[at] & 31)
            found.append(body[at + 2 : at + 2 + num_bytes])
            if len(found[-1]) < num_bytes:
                raise ValueError("captions are cut off")
        at = body.find(mark, at)
    return found
