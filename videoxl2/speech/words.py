"""When the words of a run are said: the run's own ends count, which are truer than the decoder's times."""

from collections.abc import Iterator
from fractions import Fraction

from videoxl2.captions.placing import Placing
from videoxl2.speech.hearing import RunHeard
from videoxl2.speech.records import Word

_SHORTEST_S = Fraction(20, 1000)


def timed_words(heard: RunHeard) -> Iterator[tuple[str, Fraction, Fraction, float]]:
    """Words as the decoder writes them, with start and end on the stream's clock, and their probability.

    They lie inside the run, in order and without overlap; the first one begins with it.
    """
    run, until = heard.run, heard.run.start_s
    last = len(heard.words) - 1
    for number, word in enumerate(heard.words):
        start_s = max(until, run.sound_start_s + Fraction(word.start_s)) if number else run.start_s
        start_s = min(start_s, run.end_s)
        end_s = min(run.sound_start_s + Fraction(word.end_s), run.end_s)
        if number < last:
            following = run.sound_start_s + Fraction(heard.words[number + 1].start_s)
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
