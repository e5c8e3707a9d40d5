"""Packets in, pictures out, for one stretch of a stream at a time."""

from collections import deque
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, islice, takewhile

from av.error import FFmpegError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.container import OpenVideo
from videoxl2.frames.files.decoder_state import tell
from videoxl2.frames.files.packets import Damage, VideoPacket
from videoxl2.frames.files.payloads.holes import ends_in_zeros, is_holed
from videoxl2.frames.files.payloads.jpeg import state_own_size
from videoxl2.frames.files.payloads.mpeg4_layers import Layers

_MOST_HELD_BACK = 32  # pictures that a decoder has been fed and not given yet; codecs allow 16


@dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture at full size, and whether its pixels can be trusted."""

    frame: VideoFrame
    is_damaged: bool


class Decoder:
    """The stream's codec, entered afresh for every stretch.

    Starting from a flushed codec makes the pictures of a sound stretch depend on its packets alone;
    whoever reads the same stretch in another task gets the same bytes.
    """

    def __init__(self, video: OpenVideo, damage: Damage, pads_with_zeros: bool = False) -> None:
        """`pads_with_zeros`: packets may end in zeros, and nothing is lost."""
        self.damage = damage
        self._pads_with_zeros = pads_with_zeros
        self._doubt_from: int | None = None  # pts of the latest damage that later pictures may have copied
        self._fed: deque[int | None] = deque(maxlen=_MOST_HELD_BACK)
        self._before_doubt: frozenset[int | None] = frozenset()  # fed before the damage, shown after it
        self._corrupt: deque[int | None] = deque(maxlen=_MOST_HELD_BACK)  # pts of damaged packets
        self._is_shaken = False  # by damage that no picture referring to others came after
        self._drained: list[Picture] = []
        self._take_up(video.stream.codec_context)

    @property
    def num_refused(self) -> int:
        """Packets refused so far."""
        return self.damage.broken_packets

    def pictures(
        self, packets: Iterable[VideoPacket], wanted: Container[int | None] | None = None
    ) -> Iterator[Picture]:
        """Pictures in the order they are shown, refused packets counted and passed over.

        With `wanted` (pts), a picture that is neither wanted nor referred to may be missing. That is where
        the time is saved: in H.264 and HEVC about half of all pictures are such.
        """
        if self._context.is_open:
            self._begin()
        self._doubt_from = None
        self._fed.clear()
        self._corrupt.clear()
        is_first = True
        for packet in chain(self._steadied(packets), [None]):
            yield from self._drained
            self._drained = []
            if packet is not None and packet.stream.codec_context is not self._context:
                for frame in self._decode(None):  # another stream takes its turn
                    yield Picture(frame, self._is_damaged(frame))
                self._take_up(packet.stream.codec_context)
                is_first = True
            if is_first and packet is not None:
                self._open(packet)
                self._retell(packet)
            is_first = False
            if packet is not None and self._layers.change_at(packet):
                for frame in self._decode(None):  # what it holds back would be forgotten
                    yield Picture(frame, self._is_damaged(frame))
                self._begin()
            if wanted is not None and packet is not None:
                self._context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            for frame in self._decode(packet):
                yield Picture(frame, self._is_damaged(frame))

    def _steadied(self, packets: Iterable[VideoPacket]) -> Iterator[VideoPacket]:
        """The same packets. H.264's decoder keeps more of damage than a flush or a key takes away: the next
        picture that refers to others comes out wrong. Such a one is decoded before, and not shown.
        """
        coming = iter(packets)
        for packet in coming:
            if not (self._is_shaken and packet.is_keyframe and self._keeps_damage(packet)):
                yield packet
                continue
            others: list[VideoPacket] = []
            for other in islice(coming, _MOST_HELD_BACK):
                others.append(other)
                if (other.pts or 0) > (packet.pts or 0):
                    break
            self._drained = [Picture(frame, self._is_damaged(frame)) for frame in self._decode(None)]
            self._begin()
            for unseen in (packet, *others[-1:]):
                with suppress(FFmpegError):
                    self._context.decode(unseen)
            self._begin()
            self._is_shaken = False
            yield from (packet, *others)

    def _keeps_damage(self, packet: VideoPacket) -> bool:
        return packet.stream.codec_context is self._context and codec_of(self._context) == "h264"

    def _take_up(self, context: VideoCodecContext) -> None:
        self._context = context
        self._first_description = context.extradata
        self._was_told = False  # another description since
        self._layers = Layers(context)

    def _open(self, packet: VideoPacket) -> None:
        """Opened while nothing is skipped: dav1d looks at skip_frame once, when it opens, and would then drop
        pictures for good.
        """
        if not self._context.is_open:
            state_own_size(self._context, packet)
            self._context.open(strict=False)
        self._begin()

    def _begin(self) -> None:
        self._context.flush_buffers()
        self._context.skip_frame = "DEFAULT"

    def _retell(self, packet: VideoPacket) -> None:
        """A decoder that has been told of what comes later must hear the first description again."""
        is_told = packet.has_sidedata("new_extradata")
        if self._was_told and not is_told and self._first_description:
            tell(packet, "new_extradata", self._first_description)
        self._was_told = is_told

    def _decode(self, packet: VideoPacket | None) -> Iterator[VideoFrame]:
        if packet is not None:
            if packet.is_corrupt or self._is_holed(packet):
                packet.is_corrupt = True
                self.damage.harmed_packets += 1
                self._corrupt.append(packet.pts)
                self._doubt(packet.pts)
            self._was_told = self._was_told or packet.has_sidedata("new_extradata")
            self._fed.append(packet.pts)
        try:
            yield from self._context.decode(packet)
        except FFmpegError:
            self.damage.broken_packets += 1
            self._doubt(packet.pts if packet is not None else None)

    def _is_holed(self, packet: VideoPacket) -> bool:
        return is_holed(packet) or (not self._pads_with_zeros and ends_in_zeros(packet))

    def _doubt(self, pts: int | None) -> None:
        self._is_shaken = True
        if self._doubt_from is None:
            # A damaged picture comes out when packets that build on it have been fed already.
            self._before_doubt = frozenset(takewhile(lambda fed: fed != pts, self._fed))
        self._doubt_from = max(pts or 0, self._doubt_from or 0)

    def _is_damaged(self, frame: VideoFrame) -> bool:
        """Damage is copied from picture to picture until a key shown after it."""
        if frame.is_corrupt:
            self._doubt(frame.pts)
            return True
        if frame.key_frame:
            if self._doubt_from is not None and (frame.pts or 0) > self._doubt_from:
                self._doubt_from = None
            return frame.pts in self._corrupt
        self._is_shaken = False
        return self._doubt_from is not None and frame.pts not in self._before_doubt
