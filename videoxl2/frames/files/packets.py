"""Packets of a file in stored order, with damage stepped over, and their grouping into GOPs.

Legend: *pts* is when a picture is shown, in ticks of the stream. A *GOP* begins with a packet the decoder
can start from (its *key*). *Leading* pictures follow a key in the file but are shown before it; they need
the GOP before, so on the screen they belong to that one. *Trailing* pictures are the rest.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from videoxl2.frames.files.codecs import codec_of
from videoxl2.frames.files.container import Limits, OpenVideo
from videoxl2.frames.files.picture_types import is_b_type
from videoxl2.frames.files.said_keys import SaidKeys

if TYPE_CHECKING:
    VideoPacket = Packet[VideoStream]
    AnyPacket = Packet[Stream]
else:
    VideoPacket = AnyPacket = Packet  # generic for type checkers only

_HEADERS = 1024  # bytes in which a picture's header begins, behind those of its sequence and group
# A damaged stretch gives a few errors in a row; a file cut short can repeat one for ever.
_MAX_FAILURES_IN_A_ROW = 16


@dataclass
class Damage:
    """Counts of what went wrong so far while reading one file; the only counters that are shared."""

    broken_reads: int = 0  # the container itself could not be followed
    broken_packets: int = 0  # a packet the decoder refused
    harmed_packets: int = 0  # one it was fed although it is not whole
    read_in_order: bool = False  # skipping was given up
    streams_unread: bool = False  # others began in the middle of the file, which FFmpeg's binding cannot show
    times_contradicted: bool = False  # pictures came out in another order than their times say

    @property
    def num_losses(self) -> int:
        """Places at which pictures may be missing or harmed."""
        return self.broken_reads + self.broken_packets + self.harmed_packets

    def warnings(self) -> tuple[str, ...]:
        """The words that reach the tables."""
        found = {
            "corrupt_packets": self.broken_reads + self.broken_packets,
            "read_in_order": self.read_in_order,
            "streams_unread": self.streams_unread,
            "timestamp_discontinuity": self.times_contradicted,
        }
        return tuple(word for word, is_so in found.items() if is_so)


@dataclass
class Gop:
    """One key and what follows it up to the next key, in file order."""

    key: VideoPacket
    start: int  # pts of the key
    leading: list[VideoPacket] = field(default_factory=list)
    trailing: list[VideoPacket] = field(default_factory=list)  # begins with the key
    is_whole: bool = True  # False: too large to hold, the rest is still in the file


def read_packets(video: OpenVideo, damage: Damage, *streams: Stream) -> Iterator[AnyPacket]:
    """Yield every non-empty packet of the streams (of all, when none is named) from the current position."""
    failures = 0
    chosen, keys = video.stream.index, SaidKeys(video.stream)
    while failures < _MAX_FAILURES_IN_A_ROW:
        try:
            for packet in video.container.demux(*streams):
                if packet.size:  # the end of a stream is announced by an empty packet
                    failures = 0
                    if packet.stream_index == chosen and packet.is_keyframe and keys.is_wrong_of(packet):
                        packet.is_keyframe = False
                    yield packet
        except FFmpegError:
            damage.broken_reads += 1
            failures += 1
        except IndexError:  # PyAV's end of a file in which new streams appeared half way
            damage.streams_unread = True
            return
        else:
            return


class Tap(Protocol):
    """Takes the packets of other streams as they pass by, so that the file is read once."""

    @property
    def streams(self) -> Sequence[Stream]:
        """Streams of the same open file."""

    def note(self, packet: AnyPacket) -> None:
        """A packet of one of them, in the file's order."""


def video_packets(video: OpenVideo, damage: Damage, tap: Tap | None = None) -> Iterator[VideoPacket]:
    """The chosen stream's packets from the current position; those of others go to `tap`."""
    if tap is None:
        return read_packets(video, damage, video.stream)  # type: ignore[return-value]  # one stream, so one kind
    return _tapped(video, damage, tap)


def _tapped(video: OpenVideo, damage: Damage, tap: Tap) -> Iterator[VideoPacket]:
    index = video.stream.index
    for packet in read_packets(video, damage, video.stream, *tap.streams):
        if packet.stream_index == index:
            yield packet  # type: ignore[misc]  # the index says it is video
        else:
            tap.note(packet)


def is_picture(packet: VideoPacket) -> bool:
    """Whether this packet puts a picture on the screen."""
    if packet.is_discard:
        return False
    # A VP8 frame says in its first byte whether it is only there to be referred to (RFC 6386, 9.1).
    return codec_of(packet.stream.codec_context) != "vp8" or bool(memoryview(packet)[0] & 0x10)


def is_shown(packet: VideoPacket) -> bool:
    """Whether this packet puts a picture on the screen at a known time."""
    return packet.pts is not None and is_picture(packet)


def is_b_picture(packet: VideoPacket) -> bool | None:
    """Whether a picture of MPEG-1 or -2 is shown as soon as it is decoded; None: its header does not say."""
    return is_b_type(bytes(memoryview(packet)[:_HEADERS]))


def group_into_gops(packets: Iterator[VideoPacket], limits: Limits) -> Iterator[Gop]:
    """GOPs in file order. What precedes the first key cannot be read and is left out.

    A GOP beyond the limits is yielded with `is_whole=False` and is the last one; the remaining packets
    are then still to be taken from `packets`.
    """
    gop: Gop | None = None
    num_packets = num_bytes = 0
    for packet in packets:
        pts = packet.pts
        if packet.is_keyframe and pts is not None:
            if gop is not None:
                yield gop
            gop = Gop(key=packet, start=pts)
            num_packets = num_bytes = 0
        if gop is None:
            continue
        is_leading = pts is not None and pts < gop.start
        (gop.leading if is_leading else gop.trailing).append(packet)
        num_packets += 1
        num_bytes += packet.size
        if num_packets > limits.gop_packets or num_bytes > limits.gop_bytes:
            gop.is_whole = False
            yield gop
            return
    if gop is not None:
        yield gop


def with_following(gops: Iterator[Gop]) -> Iterator[tuple[Gop, Gop | None]]:
    """Each GOP with the one after it, whose leading pictures it needs."""
    current = next(gops, None)
    while current is not None:
        following = next(gops, None) if current.is_whole else None
        yield current, following
        current = following
