"""Which pictures a draft decodes: those that others refer to, and all that lead up to a sudden change.

A picture that shows something new takes far more bytes than those before it, and it is stored ahead of the
pictures between, which are shown before it. So nothing is skipped from such a packet on, up to those shown
after it.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from statistics import median

from videoxl2.frames.files.packets import VideoPacket

_TIMES_USUAL = 2.0  # bytes of a sudden change, against pictures that were stored as far ahead
_USUAL_OF = 12  # pictures that tell what is usual


class Draft:
    """Says of each packet, as it is fed, whether its picture is wanted whatever refers to it."""

    def __init__(self) -> None:
        self._sizes: deque[int] = deque(maxlen=_USUAL_OF)  # of pictures shown after all stored before them
        self._latest = self._sudden = -(
            1 << 62
        )  # ticks: the latest picture so far, and the latest sudden one
        self._is_wanted = True

    def told(self, packets: Iterable[VideoPacket]) -> Iterator[VideoPacket]:
        """The same packets; each is looked at before it is fed."""
        for packet in packets:
            if packet.pts is not None:
                self._look(packet, packet.pts)
            yield packet

    def __contains__(self, tick: object) -> bool:
        """Whether the picture of the packet that was looked at last is wanted."""
        return self._is_wanted

    def _look(self, packet: VideoPacket, tick: int) -> None:
        if tick > self._latest:
            self._latest = tick
            usual = median(self._sizes) if self._sizes else 0
            if packet.is_keyframe or packet.size > _TIMES_USUAL * usual:
                self._sudden = tick
            self._sizes.append(packet.size)
        self._is_wanted = tick <= self._sudden
