"""Read what one file says in writing: one pass over the packets that can carry words, nothing decoded."""

import os
from collections.abc import Iterator, Mapping

from av.stream import Discard

from videoxl2.captions.carriers.collecting import (
    CodeCollector,
    Collector,
    PictureCollector,
    TextCollector,
    text_collector,
)
from videoxl2.captions.carriers.heads import head_reader
from videoxl2.captions.carriers.streams import Carrier, find_carriers
from videoxl2.captions.chapters import read_chapters
from videoxl2.captions.placing import FilmClock
from videoxl2.captions.records import Texts, Track
from videoxl2.captions.tracks import InFilm, of_codes, of_pictures, of_text, without_text
from videoxl2.frames.clocks.clock import Clock, Stamps, placed
from videoxl2.frames.files.container import DEFAULT_LIMITS, Limits, OpenVideo, freed_at_once, open_video
from videoxl2.frames.files.packets import Damage, VideoPacket, is_b_picture, read_packets
from videoxl2.frames.probing.media_info import MediaInfo


def read_texts(path: str | os.PathLike[str], info: MediaInfo, limits: Limits = DEFAULT_LIMITS) -> Texts:
    """Tracks inside the file, captions in its pictures, and chapters; `info` is what `probe` said of it.

    Raises a `MediaError` subclass when the file cannot be opened, `OSError` when there is none.
    """
    with freed_at_once(), open_video(path, limits) as video:
        clock = FilmClock(path, video, info)
        carriers = find_carriers(path, video, clock.movie)
        collectors = {carrier.stream.index: _collector(carrier) for carrier in carriers}
        pictures = _picture_collector(video, info.clock)
        _walk(video, info.clock, collectors, pictures)
        tracks: list[Track] = []
        for carrier in carriers:
            film = InFilm(clock.of_track(carrier.stream.id), clock.has_times, info.duration_ms)
            tracks += _tracks(carrier, collectors[carrier.stream.index], film)
        if pictures is not None:
            is_timed = clock.has_times and info.clock.can_skip
            film = InFilm(clock.of_pictures(), is_timed, info.duration_ms)
            tracks += of_pictures(pictures, film, tracks)
        marked = video.container.chapters() if clock.has_times else []
        return Texts(tuple(tracks), read_chapters(marked, clock.of_container(), info.duration_ms))


def _collector(carrier: Carrier) -> Collector | None:
    """None: its words are not read."""
    base = carrier.stream.time_base
    if base and carrier.codec in ("cea608", "ancillary"):
        return CodeCollector(base, carrier.codec == "ancillary")
    return text_collector(carrier.codec, base) if base else None


def _picture_collector(video: OpenVideo, clock: Clock) -> PictureCollector | None:
    """None: the codec has no place for captions."""
    numbers = clock.streams or (video.stream.index,)
    streams = [stream for stream in video.container.streams.video if stream.index in numbers]
    readers = {stream.index: reader for stream in streams if (reader := head_reader(stream)) is not None}
    return PictureCollector(readers, video.time_base) if len(readers) == len(numbers) else None


def _tracks(carrier: Carrier, collected: Collector | None, film: InFilm) -> list[Track]:
    if isinstance(collected, TextCollector):
        return [of_text(carrier, collected, film)]
    if isinstance(collected, CodeCollector):
        return of_codes(carrier, collected, film)
    return [without_text(carrier)]


def _walk(
    video: OpenVideo,
    clock: Clock,
    collectors: Mapping[int, Collector | None],
    pictures: PictureCollector | None,
) -> None:
    """Offer each packet to the one who collects its stream's; what nobody wants is not read, if it can be."""
    taken = {index: collector for index, collector in collectors.items() if collector is not None}
    films = set(pictures.readers) if pictures is not None else set()
    wanted = [stream for stream in video.container.streams if stream.index in films | taken.keys()]
    for stream in video.container.streams:
        if stream not in wanted:
            stream.discard = Discard.all

    def routed() -> Iterator[VideoPacket]:
        for packet in read_packets(video, Damage(), *wanted) if wanted else ():
            if packet.stream_index in films:
                yield packet  # type: ignore[misc]  # the index says it is video
            elif (collector := taken.get(packet.stream_index)) is not None:
                collector.note(packet)

    if pictures is not None:
        pictures.note(_ticked(routed(), clock))
    else:
        for _ in routed():
            pass


def _ticked(packets: Iterator[VideoPacket], clock: Clock) -> Iterator[tuple[VideoPacket, int | None]]:
    """Pictures with their ticks on the film's clock; without order, as stored, where they have none."""
    if clock.is_plain:
        return ((packet, packet.pts) for packet in packets)
    if not clock.can_skip:
        return ((packet, number) for number, packet in enumerate(packets))
    has_types = clock.counts_packets
    rows = (
        (
            packet,
            Stamps(packet.pts, packet.dts, packet.duration or 0, is_b_picture(packet) if has_types else None),
        )
        for packet in packets
    )
    return placed(rows, clock)
