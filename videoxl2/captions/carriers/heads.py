"""Caption bytes at the head of a coded picture (ATSC A/53), in messages or user data before its first slice.

Key pictures have hundreds of KiB, so no more of a packet is looked at than what comes before the slices.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from av.video.stream import VideoStream

from videoxl2.frames.files.packets import VideoPacket

Reader = Callable[[VideoPacket], Iterator[bytes]]  # yields triplets

_START = b"\0\0\1"
_ATSC = b"\xb5\0\x31GA94\3"  # a country, a provider, captions
_USER_DATA = b"\0\0\1\xb2GA94\3"  # of MPEG-2
_REGISTERED = 4  # a message that belongs to who is named in it
_HAS_TRIPLETS = 0x40
_FIRST_LOOK = 2048


@dataclass(frozen=True)
class _Syntax:
    """How a unit of a codec tells its kind."""

    header_bytes: int
    shift: int
    mask: int
    slices: range
    message: int

    def kind(self, first: int) -> int:
        return first >> self.shift & self.mask


_SYNTAX = {
    "h264": _Syntax(1, 0, 31, range(1, 6), 6),
    "hevc": _Syntax(2, 1, 63, range(32), 39),
}


def head_reader(stream: VideoStream) -> Reader | None:
    """What takes triplets from the packets of `stream`; None: its codec has no place for them.

    The reader raises IndexError where a message is longer than what holds it.
    """
    context = stream.codec_context
    codec = context.codec.canonical_name
    if codec == "mpeg2video":
        return _of_mpeg2
    if codec not in _SYNTAX:
        return None
    syntax, length_bytes = _SYNTAX[codec], _length_bytes(codec, bytes(context.extradata or b""))

    def read(packet: VideoPacket) -> Iterator[bytes]:
        data = memoryview(packet)
        units = _counted(data, length_bytes, syntax) if length_bytes else _marked(data, syntax)
        for unit in units:
            yield from _of_messages(unit[syntax.header_bytes :])

    return read


def _length_bytes(codec: str, header: bytes) -> int:
    """Of what comes before each unit; 0: a start code does."""
    place = 4 if codec == "h264" else 21
    return (header[place] & 3) + 1 if len(header) > place and header[0] == 1 else 0


def _counted(data: memoryview, length_bytes: int, syntax: _Syntax) -> Iterator[bytes]:
    """Messages before the first slice, where each unit begins with its length."""
    at = 0
    while at + length_bytes < len(data):
        start = at + length_bytes
        kind = syntax.kind(data[start])
        if kind in syntax.slices:
            return
        at = start + int.from_bytes(data[at:start])
        if kind == syntax.message:
            yield bytes(data[start:at])


def _marked(data: memoryview, syntax: _Syntax) -> Iterator[bytes]:
    """The same where units begin with start codes; looks further while there is no slice."""
    size = _FIRST_LOOK
    while True:
        head = bytes(data[:size])
        units = list(_between_marks(head, syntax))
        if size >= len(data) or (units and syntax.kind(units[-1][0]) in syntax.slices):
            yield from (unit for unit in units if syntax.kind(unit[0]) == syntax.message)
            return
        size *= 4


def _between_marks(head: bytes, syntax: _Syntax) -> Iterator[bytes]:
    """Units up to the first slice."""
    at = head.find(_START)
    while 0 <= at < len(head) - 3:
        following = head.find(_START, at + 3)
        unit = head[at + 3 : following if following >= 0 else len(head)]
        if unit:
            yield unit
            if syntax.kind(unit[0]) in syntax.slices:
                return
        at = following


def _of_messages(unit: bytes) -> Iterator[bytes]:
    body = unit.replace(b"\0\0\3", b"\0\0")  # where the three keeps zeros from being a start code
    at = 0
    while at + 2 < len(body):
        kind, at = _varying(body, at)
        size, at = _varying(body, at)
        if kind == _REGISTERED and body.startswith(_ATSC, at):
            yield from _triplets(body, at + len(_ATSC))
        at += size


def _varying(body: bytes, at: int) -> tuple[int, int]:
    """A number in as many bytes as it takes, and what comes after it."""
    number = 0
    while body[at] == 255:
        number += 255
        at += 1
    return number + body[at], at + 1


def _of_mpeg2(packet: VideoPacket) -> Iterator[bytes]:
    """A packet can hold two fields with data of their own."""
    head = bytes(memoryview(packet)[:4096])
    at = head.find(_USER_DATA)
    if at >= 0:
        yield from _triplets(head, at + len(_USER_DATA))


def _triplets(body: bytes, at: int) -> Iterator[bytes]:
    """From the byte that says whether there are any, and how many."""
    if body[at] & _HAS_TRIPLETS:
        yield body[at + 2 : at + 2 + 3 * (body[at] & 31)]
