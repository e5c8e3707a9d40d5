"""When the words of a run are said: its ends and pauses count, which are truer than the decoder's times."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from videoxl2.captions.placing import Placing
from videoxl2.speech.decoding.decoder import HeardWord
from videoxl2.speech.decoding.hearing import RunHeard
from videoxl2.speech.records import Word

Timed = tuple[str, Fraction, Fraction, float]  # as it is written, start, end, probability
_SHORTEST_S = Fraction(20, 1000)
_NEAR_S = 0.05  # a word that begins so much before a pause goes on behind it


def timed_words(heard: RunHeard) -> Iterator[Timed]:
    """Words as the decoder writes them, with start and end on the stream's clock, and their probability.

    They lie inside the run and outside its pauses, in order and without overlap. The first one begins with
    the run, the first one behind a pause where that ends.
    """
    until = heard.run.start_s
    for part in _parts(heard):
        for word in _timed(replace(part, start_s=max(until, part.start_s)), heard.run.sound_start_s):
            yield word
            until = word[2]


@dataclass(frozen=True, slots=True)
class _Part:
    """Words between two pauses."""

    start_s: Fraction
    end_s: Fraction
    words: list[HeardWord]


def _parts(heard: RunHeard) -> list[_Part]:
    """Words between pauses. A pause that has words on one side only, or lies inside a word, is none."""
    run = heard.run
    parts: list[_Part] = []
    start_s, words = run.start_s, list(heard.words)
    for gone_s, back_s in run.pauses:
        gone, back = float(gone_s - run.sound_start_s), float(back_s - run.sound_start_s)
        before = _said_before(words, (gone + back) / 2)
        if 0 < before < len(words) and words[before].start_s > gone - _NEAR_S:
            parts.append(_Part(start_s, gone_s, words[:before]))
            start_s, words = back_s, words[before:]
    return [*parts, _Part(start_s, run.end_s, words)]


def _said_before(words: list[HeardWord], at_s: float) -> int:
    """How many of them: a word belongs where its middle is."""
    return sum((word.start_s + word.end_s) / 2 < at_s for word in words)


def _timed(part: _Part, sound_start_s: Fraction) -> Iterator[Timed]:
    until, last = part.start_s, len(part.words) - 1
    for number, word in enumerate(part.words):
        start_s = sound_start_s + Fraction(word.start_s) if number else part.start_s
        start_s = max(until, min(start_s, part.end_s))
        end_s = min(sound_start_s + Fraction(word.end_s), part.end_s)
        if number < last:
            following = sound_start_s + Fraction(part.words[number + 1].start_s)
            end_s = min(end_s, max(following, start_s + _SHORTEST_S))
        end_s = max(end_s, start_s + _SHORTEST_S)
        yield word.word, start_s, end_s, word.probability
        until = end_s


def placed_words(heard: RunHeard, placing: Placing) -> Iterator[tuple[str, Word]]:
    """The run's words in the film, each also as the decoder writes it; none before the first picture."""
    for written, start_s, end_s, probability in timed_words(heard):
        for start_ms, end_ms in placing.placed(start_s, end_s):
            if end_ms is not None and end_ms > 0 and end_ms > start_ms:
                yield written, Word(written.strip(), max(0, start_ms), end_ms, probability)
