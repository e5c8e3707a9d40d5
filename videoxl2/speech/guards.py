"""What a decoder writes though nobody said it, told by its own numbers.

The bounds were found on clips without speech, reversed speech and eight languages that the weights do not
know, beside clean and noisy English: all of the invented words fall, and none of the true ones. A bound on
the probability of words alone would take names.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from videoxl2.speech.decoder import HeardWord, Hearing

VERSION = 1  # raised with any of the bounds
_UNSURE = -0.8  # mean log probability of a piece
_PACKED, _OFTEN, _GRAM = 2.4, 4, 4  # a text that goes in circles
_SILENT, _SILENT_UNSURE = 0.6, -0.5
_FAINT, _FEW = 0.2, 2  # probability of so few words in a run
_HASTE = 8  # words a second


class Reason(StrEnum):
    """Why runs of speech have no row."""

    UNSURE = "unsure"
    IN_CIRCLES = "in_circles"
    SILENT = "silent"
    FAINT = "faint"
    IN_HASTE = "in_haste"
    NO_WORDS = "no_words"


def objection_to(hearing: Hearing) -> Reason | None:
    """What speaks against all that was heard at once."""
    if hearing.logprob < _UNSURE:
        return Reason.UNSURE
    if hearing.compression > _PACKED and _goes_in_circles(hearing.words):
        return Reason.IN_CIRCLES
    if hearing.no_speech_probability > _SILENT and hearing.logprob < _SILENT_UNSURE:
        return Reason.SILENT
    return None


def objection_to_run(words: Sequence[HeardWord], length_s: float) -> Reason | None:
    """What speaks against the words of one run."""
    if not words:
        return Reason.NO_WORDS
    if len(words) <= _FEW and sum(word.probability for word in words) / len(words) < _FAINT:
        return Reason.FAINT
    return Reason.IN_HASTE if len(words) > _HASTE * length_s else None


def _goes_in_circles(words: Sequence[HeardWord]) -> bool:
    said = [word.word.strip().lower().strip(".,!?") for word in words]
    grams = Counter(tuple(said[at : at + _GRAM]) for at in range(len(said) - _GRAM + 1))
    return max(grams.values(), default=0) >= _OFTEN
