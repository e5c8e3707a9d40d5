"""What a decoder writes though nobody said it, told by its own numbers.

The bounds were found on clips without speech, reversed speech and eight languages that the weights do not
know, beside clean and noisy English: all of the invented words fall, and none of the true ones. A bound on
the probability of words alone would take names.
"""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from videoxl2.speech.decoding.decoder import HeardWord, Hearing

_UNSURE = -0.8  # mean log probability of a piece
_PACKED, _OFTEN, _GRAM = 2.4, 4, 4  # a text that goes in circles
_HALF_SURE, _OFTEN_UNSURE = -0.5, 3  # or that does so less often, and is doubted
_SILENT = 0.6  # probability that nobody speaks, of a text that is doubted
_FAINT, _FEW = 0.2, 2  # probability of so few words in a run
_HASTE = 8  # words a second


class Reason(StrEnum):
    """Reasons why runs of speech have no row."""

    UNSURE = "unsure"
    IN_CIRCLES = "in_circles"
    SILENT = "silent"
    FAINT = "faint"
    IN_HASTE = "in_haste"
    NO_WORDS = "no_words"


def objection_to(hearing: Hearing) -> Reason | None:
    """Return what speaks against all that was heard at once; None: nothing."""
    if hearing.logprob < _UNSURE:
        return Reason.UNSURE
    if _goes_in_circles(hearing):
        return Reason.IN_CIRCLES
    if hearing.no_speech_probability > _SILENT and hearing.logprob < _HALF_SURE:
        return Reason.SILENT
    return None


def objection_to_run(words: Sequence[HeardWord], length_s: float) -> Reason | None:
    """Return what speaks against the words of one run; None: nothing."""
    if not words:
        return Reason.NO_WORDS
    if len(words) <= _FEW and sum(word.probability for word in words) / len(words) < _FAINT:
        return Reason.FAINT
    return Reason.IN_HASTE if len(words) > _HASTE * length_s else None


def _goes_in_circles(hearing: Hearing) -> bool:
    times = _repeats(hearing.words)
    is_packed = hearing.compression > _PACKED and times >= _OFTEN
    return is_packed or (hearing.logprob < _HALF_SURE and times >= _OFTEN_UNSURE)


def _repeats(words: Sequence[HeardWord]) -> int:
    """How often the same few words come, one after the other."""
    said = [word.word.strip().lower().strip(".,!?") for word in words]
    grams = Counter(tuple(said[at : at + _GRAM]) for at in range(len(said) - _GRAM + 1))
    return max(grams.values(), default=0)
