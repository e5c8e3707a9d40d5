"""Where MPEG-4 (part 2) goes on under another description, as where files of other sizes were put together.

Its decoder takes up another size at once and forgets the picture that it holds back until its turn; so it is
to be emptied first. A description is a video object layer (ISO 14496-2, 6.2.3).
"""

import re

from av.video.codeccontext import VideoCodecContext

from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.packets import VideoPacket

_CODEC = "mpeg4"
_LOOKED_AT = 512  # bytes at the start of a key in which it stands
_LAYER = re.compile(rb"\x00\x00\x01[\x20-\x2f].*?(?=\x00\x00\x01|\Z)", re.DOTALL)


class Layers:
    """The description that a decoder is under, from key to key."""

    def __init__(self, context: VideoCodecContext) -> None:
        self._can_change = codec_of(context) == _CODEC
        self._last = _layer_in(context.extradata or b"") if self._can_change else None

    def change_at(self, packet: VideoPacket) -> bool:
        """Whether the packet brings another one."""
        if not (self._can_change and packet.is_keyframe):
            return False
        before, layer = self._last, _layer_in(bytes(memoryview(packet)[:_LOOKED_AT]))
        self._last = layer or before
        return None not in (before, layer) and layer != before


def _layer_in(head: bytes) -> bytes | None:
    found = _LAYER.search(head)
    return found.group() if found else None
