"""The signal `captions`: texts that come with a video, inside its file or beside it, and chapters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # it loads PyAV, and plans know signals by name only
    from videoxl2.captions import Cue, Texts, Track

from jobs.signals.signal import Costs, Lineage, PartlyRead, VideoFile
from schemas.measured import Caption, CaptionTrack, Chapter, Measured
from schemas.rows import columns_of
from storage.errors import ObjectError


@dataclass(frozen=True)
class Captions:
    """Tracks, CEA-608 inside the pictures, sidecars: whatever text is there already."""

    name: ClassVar[str] = "captions"
    version: ClassVar[int] = 2
    rough_costs: ClassVar[Costs] = Costs(video_s=0.05, hour_s=2.0)
    tables: ClassVar[tuple[str, ...]] = ("caption_tracks", "captions", "chapters")
    reads_sidecars: ClassVar[bool] = True

    @property
    def settings(self) -> Mapping[str, str]:
        return {}

    def read(self, file: VideoFile, lineage: Lineage) -> Iterator[Measured]:
        """Tracks of the file come first, then sidecars by name; one that is out of reach is listed."""
        out_of_reach: list[ObjectError] = []
        texts = _texts_of(file, out_of_reach)
        for number, track in enumerate(texts.tracks):
            yield from _rows(number, track, lineage)
        for number, chapter in enumerate(texts.chapters):
            yield Chapter(**lineage, chapter=number, **columns_of(Chapter, chapter))
        if out_of_reach:
            raise PartlyRead(out_of_reach[0])


def tracks_of(file: VideoFile) -> "tuple[Track, ...]":
    """All that come with a video, but for what is out of reach."""
    return _texts_of(file, []).tracks


def best_cues(file: VideoFile) -> "tuple[Cue, ...]":
    """The cues of the track that stands for what is said, chosen as `storage.query.tracks` does."""
    tracks = [track for track in tracks_of(file) if track.cues]
    return min(tracks, key=_place).cues if tracks else ()


def _place(track: "Track") -> tuple[bool, bool, int]:
    return track.is_forced or track.is_commentary, not track.is_default, -len(track.cues)


def _texts_of(file: VideoFile, out_of_reach: list[ObjectError]) -> "Texts":
    """All of them. Adds to `out_of_reach` why sidecars cannot be fetched, unless another try may."""
    from videoxl2.captions import read_texts

    texts = file.before.texts or read_texts(file.path, file.info, file.limits)
    return replace(texts, tracks=(*texts.tracks, *_sidecars(file, out_of_reach)))


def _sidecars(file: VideoFile, out_of_reach: list[ObjectError]) -> "Iterator[Track]":
    from videoxl2.captions import list_sidecar, read_sidecar, sidecars_to_read

    video_name = PurePosixPath(file.video.uri).name
    by_name = {sidecar.name: sidecar for sidecar in file.video.sidecars}
    for name in sidecars_to_read(by_name):
        try:
            data = file.fetch(by_name[name])
        except ObjectError as error:
            if error.retryable:
                raise
            out_of_reach.append(error)
            yield list_sidecar(name, video_name, error.code)
        else:
            yield read_sidecar(name, video_name, data, file.info)


def _rows(number: int, track: "Track", lineage: Lineage) -> Iterator[Measured]:
    own = columns_of(CaptionTrack, track) | {"warnings": list(track.warnings)}
    yield CaptionTrack(**lineage, **own, track=number, num_cues=len(track.cues))
    for place, cue in enumerate(track.cues):
        said = columns_of(Caption, cue)
        yield Caption(**lineage, **said, track=number, cue=place, language=track.language)
