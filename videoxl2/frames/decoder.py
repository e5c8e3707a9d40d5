"""Packets in, pictures out, for one stretch of a stream at a time."""

from collections.abc import Collection, Iterable, Iterator

from av.error import FFmpegError
from av.video.frame import VideoFrame

from videoxl2.frames.container import OpenVideo
from videoxl2.frames.packets import Damage, VideoPacket


class Decoder:
    """The stream's codec, entered afresh for every stretch.

    Starting from a flushed codec makes the pictures of a stretch depend on its packets alone; whoever
    reads the same stretch in another task gets the same bytes.
    """

    def __init__(self, video: OpenVideo, damage: Damage) -> None:
        self._context = video.stream.codec_context
        self._damage = damage
        # Opened here, while nothing is skipped: dav1d looks at skip_frame once, when it opens, and would
        # then drop pictures for good.
        self._context.open(strict=False)

    @property
    def num_refused(self) -> int:
        """Packets refused so far."""
        return self._damage.broken_packets

    def pictures(
        self, packets: Iterable[VideoPacket], wanted: Collection[int] | None = None
    ) -> Iterator[VideoFrame]:
        """Pictures in the order they are shown, refused packets counted and passed over.

        With `wanted` (pts), a picture that is neither wanted nor referred to may be missing. That is where
        the time is saved: in H.264 and HEVC about half of all pictures are such.
        """
        context = self._context
        context.flush_buffers()
        context.skip_frame = "DEFAULT"
        for packet in packets:
            if wanted is not None:
                context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            yield from self._decode(packet)
        yield from self._decode(None)

    def _decode(self, packet: VideoPacket | None) -> Iterator[VideoFrame]:
        try:
            # The context and not the packet: a packet's own decode() would open the codec anew.
            yield from self._context.decode(packet)
        except FFmpegError:
            self._damage.broken_packets += 1
