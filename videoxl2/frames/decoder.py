"""Packets in, pictures out, for one stretch of a stream at a time."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from av.error import FFmpegError
from av.video.frame import VideoFrame

from videoxl2.frames.container import OpenVideo
from videoxl2.frames.packets import Damage, VideoPacket


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

    def __init__(self, video: OpenVideo, damage: Damage) -> None:
        self._context = video.stream.codec_context
        self._damage = damage
        self._doubt_from: int | None = None  # pts of the latest damage that later pictures may have copied
        # Opened here, while nothing is skipped: dav1d looks at skip_frame once, when it opens, and would
        # then drop pictures for good.
        self._context.open(strict=False)

    @property
    def num_refused(self) -> int:
        """Packets refused so far."""
        return self._damage.broken_packets

    def pictures(
        self, packets: Iterable[VideoPacket], wanted: Collection[int] | None = None
    ) -> Iterator[Picture]:
        """Pictures in the order they are shown, refused packets counted and passed over.

        With `wanted` (pts), a picture that is neither wanted nor referred to may be missing. That is where
        the time is saved: in H.264 and HEVC about half of all pictures are such.
        """
        context = self._context
        context.flush_buffers()
        context.skip_frame = "DEFAULT"
        self._doubt_from = None
        for packet in chain(packets, [None]):
            if wanted is not None and packet is not None:
                context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
            for frame in self._decode(packet):
                yield Picture(frame, self._is_damaged(frame))

    def _decode(self, packet: VideoPacket | None) -> Iterator[VideoFrame]:
        if packet is not None and packet.is_corrupt:
            self._doubt(packet.pts)
        try:
            yield from self._context.decode(packet)
        except FFmpegError:
            self._damage.broken_packets += 1
            self._doubt(packet.pts if packet is not None else None)

    def _doubt(self, pts: int | None) -> None:
        self._doubt_from = max(pts or 0, self._doubt_from or 0)

    def _is_damaged(self, frame: VideoFrame) -> bool:
        """Damage is copied from picture to picture until a key shown after it."""
        if frame.is_corrupt:
            self._doubt(frame.pts)
            return True
        if frame.key_frame:
            if self._doubt_from is not None and (frame.pts or 0) > self._doubt_from:
                self._doubt_from = None
            return False
        return self._doubt_from is not None
