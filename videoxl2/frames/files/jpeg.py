"""Motion JPEG's pictures say their own size (ITU-T T.81, B.2.2); a container's header states one for all."""

from collections.abc import Iterator

from av.video.codeccontext import VideoCodecContext

from videoxl2.frames.files.packets import VideoPacket

_BEGIN, _SCAN, _ALONE = 0xD8, 0xDA, {0x01, *range(0xD0, 0xD9)}  # markers; those without content
_HUFFMAN, _END = 0xC4, b"\xff\xd9"
_COEFFICIENTS = 0x10  # numbers of their tables; others are for mean values
_USUAL = {0x10: 0x01, 0x11: 0x00}  # shortest codes of the tables that pictures without any take (K.3.3)
_ZEROS = bytes(64)
_NO_FRAME = {0xC4, 0xC8, 0xCC}  # tables among the frame headers


def state_own_size(context: VideoCodecContext, packet: VideoPacket) -> None:
    """Tell a decoder that is not open yet how large the first picture is that it will be given.

    It takes a picture lower than three quarters of what is stated for one of two fields. Fields come as two
    pictures in one packet.
    """
    if context.name != "mjpeg" or context.is_open:
        return
    data = bytes(packet)
    size = _size(data)
    if size is not None and data.find(bytes([0xFF, _BEGIN, 0xFF]), 2) < 0:
        context.width, context.height = size


def lacks_bytes(data: bytes) -> bool:
    """Whether a stretch of the picture is zeros that no encoder wrote.

    Zeros are the shortest code of each table. Where that says "nothing more in this block", a black area is
    zeros, too, and nobody can know; where it says that one more coefficient follows, no picture is like that.
    """
    if data.find(_ZEROS) < 0:
        return False
    more = dict(_USUAL)
    for marker, start, end in _segments(data):
        if marker == _HUFFMAN:
            more.update(_shortest(data, start, end))
        elif marker == _SCAN:
            return _has_zeros(data, end) and any(more.get(table, 0) & 15 for table in _tables(data, start))
    return True  # there is no scan


def _has_zeros(data: bytes, at: int) -> bool:
    """Whether there are any in a picture's scans, which begin at `at`; what follows their end is padding."""
    end = data.rfind(_END, at)
    return data.find(_ZEROS, at, end if end >= 0 else len(data)) >= 0


def _shortest(data: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """The symbol of the shortest code of each table for coefficients, by its number (B.2.4.2)."""
    while at + 17 < end:
        yield data[at], data[at + 17]
        at += 17 + sum(data[at + 1 : at + 17])


def _tables(data: bytes, at: int) -> list[int]:
    """The tables that a scan's components take for their coefficients (B.2.3)."""
    return [_COEFFICIENTS | data[n] & 15 for n in range(at + 2, at + 1 + 2 * data[at], 2)]


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the first frame header."""
    for marker, start, end in _segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME and end - start >= 5:
            height, width = (int.from_bytes(data[n : n + 2], "big") for n in (start + 1, start + 3))
            return (width, height) if width and height else None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker and content, from byte to byte, up to the head of the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        length = 0 if marker in _ALONE else int.from_bytes(data[at + 2 : at + 4], "big")
        start, at = at + 4, at + 2 + length
        if length >= 2 and at <= len(data):
            yield marker, start, at
        if marker == _SCAN:
            return
