"""The same line in several pictures is one line."""

import pytest

from videoxl2.screen_text.lines import Lines
from videoxl2.screen_text.records import Line, Outline, Seen

PLACE = Outline(0.1, 0.8, 0.5, 0.85)


def seen(text: str, confidence: float = 0.9, down: float = 0.0, across: float = 0.0) -> Seen:
    moved = Outline(PLACE.left + across, PLACE.top + down, PLACE.right + across, PLACE.bottom + down)
    return Seen(text, confidence, moved)


def lines_of(*looks: list[Seen], step_ms: int = 1000) -> list[Line]:
    """Looks a second apart, and the film's end a second after the last."""
    lines, found = Lines(), list[Line]()
    for number, look in enumerate(looks):
        found += lines.add(look, number * step_ms)
    return found + lines.finish(len(looks) * step_ms)


def spans_of(*looks: list[Seen]) -> list[tuple[str, int, int]]:
    return [(line.text, line.start_ms, line.end_ms) for line in lines_of(*looks)]


def test_a_line_lasts_from_its_first_picture_to_the_first_without_it() -> None:
    """Or to the end of the film."""
    name = [seen("Anna Keller")]
    assert spans_of([], name, name, [], [], []) == [("Anna Keller", 1000, 3000)]
    assert spans_of([], name, name) == [("Anna Keller", 1000, 3000)]
    assert spans_of(name, []) == [("Anna Keller", 0, 1000)]


def test_a_line_that_is_overlooked_once_goes_on() -> None:
    """Twice is too often."""
    name = [seen("Anna Keller")]
    assert spans_of(name, [], name) == [("Anna Keller", 0, 3000)]
    assert spans_of(name, [], [], name) == [("Anna Keller", 0, 1000), ("Anna Keller", 3000, 4000)]


def test_the_text_is_what_most_pictures_agree_on() -> None:
    """Weighted by how surely they were read; its confidence is the best that it was read with."""
    looks = [seen("Anna Keller", 0.9)], [seen("Anna Kel1er", 0.8)], [seen("Anna Keller", 0.95)]
    (line,) = lines_of(*looks)
    assert (line.text, line.confidence) == ("Anna Keller", 0.95)
    (line,) = lines_of([seen("Anna Keiler", 0.75)], [seen("Anna Keller", 0.95)])
    assert line.text == "Anna Keller"


@pytest.mark.parametrize("other", ["anna keller", "AnnaKeller", "Anna-Keller!", "Ánna Keller"])
def test_case_spaces_marks_and_accents_make_no_other_line(other: str) -> None:
    """Readings of one line differ in them."""
    assert len(lines_of([seen("Anna Keller")], [seen(other)])) == 1


def test_another_text_in_its_place_is_another_line() -> None:
    """It ends where the other begins."""
    assert spans_of([seen("Anna Keller")], [seen("Ben Okonkwo")], [seen("Ben Okonkwo")]) == [
        ("Anna Keller", 0, 1000),
        ("Ben Okonkwo", 1000, 3000),
    ]


def test_the_same_text_in_two_places_is_two_lines() -> None:
    """Such as the two halves of a score board."""
    both = [seen("HOME"), seen("HOME", across=0.42)]
    assert spans_of(both, both) == [("HOME", 0, 2000)] * 2


def test_a_text_that_is_typed_out_is_one_line() -> None:
    """With what it says in the end."""
    looks = [seen("Anna")], [seen("Anna Kel")], [seen("Anna Keller")], [seen("Anna Keller")]
    assert spans_of(*looks) == [("Anna Keller", 0, 4000)]


def test_a_longer_text_over_a_shorter_one_is_another_line() -> None:
    """Where it does not go on from it: a logo does not become the title that covers it."""
    logo = Seen("Seattle", 0.9, Outline(0.2, 0.8, 0.3, 0.83))
    title = Seen("Seattle Channel 21", 0.9, Outline(0.1, 0.79, 0.6, 0.87))
    assert spans_of([logo], [title], [title]) == [("Seattle", 0, 1000), ("Seattle Channel 21", 1000, 3000)]


def test_credits_that_roll_are_one_line_each() -> None:
    """Through all places of a column."""
    looks = [
        [seen("Camera: Ada Byron", down=-0.2 * n), seen("Sound: Max Born", down=0.1 - 0.2 * n)]
        for n in range(4)
    ]
    assert spans_of(*looks) == [("Camera: Ada Byron", 0, 4000), ("Sound: Max Born", 0, 4000)]


def test_a_line_that_comes_in_is_the_line_that_it_becomes() -> None:
    """Though only its upper half is there at first."""
    low = Seen("Lights: Li Na", 0.9, Outline(0.3, 0.95, 0.6, 1.0))
    whole = Seen("Lights: Li Na", 0.95, Outline(0.3, 0.85, 0.6, 0.93))
    assert spans_of([low], [whole]) == [("Lights: Li Na", 0, 2000)]
    small = Seen("Lights: Li Na", 0.9, Outline(0.3, 0.65, 0.6, 0.7))
    assert len(spans_of([small], [whole])) == 2


def test_the_same_text_elsewhere_in_the_picture_is_another_line() -> None:
    """Neither in its column nor in its row."""
    assert len(lines_of([seen("Anna Keller")], [seen("Anna Keller", down=-0.4, across=0.3)])) == 2


def test_lines_are_given_as_soon_as_they_are_over() -> None:
    """So that memory does not grow with the film."""
    lines = Lines()
    assert lines.add([seen("Anna Keller")], 0) == []
    assert lines.add([], 1000) == []
    assert [line.text for line in lines.add([], 2000)] == ["Anna Keller"]
    assert lines.finish(9000) == []


def test_a_score_that_changes_is_another_line_and_a_clock_is_one() -> None:
    """Digits that stood for three seconds are news when they change; those that run are not."""
    scores = [[seen(f"HOME {goals} : 0", 0.97)] for goals in (0, 0, 0, 1, 1)]
    assert spans_of(*scores) == [("HOME 0 : 0", 0, 3000), ("HOME 1 : 0", 3000, 5000)]
    clock = [[seen(f"10:14:{second}", 0.97)] for second in range(20, 30)]
    ((_, start_ms, end_ms),) = spans_of(*clock)
    assert (start_ms, end_ms) == (0, 10_000)
    doubtful = [[seen(text, 0.85)] for text in ("HOME 0 : 0",) * 3 + ("HOME 8 : 0",)]
    assert spans_of(*doubtful) == [("HOME 0 : 0", 0, 4000)]


def test_a_text_counts_as_long_as_it_stands() -> None:
    """Not as often as it was looked at, which is when something changes."""
    lines = Lines()
    lines.add([seen("Anna", 0.99)], 0)
    lines.add([seen("Anna Keller", 0.9)], 1000)
    (line,) = lines.finish(9000)
    assert (line.text, line.start_ms, line.end_ms, line.confidence) == ("Anna Keller", 0, 9000, 0.9)
