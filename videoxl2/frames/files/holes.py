"""Zeros where bytes were lost: downloads that never finished, blocks that a disk could not read.

What video codecs write has no long runs of zeros: in MPEG's they would look like start codes, and only before
such a code, or behind a picture, may zeros fill it up; arithmetic coders have a few in a row at most. Motion
JPEG has its own rule.
"""

import re

from videoxl2.frames.files.jpeg import lacks_bytes
from videoxl2.frames.files.packets import VideoPacket

_NAL_UNITS = frozenset({"h264", "hevc"})
_ARITHMETIC = frozenset({"vp8", "vp9", "av1"})
_WITHOUT_ZEROS = _NAL_UNITS | _ARITHMETIC | {"mpeg1video", "mpeg2video", "mpeg4"}
_ZEROS = bytes(64)
_FEW_ZEROS = bytes(16)  # more than any coder ends with
_NO_HEAD = bytes(4)  # neither a length nor a picture's header
_NOT_ZERO = re.compile(rb"[^\0]", re.DOTALL)


def is_holed(packet: VideoPacket) -> bool:
    """Whether the packet begins with, or holds, a stretch of zeros that no encoder wrote."""
    codec = packet.stream.codec_context.name
    if codec == "mjpeg":
        return lacks_bytes(bytes(packet))
    if codec not in _WITHOUT_ZEROS:
        return False
    data = bytes(packet)
    if data.startswith(_NO_HEAD) and _fills_packets(packet, codec):
        return True
    at = data.find(_ZEROS)
    while at >= 0:
        end = _NOT_ZERO.search(data, at)
        if end is None:
            return at == 0
        if data[end.start()] != 1 or codec in _ARITHMETIC:
            return True
        at = data.find(_ZEROS, end.start())
    return False


def ends_in_zeros(packet: VideoPacket) -> bool:
    """Whether the packet ends in zeros where pictures fill their packets; some encoders write them always."""
    data = memoryview(packet)
    if packet.size <= len(_FEW_ZEROS) or data[-len(_FEW_ZEROS) :] != _FEW_ZEROS:
        return False
    return _fills_packets(packet, packet.stream.codec_context.name)


def _fills_packets(packet: VideoPacket, codec: str) -> bool:
    """Whether pictures end with a byte that is not zero, and nothing comes before them.

    NAL units do where lengths stand before them, and not start codes (ISO 14496-15, 5.3.3.1).
    """
    is_length_prefixed = codec in _NAL_UNITS and (packet.stream.codec_context.extradata or b"")[:1] == b"\1"
    return is_length_prefixed or codec in _ARITHMETIC
