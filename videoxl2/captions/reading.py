"""Read what one file says in writing: while it is probed, or in a pass of its own."""

import os
from collections.abc import Iterator

from av.stream import Discard

from videoxl2.captions.hearing import Hearing
from videoxl2.captions.records import Texts
from videoxl2.frames.clocks.clock import Clock, Stamps, placed
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, OpenVideo, freed_at_once, open_video
from videoxl2.frames.files.packets import Damage, VideoPacket, is_b_picture, read_packets
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.probing.probe import probe


def probe_texts(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> tuple[MediaInfo, Texts]:
    """Return what `probe` and `read_texts` say of a file, in one pass over it.

    Only captions in pictures that are not shown at their own stamps take a second pass. Raises as `probe`.
    """
    hearing = Hearing(path)
    info = probe(path, limits, hearing)
    return info, read_texts(path, info, limits) if hearing.needs_ticks(info) else hearing.texts(info)


def read_texts(path: str | os.PathLike[str], info: MediaInfo, limits: Limits = DEFAULT_LIMITS) -> Texts:
    """Tracks inside the file, captions in its pictures, and chapters; `info` is what `probe` said of it.

    Raises a `MediaError` subclass when the file cannot be opened, `OSError` when there is none.
    """
    hearing = Hearing(path)
    with freed_at_once(), open_video(path, limits) as video:
        hearing.begin(video)
        hearing.pictures.keep(info.clock.streams or (video.stream.index,))
        for packet, tick in _ticked(_pictures(video, hearing), info.clock):
            hearing.pictures.note(packet, tick)
    return hearing.texts(info)


def _pictures(video: OpenVideo, hearing: Hearing) -> Iterator[VideoPacket]:
    """Packets of the film, while others are noted; what nobody wants is not read, where that can be."""
    wanted = [stream for stream in video.container.streams if stream.index in hearing.streams]
    for stream in video.container.streams:
        if stream not in wanted:
            stream.discard = Discard.all
    for packet in read_packets(video, Damage(), *wanted) if wanted else ():
        if packet.stream_index in hearing.pictures.readers:
            yield packet  # type: ignore[misc]  # the index says it is video
        else:
            hearing.note(packet)


def _ticked(packets: Iterator[VideoPacket], clock: Clock) -> Iterator[tuple[VideoPacket, int | None]]:
    """Pictures with their ticks on the film's clock; by their numbers, where they have none."""
    if clock.is_plain:
        return ((packet, packet.pts) for packet in packets)
    if not clock.can_skip:
        return ((packet, number) for number, packet in enumerate(packets))
    return placed(((packet, _stamps(packet, clock.counts_packets)) for packet in packets), clock)


def _stamps(packet: VideoPacket, has_type: bool) -> Stamps:
    is_b = is_b_picture(packet) if has_type else None
    return Stamps(packet.pts, packet.dts, packet.duration or 0, is_b)
