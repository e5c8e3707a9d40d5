"""Zeros where bytes were lost: downloads that never finished, blocks that a disk could not read.

What MPEG's video codecs write has no long runs of zeros, as those would look like start codes; only before a
start code, or behind a picture, may zeros fill it up.
"""

import re

from videoxl2.frames.files.packets import VideoPacket

_WITHOUT_ZEROS = frozenset({"h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4"})
_ZEROS = bytes(64)
_NOT_ZERO = re.compile(rb"[^\0]", re.DOTALL)


def is_holed(packet: VideoPacket) -> bool:
    """Whether a stretch of the packet is zeros that no encoder wrote."""
    if packet.stream.codec_context.name not in _WITHOUT_ZEROS:
        return False
    data = bytes(packet)
    at = data.find(_ZEROS)
    while at >= 0:
        end = _NOT_ZERO.search(data, at)
        if end is None:
            return at == 0
        if data[end.start()] != 1:
            return True
        at = data.find(_ZEROS, end.start())
    return False
