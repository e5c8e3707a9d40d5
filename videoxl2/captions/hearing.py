"""What one pass over a file hears of what it says in writing. Nothing is decoded."""

import os
from fractions import Fraction
from typing import TYPE_CHECKING

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
from videoxl2.frames.files.container import OpenVideo
from videoxl2.frames.files.formats import boxes
from videoxl2.frames.files.packets import AnyPacket
from videoxl2.frames.probing.media_info import MediaInfo
from videoxl2.frames.probing.scan import in_turns

if TYPE_CHECKING:
    from av.container.core import Chapter as Marked


class Hearing:
    """A listener to a pass over one file; `texts` tells what it heard.

    Pictures are noted by their own stamps, or by ticks where `note_picture` is told them.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._carriers: list[Carrier] = []
        self._collectors: dict[int, Collector] = {}
        self._marked: list[Marked] = []
        self._movie: boxes.Movie | None = None
        self._track_id, self._time_base = 0, Fraction(1)
        self.pictures = PictureCollector({}, self._time_base)

    def begin(self, video: OpenVideo) -> None:
        """Find out which streams carry words."""
        self._movie = boxes.read_movie(self._path) if video.demuxer.startswith("mov,") else None
        self._carriers = find_carriers(self._path, video, self._movie)
        collectors = {carrier.index: _collector(carrier) for carrier in self._carriers}
        self._collectors = {index: one for index, one in collectors.items() if one is not None}
        self._marked = video.container.chapters()
        self._track_id, self._time_base = video.stream.id, video.time_base
        readers = {stream.index: head_reader(stream) for stream in in_turns(video)}
        known = {index: reader for index, reader in readers.items() if reader is not None}
        has_groups = video.stream.codec_context.codec.canonical_name == "mpeg2video"
        self.pictures = PictureCollector(known, video.time_base, has_groups)

    @property
    def streams(self) -> set[int]:
        """Numbers of the streams whose packets are wanted."""
        return {*self._collectors, *self.pictures.readers}

    def note(self, packet: AnyPacket) -> None:
        """Any packet of the file."""
        index = packet.stream_index
        if index in self.pictures.readers:
            self.pictures.note(packet, packet.pts)  # type: ignore[arg-type]  # it is video
        elif (collector := self._collectors.get(index)) is not None:
            collector.note(packet)

    def needs_ticks(self, info: MediaInfo) -> bool:
        """Whether pictures that were noted by their own stamps have to be noted again by the film's ticks."""
        is_plain = info.clock.is_plain and len(self.pictures.readers) == 1
        return not is_plain and not self.pictures.is_silent

    def texts(self, info: MediaInfo) -> Texts:
        """Return what was heard, at its times in the film that `info` describes."""
        clock = FilmClock(info, self._movie, self._track_id, self._time_base)
        tracks: list[Track] = []
        for carrier in self._carriers:
            film = InFilm(clock.of_track(carrier.track_id), clock.has_times, info.duration_ms)
            tracks += _tracks(carrier, self._collectors.get(carrier.index), film)
        self.pictures.finish()
        film = InFilm(clock.of_pictures(), clock.has_times and info.clock.can_skip, info.duration_ms)
        tracks += of_pictures(self.pictures, film, tracks)
        marked = self._marked if clock.has_times else []
        return Texts(tuple(tracks), read_chapters(marked, clock.of_container(), info.duration_ms))


def _collector(carrier: Carrier) -> Collector | None:
    """None: its words are not read."""
    if carrier.time_base is None:
        return None
    if carrier.codec in ("cea608", "ancillary"):
        return CodeCollector(carrier.time_base, carrier.codec == "ancillary")
    return text_collector(carrier.codec, carrier.time_base)


def _tracks(carrier: Carrier, collected: Collector | None, film: InFilm) -> list[Track]:
    if isinstance(collected, TextCollector):
        return [of_text(carrier, collected, film)]
    if isinstance(collected, CodeCollector):
        return of_codes(carrier, collected, film)
    return [without_text(carrier)]
