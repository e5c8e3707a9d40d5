"""Which language a piece is in: asked of it where there is enough speech, else taken from around it."""

from dataclasses import dataclass

from videoxl2.speech.decoding.decoder import Decoder
from videoxl2.speech.runs.pieces import Piece

_ENOUGH_S, _SURE = 10, 0.5


@dataclass(frozen=True, slots=True)
class Language:
    """The language that a piece is written down in. `tag` is what its rows say, None where nobody knows."""

    written_in: str
    tag: str | None
    probability: float | None = None  # None: it was not asked of the piece


class LanguageTeller:
    """Tells the languages of one track's pieces, in their order."""

    def __init__(self, decoder: Decoder, of_track: str | None) -> None:
        """`of_track` is what the file says, as BCP 47."""
        self._decoder = decoder
        self._known = of_track if decoder.knows(of_track) else None

    def tell(self, piece: Piece) -> Language:
        """The piece's own, else that of the piece before, else the track's, else the likeliest."""
        if not self._decoder.is_multilingual:
            (only,) = self._decoder.languages
            return Language(only, only)
        if self._known is not None and piece.speech_s < _ENOUGH_S:
            return Language(self._known, self._known)
        likeliest, probability = self._decoder.language_of(piece.sound)
        if piece.speech_s >= _ENOUGH_S and probability >= _SURE:
            self._known = self._with_region(likeliest)
            return Language(self._known, self._known, probability)
        if self._known is not None:
            return Language(self._known, self._known)
        return Language(likeliest, None, probability)

    def _with_region(self, language: str) -> str:
        """The language as it was known so far, where that is the same."""
        known = self._known or ""
        return known if known.partition("-")[0] == language else language
