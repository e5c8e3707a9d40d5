"""Pictures that have no times of their own: the order in which a decoder gives them is all there is.

AVI and ASF store when packets are decoded, MXF sometimes stamps packets in stored order as if that were the
order of showing. A decoder that holds back `delay` pictures gives the k-th picture when it is shown, so its
time is the stamp of packet k + delay, counted from the stamp of packet `delay`. (Chunks that a recorder
dropped are counted in AVI's stamps, so that pictures stay as long as they stood.)
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from videoxl2.frames.clocks.clock import Order
from videoxl2.frames.files.container import Limits, freed_at_once, open_video
from videoxl2.frames.files.decoder import Decoder
from videoxl2.frames.files.packets import Damage, VideoPacket, video_packets

_NUM_LOOKED_AT = 120  # packets that say how a stream reorders; two seconds of most


@dataclass(frozen=True)
class Reordering:
    """The delay with which a decoder gave the first packets of a stream."""

    num_packets: int
    num_pictures: int
    delay: int  # most pictures held back
    is_reordered: bool  # pictures are not shown in stored order

    @property
    def has_fields(self) -> bool:
        """Whether packets are single fields, two to a picture."""
        return self.num_packets > 2 and self.num_pictures <= 0.6 * self.num_packets


def look_at_order(path: str | os.PathLike[str], limits: Limits) -> Reordering:
    """Decode the first packets, each told its number."""
    fed = delay = num_pictures = 0
    is_reordered = False
    with freed_at_once(), open_video(path, limits) as video:

        def numbered() -> Iterator[VideoPacket]:
            nonlocal fed
            for packet in islice(video_packets(video, Damage()), _NUM_LOOKED_AT):
                packet.pts = packet.dts = fed
                fed += 1
                yield packet

        last = -1
        for picture in Decoder(video, Damage()).pictures(numbered()):
            number = picture.frame.pts
            if number is None:
                continue
            if fed < _NUM_LOOKED_AT:  # what the cut itself pushed out says nothing
                delay = max(delay, number - num_pictures)
            is_reordered |= number < last
            last = number
            num_pictures += 1
    return Reordering(fed, num_pictures, delay, is_reordered)


def shown_ticks(stamps: NDArray[np.int64], order: Order) -> NDArray[np.int64]:
    """Return when the pictures of a stream with these stamps are shown, in order."""
    delay = min(order.delay, len(stamps) - 1)
    beyond = stamps[-1] + order.period * np.arange(1, delay + 1)
    return np.concatenate([stamps[delay:], beyond])
