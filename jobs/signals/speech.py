"""The signal `speech`: what is said, heard by weights that somebody has named."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:  # they load PyAV, and plans do without
    from videoxl2.captions import Track
    from videoxl2.speech import Heard

from jobs.signals.captions import tracks_of
from jobs.signals.signal import Costs, Lineage, VideoFile
from jobs.signals.speech_weights import OnHub, OnS3, find_hearing
from jobs.weights import Copies
from schemas.failures import PreflightError
from schemas.measured import DroppedSpeech, Measured, Speech, SpeechTrack, SpokenWord
from schemas.rows import columns_of

NAME = "speech"
_TINY_BYTES = 75.5e6  # of the weights that the figures below were measured with
_READING_HOUR_S, _PIECE_S = 13.0, 1.4  # of one core


@dataclass(frozen=True)
class SpeechSignal:
    """Hears one sound track of each video; with `only_missing`, of those that no captions come with."""

    model_id: str
    place: Path | OnS3 | OnHub
    revision: str
    num_bytes: int
    engines: tuple[tuple[str, str], ...]  # name and version of all that hears beside the weights
    languages: tuple[str, ...] = ()
    only_missing: bool = False

    name: ClassVar[str] = NAME
    version: ClassVar[int] = 3
    tables: ClassVar[tuple[str, ...]] = ("speech_tracks", "speech")

    @property
    def settings(self) -> Mapping[str, str]:
        asked = {"weights": self.revision, **dict(self.engines), "device": "cpu-int8"}
        wanted = {"languages": " ".join(self.languages)} if self.languages else {}
        return asked | wanted | ({"where": "missing"} if self.only_missing else {})

    @property
    def rough_costs(self) -> Costs:
        """Time goes by the pieces that are heard, and by the size of what hears them."""
        times = self.num_bytes / _TINY_BYTES
        memory_bytes = round(200e6 + 1.5 * self.num_bytes)
        return Costs(0.0, 0.0, _PIECE_S * times, memory_bytes, sound_hour_s=_READING_HOUR_S)

    @property
    def reads_sidecars(self) -> bool:
        return self.only_missing

    def read(self, file: VideoFile, lineage: Lineage) -> Iterator[Measured]:
        """The track that was heard comes first, then what is said, by time."""
        of_weights = {"model_id": self.model_id, "model_revision": self.revision}
        if self.only_missing and any(map(self._is_enough, tracks_of(file))):
            return
        yield from _rows(file.before.heard or self.hear(file), {**lineage, **of_weights})

    def hear(self, file: VideoFile) -> "Heard":
        """Return what is said in the video, whatever captions say. Raises what `videoxl2.speech.listen`
        does."""
        from videoxl2.speech import listen

        return listen(file.path, file.info, self.folder(), self.languages, file.limits)

    def folder(self) -> Path:
        """The weights on this machine. Raises as their places do."""
        return self.place if isinstance(self.place, Path) else self.place.folder()

    def _is_enough(self, track: "Track") -> bool:
        """Whether captions say what is said, in a wanted language; those that name none count."""
        if not track.cues or track.is_forced or track.is_commentary:
            return False
        said = track.language
        is_wanted = any(said == wanted or said.startswith(f"{wanted}-") for wanted in self.languages if said)
        return said is None or not self.languages or is_wanted


def find_speech(
    given: str, languages: tuple[str, ...] = (), only_missing: bool = False, copies: Copies | None = None
) -> SpeechSignal:
    """The signal with these weights: a folder, `s3://bucket/prefix`, a size or a hub id.

    Raises `PreflightError`.
    """
    from videoxl2.speech import SpeechError, engine_versions

    try:
        engines = tuple(engine_versions().items())
        found = find_hearing(given, copies or Copies())
    except SpeechError as error:
        raise PreflightError(f"speech {given}: {error.message}", error.hint) from None
    return SpeechSignal(given, found.place, found.revision, found.num_bytes, engines, languages, only_missing)


def _rows(heard: "Heard", lineage: Lineage) -> Iterator[Measured]:
    dropped = [
        DroppedSpeech(reason=reason, stretches=one.runs, words=one.words, ms=one.ms)
        for reason, one in sorted(heard.dropped.items())
    ]
    own = columns_of(SpeechTrack, heard.track) | {"warnings": list(heard.track.warnings)}
    num_words = sum(len(said.words) for said in heard.said)
    yield SpeechTrack(**lineage, **own, num_rows=len(heard.said), num_words=num_words, dropped=dropped)
    for number, said in enumerate(heard.said):
        words = [SpokenWord(**asdict(word)) for word in said.words]
        yield Speech(**lineage, **columns_of(Speech, said) | {"segment": number, "words": words})
