"""An opened file: its packets with ticks of the film's clock, its keys with their decoder's state."""

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain, repeat

from videoxl2.frames.clocks.clock import Clock, Stamps, placed
from videoxl2.frames.files.container import Limits, OpenVideo, open_video
from videoxl2.frames.files.decoder_state import DecoderState
from videoxl2.frames.files.packets import Damage, Tap, VideoPacket, is_b_picture, video_packets

FilePath = str | os.PathLike[str]


@dataclass(frozen=True)
class Film:
    """The file, opened once for each stream that takes its turn; all stay open until the film is closed."""

    turns: tuple[OpenVideo, ...]
    clock: Clock

    @property
    def video(self) -> OpenVideo:
        """The first in turn, whose time base all share."""
        return self.turns[0]

    def packets(self, damage: Damage) -> Iterator[VideoPacket]:
        """All packets from the file's start."""
        return (packet for packet, _ in self.stamped(damage))

    def stamped(self, damage: Damage, tap: Tap | None = None) -> Iterator[tuple[VideoPacket, int]]:
        """All packets from the start, with the stamps that a clock of order deals out, else their pts.

        `tap` is given those of other streams of `video`, the first in turn.
        """
        taps = chain((tap,), repeat(None))
        told = (_told(turn, damage, tap) for turn, tap in zip(self.turns, taps, strict=False))
        return self._stamped(chain.from_iterable(told))

    def packets_after(self, state: DecoderState, damage: Damage) -> Iterator[VideoPacket]:
        """Packets from where a seek has led: only in a file with an index, whose clock has no pieces."""
        packets = state.carried(video_packets(self.video, damage))
        return (packet for packet, _ in self._stamped(packets))

    def _stamped(self, packets: Iterable[VideoPacket]) -> Iterator[tuple[VideoPacket, int]]:
        if self.clock.is_plain:
            for packet in packets:
                yield packet, packet.pts or 0
            return
        has_types = self.clock.counts_packets
        rows = ((packet, _stamps(packet, has_types)) for packet in packets)
        begins = {piece.first for piece in self.clock.pieces[1:] if not self.clock.counts_packets}
        has_key, unharmed = True, frozenset(self.clock.unharmed)
        for number, (packet, tick) in enumerate(placed(rows, self.clock)):
            has_key = (has_key and number not in begins) or packet.is_keyframe
            if number in unharmed:
                packet.is_corrupt = False
            if not has_key:  # what a piece begins with in the middle of a GOP has lost its references
                packet.is_corrupt = True
            packet.pts = tick
            yield packet, tick or 0


@contextmanager
def open_film(path: FilePath, clock: Clock, limits: Limits) -> Iterator[Film]:
    """Open `path` to be read on `clock`. Raises as `open_video`."""
    with ExitStack() as opened:
        streams: tuple[int | None, ...] = clock.streams or (None,)
        turns = tuple(opened.enter_context(open_video(path, limits, stream)) for stream in streams)
        yield Film(turns, clock)


def _stamps(packet: VideoPacket, has_type: bool) -> Stamps:
    is_b = is_b_picture(packet) if has_type else None
    return Stamps(packet.pts, packet.dts, packet.duration or 0, is_b)


def _told(turn: OpenVideo, damage: Damage, tap: Tap | None) -> Iterator[VideoPacket]:
    return DecoderState(turn).carried(video_packets(turn, damage, tap))
