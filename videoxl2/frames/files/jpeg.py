"""Motion JPEG's pictures say their own size (ITU-T T.81, B.2.2); a container's header states one for all."""

from av.video.codeccontext import VideoCodecContext

from videoxl2.frames.files.packets import VideoPacket

_BEGIN, _SCAN, _ALONE = 0xD8, 0xDA, {0x01, *range(0xD0, 0xD9)}  # markers; those without content
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


def _size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the first frame header."""
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in _NO_FRAME:
            height, width = (int.from_bytes(data[n : n + 2], "big") for n in (at + 5, at + 7))
            return (width, height) if width and height else None
        if marker == _SCAN:
            return None
        at += 2 if marker in _ALONE else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
