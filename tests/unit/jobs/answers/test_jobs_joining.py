"""Records that repeat each other: found, joined or dropped by written rules."""

from collections.abc import Sequence
from typing import Any

from jobs.answers.joining import JOINED, drop_doubles, join_repeats, joined, without_same_key
from jobs.answers.records import Record
from jobs.answers.repetition import repeats
from jobs.prompts.checks import check_records
from schemas.answers import CharacterAnswer, HighlightAnswer, One, SceneAnswer, Several

STREET = "A grey cat walks slowly along an empty street at night."
GARDEN = "Two children play with a ball in the green garden."


def scene(start_s: float, end_s: float, summary: str = STREET) -> SceneAnswer:
    return SceneAnswer(
        start_ms=round(start_s * 1000),
        end_ms=round(end_s * 1000),
        title="The cat",
        summary=summary,
        setting="street",
        time_of_day="night",
        mood="calm",
        actions=[],
        objects=[],
        tags=[],
        characters=[],
    )


def highlight(start_s: float, end_s: float, reason: str = STREET) -> HighlightAnswer:
    return HighlightAnswer(
        start_ms=round(start_s * 1000),
        end_ms=round(end_s * 1000),
        title="It jumps",
        kind="funny",
        reason=reason,
        score=50,
    )


def record(answer) -> Record:
    return Record(answer, 0.5, 1.0, is_truncated=False, is_repeated=False)


def test_a_record_in_the_words_of_one_of_the_three_before_repeats_it():
    """Near-copies count, other words do not, and what was said long ago may be said again."""
    near = STREET.replace("grey", "black")
    assert repeats([scene(0, 1), scene(1, 2, GARDEN), scene(2, 3)], 2)
    assert not repeats([scene(0, 1), scene(1, 2, GARDEN)], 1)
    assert not repeats(
        [scene(0, 1), *(scene(n, n + 1, f"{GARDEN} {n} {n} {n}") for n in (1, 2, 3)), scene(4, 5)], 4
    )
    assert not repeats([scene(0, 1), scene(1, 2, near)], 1), "one word in eleven changes four groups of four"


def test_short_texts_may_be_alike():
    """A second goal is a goal."""
    both = [CharacterAnswer(label=label, kind="animal", description="a dog") for label in ("dog", "hound")]
    assert not repeats(both, 1)


def test_neighbouring_scenes_in_the_same_words_are_one():
    """It lasts as long as both and says that it was joined; no time is lost."""
    told: Sequence[Any] = join_repeats(
        [record(scene(0, 10)), record(scene(10, 20)), record(scene(20, 30, GARDEN))]
    )
    assert [(r.answer.start_ms, r.answer.end_ms) for r in told] == [(0, 20_000), (20_000, 30_000)]
    assert [r.repairs for r in told] == [(JOINED,), ()]


def test_a_moment_told_twice_counts_once():
    """Same time and same words; either alone is no reason."""
    records = [
        record(answer)
        for answer in (
            highlight(0, 10),
            highlight(1, 10),
            highlight(1, 10, GARDEN),
            highlight(40, 50),
        )
    ]
    assert drop_doubles(records) == [records[0], records[2], records[3]]


def test_short_moments_told_twice_count_once_too():
    """The same few words about the same time; about another time they are another goal."""
    goals = [record(highlight(a, b, "A goal")) for a, b in ((0, 10), (0, 10), (30, 40))]
    assert drop_doubles(goals) == [goals[0], goals[2]]


def test_a_name_is_kept_as_first_described():
    """Whatever its case; records without a name are all kept."""
    ann, again = (
        record(CharacterAnswer(label=label, kind="person", description=label)) for label in ("Ann", "ANN")
    )
    assert without_same_key([ann, again]) == [ann]
    scenes = [record(scene(0, 10)), record(scene(10, 20))]
    assert without_same_key(scenes) == scenes


def test_a_name_that_two_windows_say_costs_no_answer():
    """Where an answer is one record a window, as where it is several."""
    both = [record(CharacterAnswer(label=label, kind="person", description="d")) for label in ("Ann", "ann")]
    for layout in (One(), Several(3)):
        records, num_dropped = joined(layout, both)
        assert (records, num_dropped) == (both[:1], 0)
        check_records([one.answer for one in records], 10_000, [])
