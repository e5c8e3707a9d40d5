"""What the runs of a piece say: the decoder's words, each in its run, without those that nobody said."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from videoxl2.speech.decoding.decoder import Decoder, HeardWord, Hearing
from videoxl2.speech.decoding.guards import Reason, objection_to, objection_to_run
from videoxl2.speech.decoding.marks import ends_sentence
from videoxl2.speech.records import Dropped
from videoxl2.speech.runs.pieces import Piece
from videoxl2.speech.runs.runs import Run
from videoxl2.speech.sound.sound import RATE

_WORTH_A_WORD_S = 0.5  # a run as long as this is heard again where it has none: the pass may have ended early


@dataclass(frozen=True, slots=True)
class RunHeard:
    """One run, its words in seconds from where its sound begins, and what speaks against them."""

    run: Run
    words: tuple[HeardWord, ...] = ()
    hearing: Hearing | None = None
    objection: Reason | None = None

    @property
    def is_missed(self) -> bool:
        """Whether it has no words and may have some."""
        return not self.words and self.objection is None and self.run.length_s >= _WORTH_A_WORD_S

    @property
    def dropped(self) -> Dropped:
        """Count it as something that was left out."""
        return Dropped(1, len(self.words), round(self.run.length_s * 1000))


@dataclass(frozen=True, slots=True)
class PieceHeard:
    """Runs with words, in order, and what was left out."""

    runs: tuple[RunHeard, ...]
    dropped: Mapping[str, Dropped]
    num_again: int


def hear_piece(decoder: Decoder, piece: Piece, language: str) -> PieceHeard:
    """Hear it at once; runs without a word once more, and a text that goes in circles in two halves."""
    heard = _hear(decoder, piece, language)
    missed = [number for number, one in enumerate(heard) if one.is_missed]
    if 0 < len(missed) < len(heard):  # all of it would be heard as before
        again = _hear(decoder, Piece(tuple(piece.runs[number] for number in missed)), language)
        for number, one in zip(missed, again, strict=True):
            heard[number] = one
    judged = [_judged(one) for one in heard]
    by_reason: defaultdict[str, Dropped] = defaultdict(Dropped)
    for one in judged:
        if one.objection is not None:
            by_reason[one.objection] += one.dropped
    kept = tuple(one for one in judged if one.objection is None)
    return PieceHeard(kept, dict(by_reason), len(missed) if len(missed) < len(heard) else 0)


def _judged(heard: RunHeard) -> RunHeard:
    if heard.objection is not None:
        return heard
    return replace(heard, objection=objection_to_run(heard.words, heard.run.length_s))


def _hear(decoder: Decoder, piece: Piece, language: str, is_half: bool = False) -> list[RunHeard]:
    hearing = decoder.hear(piece.sound, language)
    if hearing is None:
        return [RunHeard(run) for run in piece.runs]
    objection = objection_to(hearing)
    halves = piece.halves() if objection is Reason.IN_CIRCLES and not is_half else None
    if halves is not None:
        return [one for half in halves for one in _hear(decoder, half, language, is_half=True)]
    shares = _shared_out(hearing.words, piece.runs)
    return [RunHeard(run, words, hearing, objection) for run, words in zip(piece.runs, shares, strict=True)]


def _shared_out(words: Sequence[HeardWord], runs: Sequence[Run]) -> list[tuple[HeardWord, ...]]:
    """The words of each run: a word belongs where its middle is.

    One that lies in the silence between two runs goes on with the sentence before, or begins the next one:
    where that one is over, or as its capital says.
    """
    ends_s = [samples / RATE for samples in accumulate(len(run.sound) for run in runs)]
    starts_s = [0.0, *ends_s]
    silences = [_silence_before(run, begin_s) for run, begin_s in zip(runs, starts_s, strict=False)]
    shares: list[list[HeardWord]] = [[] for _ in runs]
    is_begun = False  # a sentence
    for word in words:
        number = min(bisect_right(ends_s, (word.start_s + word.end_s) / 2), len(runs) - 1)
        is_in_silence = number > 0 and word.end_s <= silences[number]
        if is_in_silence and is_begun and not word.word.strip()[:1].isupper():
            number -= 1
        begin_s = starts_s[number]
        shares[number].append(replace(word, start_s=word.start_s - begin_s, end_s=word.end_s - begin_s))
        is_begun = not ends_sentence(word.word)
    return [tuple(share) for share in shares]


def _silence_before(run: Run, begin_s: float) -> float:
    """The second up to which nobody speaks, where its sound begins at `begin_s`."""
    return begin_s + float(run.start_s - run.sound_start_s)
