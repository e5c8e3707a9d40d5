"""Motion JPEG's pictures say their own size (ITU-T T.81, B.2.2); a container's header states one for all."""

from collections.abc import Iterator

from av.video.codeccontext import VideoCodecContext

from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.packets import VideoPacket

SCAN = 0xDA  # marker of a scan's head
FIELD = b"\xff\xd8\xff"  # the first bytes of a picture
_ALONE = {0x01, *range(0xD0, 0xD9)}  # markers without content
_NO_FRAME = {0xC4, 0xC8, 0xCC}  # tables among the frame headers


def state_own_size(context: VideoCodecContext, packet: VideoPacket) -> None:
    """Tell a decoder that is not open yet how large the first picture is that it will be given.

    It takes a picture lower than three quarters of what is stated for one of two fields. Fields come as two
    pictures in one packet.
    """
    if codec_of(context) != "mjpeg" or context.is_open:
        return
    data = bytes(packet)
    size = _size(data)
    if size is not None and data.find(FIELD, 2) < 0:
        context.width, context.height = size


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the first frame header."""
    for marker, start, end in segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME and end - start >= 5:
            height, width = (int.from_bytes(data[n : n + 2], "big") for n in (start + 1, start + 3))
            return (width, height) if width and height else None
    return None


def segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker and content, from byte to byte, up to the head of the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        length = 0 if marker in _ALONE else int.from_bytes(data[at + 2 : at + 4], "big")
        start, at = at + 4, at + 2 + length
        if length >= 2 and at <= len(data):
            yield marker, start, at
        if marker == SCAN:
            return
