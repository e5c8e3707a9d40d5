"""Pictures that have no times of their own, with the stamps dealt out as they come (see `clocks.order`)."""

from collections import deque
from collections.abc import Iterable, Iterator

from videoxl2.frames.clocks.clock import Order
from videoxl2.frames.files.decoder import Decoder, Picture
from videoxl2.frames.files.packets import VideoPacket


def pictures_in_order(
    packets: Iterable[tuple[VideoPacket, int]], order: Order, decoder: Decoder
) -> Iterator[tuple[int, Picture]]:
    """Pictures with their ticks, of packets from the file's start with their stamps."""
    stamps: deque[int] = deque()  # from that of packet `begun` on, `delay` further than the decoder has read
    begun = 0

    def numbered() -> Iterator[VideoPacket]:
        ahead: deque[VideoPacket] = deque()
        for number, (packet, stamp) in enumerate(packets):
            stamps.append(stamp)
            packet.pts = packet.dts = number
            ahead.append(packet)
            if len(ahead) > order.delay:
                yield ahead.popleft()
        yield from ahead

    shown = 0
    for picture in decoder.pictures(numbered()):
        number = picture.frame.pts
        if picture.frame.key_frame and number is not None:
            shown = max(shown, number)  # a damaged stretch before it gave fewer pictures than packets
        while begun < shown + order.delay and len(stamps) > 1:
            stamps.popleft()
            begun += 1
        yield stamps[0] + order.period * (shown + order.delay - begun), picture
        shown += 1
