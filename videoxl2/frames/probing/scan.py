"""One pass over a file: what its packets say, its first picture, and how far its pictures and sound reach."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from videoxl2.frames.clocks.columns import PacketTable
from videoxl2.frames.clocks.pieces import WRAPS, Sound
from videoxl2.frames.errors import UndecodableVideo
from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.container import OpenVideo, has_decoder
from videoxl2.frames.files.packets import AnyPacket, Damage, VideoPacket, read_packets
from videoxl2.frames.files.payloads.jpeg import state_own_size

_MOST_TURNS = 16  # streams that follow each other; each one is read by opening the file again


@dataclass
class Reach:
    """The stretch in which one stream has packets, on the container's clock in seconds."""

    time_base: Fraction | None
    start: int | None = None  # ticks
    end: int = 0

    @property
    def start_s(self) -> Fraction | None:
        """The time at which the first packet is due."""
        return self.start * self.time_base if self.start is not None and self.time_base else None

    @property
    def end_s(self) -> Fraction:
        """The time at which the last one is over; 0 where nothing is stamped after that."""
        return self.end * (self.time_base or Fraction(0))

    def note(self, packet: AnyPacket) -> None:
        """Extend it over a packet."""
        if (pts := packet.pts) is None:
            return
        if self.start is None or pts < self.start:
            self.start = pts
        self.end = max(self.end, pts + (packet.duration or 0))


class Listener(Protocol):
    """Hears what the pass over a file reads, so that it need not be read again."""

    def begin(self, video: OpenVideo) -> None:
        """The file is open; nothing of it has been read."""

    def note(self, packet: AnyPacket) -> None:
        """A packet of any stream, in the file's order."""


@dataclass
class Turns:
    """The streams that make up the video, one after the other."""

    table: PacketTable
    streams: tuple[int, ...] = ()  # empty: only the one that was chosen
    rows: tuple[int, ...] = ()  # at which the next one takes over


@dataclass
class _Stream:
    table: PacketTable
    picture: VideoFrame | None = None


class Scan:
    """The findings of one pass."""

    def __init__(self, video: OpenVideo, listener: Listener | None = None) -> None:
        damage = Damage()
        self._video = video
        has_types = video.is_counted
        self._streams = {stream.index: _Stream(PacketTable(has_types)) for stream in in_turns(video)}
        self._others: dict[int, tuple[int, int]] = {}  # first and last byte of videos of another codec
        wrap = WRAPS.get(video.demuxer)
        self.sound = Sound(int(wrap * video.time_base) if wrap else 1)
        self.sound_reach: dict[int, Reach] = {}
        if listener is not None:
            listener.begin(video)
        for packet in read_packets(video, damage):
            if listener is not None:
                listener.note(packet)
            if (stream := self._streams.get(packet.stream_index)) is not None:
                _note(stream, packet)  # type: ignore[arg-type]  # the index says it is video
            elif isinstance(packet.stream, VideoStream) and packet.pos is not None:
                first, _ = self._others.get(packet.stream_index, (packet.pos, 0))
                self._others[packet.stream_index] = (first, packet.pos)
            elif isinstance(packet.stream, AudioStream):
                if (reach := self.sound_reach.get(packet.stream_index)) is None:
                    reach = self.sound_reach[packet.stream_index] = Reach(packet.stream.time_base)
                reach.note(packet)
                if wrap and packet.dts is not None and packet.time_base:
                    self.sound.note(int(packet.dts * packet.time_base))
        for index, stream in self._streams.items():
            if stream.picture is None:
                source = video.container.streams[index]
                assert isinstance(source, VideoStream)
                stream.picture = next(_decoded(source, None), None)
        self.num_broken_reads = damage.broken_reads
        self.turns = self._in_turn()
        self.streams_unread = damage.streams_unread or self._is_followed()

    @property
    def picture(self) -> VideoFrame | None:
        """The first one that could be decoded."""
        order = self.turns.streams or (self._video.stream.index,)
        return next((p for index in order if (p := self._streams[index].picture) is not None), None)

    def _is_followed(self) -> bool:
        """Transport streams: whether another video, of a codec of its own, comes before or behind."""
        table = self.turns.table
        if self._video.demuxer != "mpegts" or table.first_byte is None:
            return False
        return any(
            last < table.first_byte or first > table.last_byte for first, last in self._others.values()
        )

    def _in_turn(self) -> Turns:
        """Streams of the video's codec that follow it or that it follows, by where in the file they lie."""
        chosen = self._streams[self._video.stream.index]
        places = sorted(
            (stream.table.first_byte, index)
            for index, stream in self._streams.items()
            if stream.table.first_byte is not None and stream.picture is not None
        )
        streams = tuple(index for _, index in places)
        tables = [self._streams[index].table for index in streams]
        if not 1 < len(streams) <= _MOST_TURNS or self._video.stream.index not in streams:
            return Turns(chosen.table)
        if any(b.first_byte is None or a.last_byte > b.first_byte for a, b in itertools.pairwise(tables)):
            return Turns(chosen.table)  # side by side: another programme or angle
        joined, rows = PacketTable(chosen.table.has_types), []
        for table in tables:
            rows.append(len(joined))
            joined.extend(table)
        return Turns(joined, streams, tuple(rows[1:]))


def in_turns(video: OpenVideo) -> list[VideoStream]:
    """The chosen stream and, in transport streams, those that may take turns with it."""
    if video.demuxer != "mpegts":
        return [video.stream]
    own = (codec_of(video.stream.codec_context), video.time_base)
    return [
        stream
        for stream in video.container.streams.video
        if has_decoder(stream) and (codec_of(stream.codec_context), stream.time_base) == own
    ]


def _note(stream: _Stream, packet: VideoPacket) -> None:
    if packet.has_sidedata("encryption_info"):
        raise UndecodableVideo("the video is encrypted")  # noise sometimes passes for a picture
    stream.table.add(packet)
    if stream.picture is None:
        stream.picture = next(_decoded(packet.stream, packet), None)


def _decoded(stream: VideoStream, packet: VideoPacket | None) -> Iterator[VideoFrame]:
    if packet is not None:
        state_own_size(stream.codec_context, packet)
    try:
        yield from stream.codec_context.decode(packet)
    except FFmpegError:
        return
