"""Answers against the video and against each other."""

import pytest

from jobs.prompts.answer_text import InvalidAnswerError
from jobs.prompts.checks import check_records
from schemas.answers import CharacterAnswer, SceneAnswer


def scene(start_s: float, end_s: float, characters: tuple[str, ...] = ()) -> SceneAnswer:
    return SceneAnswer(
        start_ms=round(start_s * 1000),
        end_ms=round(end_s * 1000),
        title="t",
        summary="s",
        setting="s",
        time_of_day="day",
        mood="m",
        actions=[],
        objects=[],
        tags=[],
        characters=list(characters),
    )


def figure(label: str) -> CharacterAnswer:
    return CharacterAnswer(label=label, kind="other", description="d")


def test_scenes_end_with_the_last_millisecond():
    """A video of 10,033 ms ends there, whatever the tenths that the model speaks of."""
    check_records([scene(0, 5), scene(5, 10.033, ("Man",))], 10_033, ["man"])


@pytest.mark.parametrize(
    ("records", "complaint"),
    [
        ([scene(0, 10.034)], "the video at 10033"),
        ([scene(0, 6), scene(5, 10)], "inside the one before"),
        ([scene(0, 6, ("dog",))], "'dog' is not among"),
        (
            [CharacterAnswer(label=x, kind="other", description="d") for x in ("Ann", "ann")],
            "another one has the label",
        ),
    ],
)
def test_contradictions_are_named(records, complaint):
    """Times outside the video, overlaps, strangers and doubled labels are invalid answers."""
    with pytest.raises(InvalidAnswerError, match=complaint):
        check_records(records, 10_033, ["man"])
