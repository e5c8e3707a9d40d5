"""What a file says of itself: title, when and where and with what it was recorded, languages.

Each container keeps these under names of its own, and in places of its own: Ogg with its streams, MP4 in two
kinds of lists, ASF and MXF in header fields. The first name that holds something wins.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from av.container import InputContainer
from av.stream import Stream

from videoxl2.frames.probing.dates import parse_date
from videoxl2.frames.probing.header_dates import created_in_header
from videoxl2.frames.probing.languages import language_tag
from videoxl2.frames.probing.places import Place, parse_place

_APPLE = "com.apple.quicktime."
_TITLE = ("title", f"{_APPLE}title", f"{_APPLE}displayname", "material_package_name")
# What a camera wrote before what a muxer did: the former stays when a film is exported again.
_RECORDED = (
    f"{_APPLE}creationdate",
    "date_recorded",
    "creation_time",
    "creationdate",
    "creation_date",
    "date_digitized",
)
_PLACE = (f"{_APPLE}location.iso6709", "location", "recording_location")
_MAKE = (f"{_APPLE}make", "com.android.manufacturer", "make", "manufacturer")
_MODEL = (f"{_APPLE}model", "com.android.model", "model")


@dataclass(frozen=True)
class Metadata:
    """Facts that a file says of its recording; None and empty where it does not. Languages are BCP 47."""

    recorded_at: datetime | None = None  # UTC
    place: Place | None = None
    camera_make: str | None = None
    camera_model: str | None = None
    video_language: str | None = None
    audio_languages: tuple[str | None, ...] = ()  # one for each stream
    subtitle_languages: tuple[str | None, ...] = ()


NOTHING_SAID = Metadata()


def read_title(container: InputContainer, video: Stream, demuxer: str) -> str | None:
    """The film's, of an open file and the video stream chosen in it."""
    return _Said(_sources(container, video, demuxer)).first_of(_TITLE)


def read_metadata(
    path: str | os.PathLike[str], container: InputContainer, video: Stream, demuxer: str
) -> Metadata:
    """The rest, of the same. Raises OSError when the file is gone meanwhile."""
    said = _Said(_sources(container, video, demuxer))
    dates = map(parse_date, said.all_of(_RECORDED))
    recorded_at = next(filter(None, dates), None) or created_in_header(path, demuxer)
    return Metadata(
        recorded_at=recorded_at or parse_date(said.first_of(("date",)) or ""),
        place=parse_place(said.first_of(_PLACE) or ""),
        camera_make=said.first_of(_MAKE),
        camera_model=said.first_of(_MODEL),
        video_language=_language(video),
        audio_languages=tuple(map(_language, container.streams.audio)),
        subtitle_languages=tuple(map(_language, container.streams.subtitles)),
    )


def _sources(container: InputContainer, video: Stream, demuxer: str) -> list[Mapping[str, str]]:
    """Elsewhere a stream's title is the stream's own: "English, with comments"."""
    streams: Iterable[Stream] = (video, *container.streams) if demuxer == "ogg" else ()
    return [container.metadata, *(stream.metadata for stream in streams)]


class _Said:
    """Tags under their names in small letters; of several languages (`title-eng`) the first."""

    def __init__(self, sources: Iterable[Mapping[str, str]]) -> None:
        self._tags: dict[str, str] = {}
        for source in sources:
            tags = {name.lower(): text.strip().strip("\0").strip() for name, text in source.items()}
            whole = {name: text for name, text in tags.items() if text}
            for name, text in whole.items():
                self._tags.setdefault(name, text)
            for name, text in whole.items():
                self._tags.setdefault(name.partition("-")[0], text)

    def all_of(self, names: Iterable[str]) -> list[str]:
        """Values of all these names, in their order."""
        return [self._tags[name] for name in names if name in self._tags]

    def first_of(self, names: Iterable[str]) -> str | None:
        return next(iter(self.all_of(names)), None)


def _language(stream: Stream) -> str | None:
    return language_tag(stream.metadata.get("language", ""))
