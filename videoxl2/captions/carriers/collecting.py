"""What one pass over a file's packets collects of each stream that carries words."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Protocol

from videoxl2.captions.carriers.cdp import ancillary_triplets
from videoxl2.captions.carriers.dvd import group_triplets
from videoxl2.captions.carriers.heads import Reader as HeadReader
from videoxl2.captions.carriers.packets import READERS, Reader, Words
from videoxl2.captions.cea608 import Channels
from videoxl2.captions.settling import MAX_BYTES, MAX_CUES
from videoxl2.captions.ttml import read_ttml
from videoxl2.frames.files.packets import AnyPacket, VideoPacket

Said = tuple[Words, int, int | None]  # from when to when; None: it is not said
_MS = Fraction(1, 1000)


class Collector(Protocol):
    """Takes the packets of one stream, in the file's order."""

    def note(self, packet: AnyPacket) -> None:
        """Take the next packet of the stream."""


@dataclass
class TextCollector:
    """Cues of a text track, in ticks of `time_base`. `read` raises ValueError where a packet is damaged."""

    time_base: Fraction
    read: Callable[[AnyPacket], list[Said]]
    said: list[Said] = field(default_factory=list)
    num_damaged: int = 0
    is_full: bool = False
    is_encrypted: bool = False
    max_cues: int = MAX_CUES
    max_bytes: int = MAX_BYTES
    num_bytes: int = 0

    def note(self, packet: AnyPacket) -> None:
        self.num_bytes += packet.size
        self.is_full |= self.num_bytes > self.max_bytes or len(self.said) >= self.max_cues
        self.is_encrypted |= packet.has_sidedata("encryption_info")
        if self.is_full or self.is_encrypted:
            return
        try:
            self.said += self.read(packet)
        except ValueError:
            self.num_damaged += 1


def text_collector(codec: str, time_base: Fraction) -> TextCollector | None:
    """Return what collects a track's texts; None: the format is not read here."""
    if codec == "ttml":
        return TextCollector(_MS, lambda packet: _of_document(packet, time_base))
    if codec not in READERS:
        return None
    read = READERS[codec]
    return TextCollector(time_base, lambda packet: _of_packet(packet, read))


def _of_packet(packet: AnyPacket, read: Reader) -> list[Said]:
    words = read(bytes(packet))
    if packet.pts is None and words:
        raise ValueError("a packet has no time")
    start = packet.pts or 0
    end = start + packet.duration if packet.duration else None
    return [(said, start, end) for said in words]


def _of_document(packet: AnyPacket, time_base: Fraction) -> list[Said]:
    """Cues of a document that is shown while its sample is, but whose times are the track's."""
    if packet.pts is None:
        raise ValueError("a packet has no time")
    from_s = packet.pts * time_base
    until_s = from_s + (packet.duration or 0) * time_base
    found: list[Said] = []
    for cue in read_ttml(bytes(packet)).cues:
        start_s = max(cue.start_s, from_s)
        end_s = until_s if cue.end_s is None else min(cue.end_s, until_s)
        if start_s < end_s:
            words = Words("document", cue.speaker, cue.text)
            found.append((words, round(start_s / _MS), round(end_s / _MS)))
    return found


@dataclass
class CodeCollector:
    """Caption codes that have a stream of their own: QuickTime's c608, ancillary data of MXF."""

    time_base: Fraction
    is_ancillary: bool
    channels: Channels = field(init=False)
    num_damaged: int = 0

    def __post_init__(self) -> None:
        self.channels = Channels(int(Fraction(1, 10) / self.time_base))

    def note(self, packet: AnyPacket) -> None:
        if packet.pts is None:
            return
        data = bytes(packet)
        try:
            for at, triplets in self._timed(data, packet.pts, packet.duration or 0):
                self.channels.note(at, triplets)
        except IndexError:
            self.num_damaged += 1

    def _timed(self, data: bytes, start: int, duration: int) -> Iterable[tuple[int, bytes]]:
        """A sample's triplets are spread over its time; ancillary data are one picture's."""
        if self.is_ancillary:
            return ((start, triplets) for triplets in ancillary_triplets(data))
        count = max(1, len(data) // 3)
        return ((start + duration * n // count, data[3 * n : 3 * n + 3]) for n in range(count))


class PictureCollector:
    """Caption codes at the heads of pictures, by when the pictures are shown."""

    def __init__(self, readers: dict[int, HeadReader], time_base: Fraction, has_groups: bool = False) -> None:
        self.readers, self.time_base, self._has_groups = readers, time_base, has_groups
        self._ticks = array("q")  # of all pictures, where groups tell of them
        self._groups: list[tuple[int, int, bytes]] = []  # a key's tick, a distance in pictures, triplets
        self.channels = Channels(int(Fraction(1, 10) / time_base))
        self.num_damaged = 0
        self.is_silent = True  # no picture had codes

    def keep(self, streams: Collection[int]) -> None:
        """Read these streams alone, if captions can be in all of them."""
        readers = {index: self.readers[index] for index in streams if index in self.readers}
        self.readers = readers if len(readers) == len(streams) else {}

    def note(self, packet: VideoPacket, tick: int | None) -> None:
        """A picture, and when it is shown; None: it is not, or nobody knows."""
        try:
            found = self.readers[packet.stream_index](packet)
        except ValueError:
            self.num_damaged += 1
            return
        self.is_silent = self.is_silent and not found
        if tick is not None:
            for triplets in found:
                self.channels.note(tick, triplets)
        if self._has_groups:
            if tick is not None:
                self._ticks.append(tick)
            if packet.is_keyframe:
                self._note_group(packet, tick)

    def _note_group(self, packet: VideoPacket, tick: int | None) -> None:
        coming = list(group_triplets(packet))
        self.is_silent = self.is_silent and not coming
        if tick is not None:
            self._groups += ((tick, *one) for one in coming)

    def finish(self) -> None:
        """Note what was said of groups, now that it is known when their pictures are shown."""
        ticks = sorted(self._ticks) if self._groups else []
        for tick, distance, triplets in self._groups:
            place = bisect_left(ticks, tick) + distance
            if 0 <= place < len(ticks):
                self.channels.note(ticks[place], triplets)
        self._groups = []
