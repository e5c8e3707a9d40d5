"""Pictures that have no times of their own (see `clocks.order`), with the stamps dealt out as they come.

The picture at *place* p is the p-th to be shown: its time is stamp p + `delay`. All pictures stored before a
key are shown before it, but so can be some that follow it in the file (its *leading* pictures). A key with
number n is therefore at place n + the number of its leading pictures, and these are known once a decoder
that was entered at an earlier key has given the pictures between. So a target far ahead is read from two keys
before it, wherever the file is entered, and not from the file's start.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from videoxl2.frames.clocks.clock import Order
from videoxl2.frames.files.container import Limits
from videoxl2.frames.files.decoder import Decoder
from videoxl2.frames.files.packets import VideoPacket
from videoxl2.frames.reading.choosing.scheduler import CannotEnter, Timed, pick_in_order
from videoxl2.frames.reading.choosing.targets import Answer, Due, Targets

_MOST_LEADING = 16  # pictures; codecs allow no more


class _Numbered(NamedTuple):
    number: int
    packet: VideoPacket
    stamp: int


def pick_by_order(
    packets: Iterable[tuple[VideoPacket, int]],
    targets: Targets,
    decoder: Decoder,
    order: Order,
    limits: Limits,
    may_enter: bool = True,
) -> Iterator[Answer]:
    """Answer the targets from all of a file's packets with their stamps.

    Raises `CannotEnter` between two answers, never without `may_enter`.
    """
    pictures = _Pictures(packets, decoder, order, limits, may_enter)
    dues = _aimed(targets.before(None), pictures)
    first = next(dues, None)
    if first is not None:
        yield from pick_in_order(pictures, chain([first], dues), targets)


def all_by_order(
    packets: Iterable[tuple[VideoPacket, int]], decoder: Decoder, order: Order, limits: Limits
) -> Iterator[Timed]:
    """Yield every picture of a file with its tick, from all packets with their stamps."""
    return _Pictures(packets, decoder, order, limits, may_enter=False)


def _aimed(dues: Iterator[Due], pictures: "_Pictures") -> Iterator[Due]:
    for due in dues:
        pictures.aim(due.tick)
        yield due


class _Pictures:
    """Pictures with their ticks, in order; those before the latest aim may be left out."""

    def __init__(
        self,
        packets: Iterable[tuple[VideoPacket, int]],
        decoder: Decoder,
        order: Order,
        limits: Limits,
        may_enter: bool,
    ) -> None:
        self._coming = (_Numbered(n, packet, stamp) for n, (packet, stamp) in enumerate(packets))
        self._decoder, self._order, self._limits = decoder, order, limits
        self._may_enter = may_enter and order.has_keys
        self._held: deque[_Numbered] = deque()  # read and not decoded yet
        self._held_bytes = 0
        self._keys: deque[int] = deque()  # numbers of those held that are keys
        self._stamps: deque[int] = deque()  # from that of packet `_begun` on
        self._begun = 0
        self._pictures = self._decoded()

    def __iter__(self) -> Iterator[Timed]:
        return self

    def __next__(self) -> Timed:
        return next(self._pictures)

    def aim(self, tick: int) -> None:
        """Look ahead for the picture on screen at `tick`, and begin two keys before it if they lie ahead."""
        entry: int | None = None
        while self._may_look_ahead(tick) and self._take():
            # This packet's place, less the delay, may be due now; a key so far before it is shown by then.
            shown = self._held[-1].number - self._order.delay - 1 - _MOST_LEADING
            while len(self._keys) > 2 and self._keys[2] <= shown:
                self._keys.popleft()
            if len(self._keys) > 1 and self._keys[0] > 0 and self._keys[1] <= shown:
                entry = self._keys[0]
                self._drop_before(entry)
        if entry is not None:
            self._pictures = self._decoded(entry, self._keys[1])

    def _may_look_ahead(self, tick: int) -> bool:
        is_before = not self._held or self._held[-1].stamp <= tick
        num_packets, num_bytes = 2 * self._limits.gop_packets, 2 * self._limits.gop_bytes
        return (
            self._may_enter and is_before and len(self._held) < num_packets and self._held_bytes < num_bytes
        )

    def _take(self) -> bool:
        """Read one more packet."""
        item = next(self._coming, None)
        if item is None:
            return False
        self._held.append(item)
        self._held_bytes += item.packet.size
        self._stamps.append(item.stamp)
        if item.packet.is_keyframe:
            self._keys.append(item.number)
        item.packet.pts = item.packet.dts = item.number
        return True

    def _drop_before(self, number: int) -> None:
        while self._held[0].number < number:
            self._held_bytes -= self._held.popleft().packet.size

    def _fed(self) -> Iterator[VideoPacket]:
        """Packets with their numbers for pts, once the stamps are known that their pictures can have."""
        while self._held or self._take():
            while self._held[-1].number < self._held[0].number + self._order.delay and self._take():
                pass
            item = self._held.popleft()
            self._held_bytes -= item.packet.size
            if self._keys and self._keys[0] == item.number:
                self._keys.popleft()
            yield item.packet

    def _decoded(self, entry: int = 0, begins: int = 0) -> Iterator[Timed]:
        """Pictures from the key `begins` on, with packets fed from the key `entry` on."""
        place, has_begun = 0, begins == 0
        since_key: list[int] = []  # numbers of the pictures given since the last key
        has_entered = entry == 0
        for picture in self._decoder.pictures(self._fed()):
            number = picture.frame.pts
            if picture.frame.key_frame and number is not None:
                has_entered = has_entered or number == entry
                if not has_begun and (number > begins or not has_entered):
                    raise CannotEnter
                # A damaged stretch before it gave fewer pictures than packets.
                place = max(place, number + sum(given > number for given in since_key))
                has_begun = has_begun or number == begins
                since_key = []
            elif number is not None:
                since_key.append(number)
            if has_begun:
                yield self._tick(place), picture
            place += 1
        if not has_begun:
            raise CannotEnter

    def _tick(self, place: int) -> int:
        while self._begun < place + self._order.delay and len(self._stamps) > 1:
            self._stamps.popleft()
            self._begun += 1
        return self._stamps[0] + self._order.period * (place + self._order.delay - self._begun)
