"""Words become rows in their time; what nobody said does not."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from videoxl2.captions.placing import Placing, Stretch
from videoxl2.speech.decoding.decoder import HeardWord, Hearing
from videoxl2.speech.decoding.guards import Reason, objection_to, objection_to_run
from videoxl2.speech.decoding.hearing import RunHeard, hear_piece
from videoxl2.speech.decoding.sentences import rows_of
from videoxl2.speech.decoding.words import placed_words
from videoxl2.speech.records import Dropped
from videoxl2.speech.runs.pieces import Piece
from videoxl2.speech.runs.runs import Run
from videoxl2.speech.sound.sound import RATE

FILM = Placing((Stretch(None, None, Fraction(-1)),))  # its first picture is shown after a second


def _run(start_s: float, end_s: float) -> Run:
    """With 0.2 s of sound on both sides."""
    margin = Fraction(1, 5)
    start, end = Fraction(str(start_s)), Fraction(str(end_s))
    samples = round((end - start + 2 * margin) * RATE)
    return Run(0, start, end, start - margin, np.zeros(samples, np.float32))


def _words(*said: tuple[str, float, float], probability: float = 0.9) -> tuple[HeardWord, ...]:
    return tuple(HeardWord(f" {word}", start, end, probability) for word, start, end in said)


def _hearing(words: tuple[HeardWord, ...] = (), **numbers: float) -> Hearing:
    return Hearing(words, **({"logprob": -0.2, "no_speech_probability": 0.1, "compression": 1.0} | numbers))


class Script:
    """A decoder that hears what stands in a script, by the length of what it is given."""

    is_multilingual = False
    languages = ("en",)

    def __init__(self, **heard: Hearing) -> None:
        self.asked: list[int] = []
        self._heard = heard

    def hear(self, sound: np.ndarray, language: str) -> Hearing | None:
        tenths = round(len(sound) * 10 / RATE)
        self.asked.append(tenths)
        return self._heard.get(f"t{tenths}")


def _rows(heard: RunHeard) -> list[tuple[int, int, str]]:
    said = rows_of(heard, placed_words(heard, FILM), "en", None)
    return [(row.start_ms, row.end_ms, row.text) for row in said]


def _times(heard: RunHeard) -> list[tuple[str, int, int]]:
    return [(word.word, word.start_ms, word.end_ms) for _, word in placed_words(heard, FILM)]


def test_words_lie_in_their_run_and_begin_with_it() -> None:
    """The detector's times are truer than the decoder's; words of no length get 20 ms, none overlap."""
    words = _words(("Hello", 0.35, 0.6), ("my", 0.6, 0.6), ("old", 0.55, 0.9), ("friend.", 0.9, 2.0))
    heard = RunHeard(_run(3, 4.2), words, _hearing())
    assert _times(heard) == [
        ("Hello", 2000, 2400),
        ("my", 2400, 2420),
        ("old", 2420, 2700),
        ("friend.", 2700, 3200),
    ]


def test_a_word_behind_a_pause_begins_when_the_voice_is_back() -> None:
    """Whether the decoder gives the pause to the word before or to the one behind it."""
    pauses = ((Fraction("3.8"), Fraction("4.1")), (Fraction(5), Fraction("5.3")))
    words = _words(
        ("Go", 0.2, 0.6), ("home.", 0.6, 1.25), ("I", 1.25, 1.4), ("stay.", 1.4, 2.1), ("You", 2.25, 2.6)
    )
    heard = RunHeard(replace(_run(3, 6), pauses=pauses), words, _hearing())
    assert _times(heard) == [
        ("Go", 2000, 2400),
        ("home.", 2400, 2800),
        ("I", 3100, 3200),
        ("stay.", 3200, 3900),
        ("You", 4300, 4400),
    ]


@pytest.mark.parametrize(
    "words",
    [
        (("the", 0.2, 0.4), ("missing", 0.4, 2.0)),
        (("missing", 1.1, 1.6), ("letters", 1.6, 2.0)),
        (("the", 0.2, 0.5), ("missing", 0.5, 0.9)),
    ],
)
def test_a_voice_that_fails_inside_a_word_makes_no_pause(words: tuple[tuple[str, float, float], ...]) -> None:
    """Nor does one before the first word, or behind the last one, that a run has."""
    run = _run(3, 5)
    paused = replace(run, pauses=((Fraction("3.8"), Fraction(4)),))
    heard = _words(*words)
    assert _times(RunHeard(paused, heard, _hearing())) == _times(RunHeard(run, heard, _hearing()))


def test_words_crowded_into_one_instant_stay_in_order() -> None:
    """However many there are before a pause, none begins before the one before it ends."""
    pauses = ((Fraction("3.1"), Fraction("3.3")),)
    words = _words(*[(f"{n}", 0.2, 0.21) for n in range(20)], ("end.", 0.5, 0.9))
    times = _times(RunHeard(replace(_run(3, 4), pauses=pauses), words, _hearing()))
    edges = [ms for _, *both in times for ms in both]
    assert edges == sorted(edges)
    assert len(times) == 21


def test_words_before_the_first_picture_are_left_out() -> None:
    """One that goes on behind it begins with it."""
    words = _words(("too", 0.2, 0.5), ("early", 0.5, 1.0), ("now", 1.0, 1.4))
    assert _times(RunHeard(_run(0.3, 1.5), words, _hearing())) == [("early", 0, 100), ("now", 100, 500)]


def test_words_that_an_edit_list_shows_elsewhere_are_placed_there() -> None:
    """And those that it leaves out are left out."""
    placing = Placing(
        (Stretch(Fraction(0), Fraction(2), Fraction(5)), Stretch(Fraction(3), Fraction(4), Fraction(-3)))
    )
    words = _words(("one", 0.2, 0.7), ("two", 1.2, 1.7), ("three", 2.2, 2.7))
    heard = RunHeard(_run(1, 3.8), words, _hearing())
    placed = [(word.word, word.start_ms) for _, word in placed_words(heard, placing)]
    assert placed == [("one", 6000), ("three", 0)]


@pytest.mark.parametrize(
    ("spoken", "texts"),
    [
        ("It works. Really? Yes!", ["It works.", "Really?", "Yes!"]),
        ("He said “no.” Then", ["He said “no.”", "Then"]),
        ("a " * 60, ["a " * 41 + "a", "a " * 17 + "a"]),
    ],
)
def test_a_row_is_what_is_read_at_a_glance(spoken: str, texts: list[str]) -> None:
    """A sentence, or 84 letters of it."""
    words = [(word, 0.2 + n / 20, 0.2 + (n + 1) / 20) for n, word in enumerate(spoken.split())]
    assert [text for _, _, text in _rows(RunHeard(_run(2, 8), _words(*words), _hearing()))] == texts


def test_a_row_is_no_longer_than_seven_seconds() -> None:
    """Words follow slowly."""
    words = [("word", 0.2 + n, 1.0 + n) for n in range(10)]
    rows = _rows(RunHeard(_run(2, 13), _words(*words), _hearing()))
    assert [end - start <= 7000 for start, end, _ in rows] == [True, True]


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({}, None),
        ({"logprob": -0.79}, None),
        ({"logprob": -0.86}, Reason.UNSURE),
        ({"no_speech_probability": 0.7}, None),
        ({"no_speech_probability": 0.7, "logprob": -0.6}, Reason.SILENT),
        ({"compression": 6.0}, None),
    ],
)
def test_a_piece_that_the_decoder_doubts_is_dropped(numbers: dict[str, float], reason: Reason | None) -> None:
    """Each of its numbers alone may be bad in true speech, but for its certainty."""
    assert objection_to(_hearing(_words(("one", 0, 1), ("two", 1, 2)), **numbers)) == reason


def test_a_text_that_goes_in_circles_is_dropped() -> None:
    """What repeats itself as poems do is not."""
    poem = "It was the best of times, it was the worst of times, it was the age of wisdom"
    words = _words(*[(word, 0.0, 0.1) for word in poem.split()])
    circles = _words(*[(word, 0.0, 0.1) for word in ("thank you very much. " * 5).split()])
    assert objection_to(_hearing(words, compression=3.0)) is None
    assert objection_to(_hearing(circles, compression=3.0)) is Reason.IN_CIRCLES
    thrice = circles[:12]
    assert objection_to(_hearing(thrice, compression=3.0)) is None
    assert objection_to(_hearing(thrice, logprob=-0.6)) is Reason.IN_CIRCLES
    assert objection_to(_hearing(circles[:8], logprob=-0.6)) is None


def test_words_of_a_run_that_cannot_be_are_dropped() -> None:
    """Few and faint ones, and more than a mouth can say; faint names among others stay."""
    assert objection_to_run(_words(("you", 0, 1), probability=0.1), 1.0) is Reason.FAINT
    assert objection_to_run(_words(("Ada", 0, 1), probability=0.3), 1.0) is None
    assert objection_to_run(_words(*[("Ada", 0.0, 0.1)] * 3, probability=0.1), 1.0) is None
    assert objection_to_run(_words(*[("so", 0.0, 0.1)] * 9), 1.0) is Reason.IN_HASTE
    assert objection_to_run((), 1.0) is Reason.NO_WORDS


def test_a_run_without_words_is_heard_again() -> None:
    """The pass may have ended early. What still says nothing is counted, and so is what is too short."""
    runs = (_run(1, 2), _run(3, 4), _run(5, 6.6), _run(8, 8.3))
    first, again = _words(("Yes.", 0.3, 1.0)), _words(("Indeed.", 0.3, 1.0))
    script = Script(t55=_hearing(first), t34=_hearing(again))
    heard = hear_piece(script, Piece(runs), "en")  # type: ignore[arg-type]
    assert script.asked == [55, 34]
    assert [(one.run, one.words[0].word) for one in heard.runs] == [(runs[0], " Yes."), (runs[1], " Indeed.")]
    assert heard.dropped == {"no_words": Dropped(2, 0, 1900)}
    assert heard.num_again == 2


def test_a_piece_that_goes_in_circles_is_heard_in_halves() -> None:
    """Once; the half that still does is dropped and counted."""
    circles = _words(*[(word, 0.2, 0.3) for word in ("thank you very much. " * 5).split()])
    true = _words(("Good", 0.3, 0.6), ("evening.", 0.6, 1.1))
    runs = (_run(1, 2), _run(10, 13))
    script = Script(
        t48=_hearing(circles, compression=5.0), t14=_hearing(true), t34=_hearing(circles, compression=5.0)
    )
    heard = hear_piece(script, Piece(runs), "en")  # type: ignore[arg-type]
    assert script.asked == [48, 14, 34]
    assert [one.run for one in heard.runs] == [runs[0]]
    assert heard.dropped == {"in_circles": Dropped(1, 20, 3000)}


def test_words_belong_to_the_run_in_which_their_middle_is() -> None:
    """Runs are heard one behind the other; each word's time counts from its own run's sound."""
    runs = (_run(1, 2), _run(10, 11))
    words = _words(("left", 0.4, 1.2), ("right", 1.3, 1.7))
    heard = hear_piece(Script(t28=_hearing(words)), Piece(runs), "en")  # type: ignore[arg-type]
    assert [_times(one) for one in heard.runs] == [[("left", 0, 1000)], [("right", 9000, 9100)]]


@pytest.mark.parametrize(
    ("first", "between", "texts"),
    [
        ("left", "behind.", ["left behind.", "right"]),
        ("Gone.", "so", ["Gone.", "so right"]),
        ("Gone", "So", ["Gone", "So right"]),
    ],
)
def test_a_word_in_the_silence_between_runs_goes_with_its_sentence(
    first: str, between: str, texts: list[str]
) -> None:
    """Where its middle is says nothing there."""
    runs = (_run(1, 2), _run(10, 11))
    words = _words((first, 0.4, 1.2), (between, 1.45, 1.45), ("right", 1.7, 2.2))
    heard = hear_piece(Script(t28=_hearing(words)), Piece(runs), "en")  # type: ignore[arg-type]
    assert ["".join(word.word for word in one.words).strip() for one in heard.runs] == texts
