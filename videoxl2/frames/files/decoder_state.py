"""What a decoder is told once and must know wherever it is entered.

A palette, a changed codec description and changed parameter sets travel with one packet. Whoever skips that
packet, or enters the file behind it, would decode with the wrong ones or with none. So they are noted while
packets pass, those of skipped GOPs included, and every later key carries the latest of them.
"""

import re
from collections.abc import Iterable, Iterator

from av.packet import PacketSideData

from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.container import OpenVideo
from videoxl2.frames.files.packets import VideoPacket

# FFmpeg's numbers for the kinds of side data (libavcodec/packet.h), by PyAV's names.
_KINDS = {"palette": 0, "new_extradata": 1, "param_change": 2}
# These carry everything in the stream itself; asking each packet would only cost time.
_WITHOUT_SIDE_DATA = frozenset({"mpegts", "mpeg"})

_LOOKED_AT = 8192  # bytes at the start of a packet that can hold parameter sets
_FIRST_AT = 512  # and by where the first of them has begun
_START = re.compile(rb"\x00\x00\x01", re.DOTALL)
_HAS_SETS = {
    "h264": re.compile(rb"\x00\x00\x01[\x07\x08\x27\x28\x47\x48\x67\x68]", re.DOTALL),
    "hevc": re.compile(rb"\x00\x00\x01[\x40-\x45]", re.DOTALL),
}


class DecoderState:
    """The latest of each kind, of one stream of an opened file."""

    def __init__(self, video: OpenVideo) -> None:
        context = video.stream.codec_context
        self._kept: dict[str, bytes] = {}
        self._has_side_data = video.demuxer not in _WITHOUT_SIDE_DATA
        is_annex_b = (context.extradata or b"\0")[:1] != b"\1"
        codec = codec_of(context)
        self._in_band = codec if is_annex_b and codec in _HAS_SETS else None

    def carried(self, packets: Iterable[VideoPacket]) -> Iterator[VideoPacket]:
        """The same packets, in order; keys know what came before."""
        for packet in packets:
            self.note(packet)
            if self._kept and packet.is_keyframe:
                self._give(packet)
            yield packet

    def note(self, packet: VideoPacket) -> None:
        """Keep what this packet tells its decoder."""
        if self._has_side_data:
            for told in packet.iter_sidedata():
                if told.data_type in _KINDS:
                    self._kept[told.data_type] = bytes(told)
        if self._in_band is not None and (sets := _parameter_sets(packet, self._in_band)):
            self._kept["new_extradata"] = sets

    def _give(self, packet: VideoPacket) -> None:
        own = {told.data_type for told in packet.iter_sidedata()}
        for kind, value in self._kept.items():
            if kind not in own:
                tell(packet, kind, value)


def tell(packet: VideoPacket, kind: str, value: bytes) -> None:
    """Let the packet's decoder know `value` before it reads the packet."""
    side_data = PacketSideData(_KINDS[kind], len(value))  # type: ignore[call-arg]  # the stubs lack it
    side_data.update(value)
    packet.set_sidedata(side_data)


def _parameter_sets(packet: VideoPacket, codec: str) -> bytes:
    """The sets ahead of the packet's first slice, as an Annex B stream (ITU-T H.264 and H.265, annex B)."""
    data = memoryview(packet)
    if not _HAS_SETS[codec].search(data[:_FIRST_AT]):
        return b""
    head = bytes(data[:_LOOKED_AT])
    starts = [found.start() for found in _START.finditer(head)]
    sets = b""
    for start, end in zip(starts, [*starts[1:], len(head)], strict=True):
        if start + 3 >= len(head) or _is_slice(head[start + 3], codec):
            break
        if _HAS_SETS[codec].match(head, start):
            sets += head[start:end]
    return sets


def _is_slice(header: int, codec: str) -> bool:
    return 1 <= header & 31 <= 5 if codec == "h264" else header >> 1 & 63 < 32
