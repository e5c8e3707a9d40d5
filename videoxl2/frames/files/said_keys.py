"""Packets that their container calls keys, wrongly or not."""

from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.kept_areas import can_keep_areas, keeps_areas
from videoxl2.frames.files.picture_types import needs_others, says_type

# Following the codes of a whole picture costs more than decoding it, so true keys in a row are believed.
_IN_A_ROW = 16
_THEN_EVERY = 32


class SaidKeys:
    """A check of the container's word on keys, over one pass of a stream."""

    def __init__(self, stream: VideoStream) -> None:
        self._context = stream.codec_context
        self._codec = codec_of(self._context)
        self._says_type = says_type(self._codec)
        self._can_keep_areas = can_keep_areas(self._codec)
        self._num_true = 0  # in a row, those not asked among them

    def is_wrong_of(self, packet: "Packet[Stream]") -> bool:
        """Whether a packet called a key needs the pictures before it. A film's first has none."""
        if not (self._says_type or self._can_keep_areas):
            return False
        if (packet.dts if packet.pts is None else packet.pts) == packet.stream.start_time:
            return False
        if self._says_type:
            return needs_others(self._codec, memoryview(packet), self._context.extradata)
        is_asked = self._num_true < _IN_A_ROW or self._num_true % _THEN_EVERY == 0
        is_wrong = is_asked and self._keeps_areas(packet)
        self._num_true = 0 if is_wrong else self._num_true + 1
        return is_wrong

    def _keeps_areas(self, packet: "Packet[Stream]") -> bool:
        context = self._context
        size = context.width, context.height
        return keeps_areas(self._codec, bytes(packet), *size, context.bits_per_coded_sample)
