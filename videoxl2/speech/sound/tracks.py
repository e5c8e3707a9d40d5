"""Which of a file's sound streams is heard."""

from collections.abc import Sequence
from dataclasses import dataclass

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from videoxl2.frames.files.container import has_decoder
from videoxl2.frames.probing.languages import language_tag

_BESIDE_THE_FILM = Disposition.comment | Disposition.visual_impaired | Disposition.descriptions


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """A sound stream, and why it is the one that is heard: `language`, `default`, `only` or `first`."""

    stream: AudioStream
    language: str | None
    chosen_by: str


def choose_track(container: InputContainer, languages: Sequence[str]) -> SoundTrack | None:
    """A track in one of the languages (BCP 47, the first one wanted most), else the file's default one, else
    one that is no commentary, else the one with most channels. None: no sound that can be read here."""
    readable = [stream for stream in container.streams.audio if has_decoder(stream)]
    if not readable:
        return None
    best = max(readable, key=lambda stream: (*_liking(stream, languages), -stream.index))
    return SoundTrack(best, language_of(best), _reason(best, readable, languages))


def language_of(stream: AudioStream) -> str | None:
    """The stream's language as BCP 47; None: the file does not say."""
    return language_tag(stream.metadata.get("language", ""))


def _liking(stream: AudioStream, languages: Sequence[str]) -> tuple[int, bool, bool, int]:
    is_default = bool(stream.disposition & Disposition.default)
    is_the_film = not stream.disposition & _BESIDE_THE_FILM
    return _rank(language_of(stream), languages), is_default, is_the_film, stream.codec_context.channels


def _rank(language: str | None, languages: Sequence[str]) -> int:
    """Above 0: wanted, the more the higher."""
    if language is None:
        return 0
    for number, wanted in enumerate(languages):
        if language == wanted or language.startswith(f"{wanted}-"):
            return len(languages) - number
    return 0


def _reason(best: AudioStream, readable: Sequence[AudioStream], languages: Sequence[str]) -> str:
    if len(readable) == 1:
        return "only"
    if _rank(language_of(best), languages):
        return "language"
    return "default" if best.disposition & Disposition.default else "first"
