"""Answers as text: what is written is read back, what is wrong is named."""

import pytest

from jobs.prompts.answer_text import InvalidAnswerError, describe_format, parse_records, write_records
from schemas.answers import ANSWERS, CharacterAnswer, HighlightAnswer, SceneAnswer, SummaryAnswer

SCENE = SceneAnswer(
    start_ms=0,
    end_ms=12_500,
    title="Two friends meet",
    summary="A man in red walks in: he waves.",
    setting="park",
    time_of_day="day",
    mood="calm",
    actions=["walking", "waving"],
    objects=[],
    tags=["park", "meeting"],
    characters=["man in red"],
)
MAN = CharacterAnswer(label="man in red", kind="person", description="Wears a hat; walks fast.")
MOMENT = HighlightAnswer(
    start_ms=3000, end_ms=4500, title="The wave", kind="emotion", reason="They meet.", score=90
)


@pytest.mark.parametrize(
    "records",
    [[SCENE, SCENE], [MAN], [MOMENT], [SummaryAnswer(summary="Two meet.")], []],
    ids=lambda r: len(r),
)
def test_what_is_written_is_read_back(records):
    """Any valid records survive the trip through text, an empty list included."""
    kind = type(records[0]) if records else SceneAnswer
    assert parse_records(kind, write_records(records)) == records


@pytest.mark.parametrize("name", ANSWERS)
def test_prompts_show_exactly_what_the_parser_reads(name):
    """The labels shown to the model are the labels that the parser expects, in the same order."""
    example = {SceneAnswer: SCENE, CharacterAnswer: MAN, HighlightAnswer: MOMENT}.get(
        ANSWERS[name], SummaryAnswer(summary="x")
    )
    shown = [line.partition(":")[0] for line in describe_format(ANSWERS[name]).splitlines() if ":" in line]
    written = [line.partition(":")[0] for line in write_records([example]).splitlines() if ":" in line]
    assert shown == written


def test_windows_line_ends_and_spare_blank_lines_are_no_error():
    """White space around lines carries no meaning."""
    text = (
        "\r\n"
        + write_records([MAN, MAN]).replace("\n", "\r\n").replace("\r\n\r\n", "\r\n \r\n\r\n")
        + "\r\n\r\n"
    )
    assert parse_records(CharacterAnswer, text) == [MAN, MAN]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "empty"),
        ("   \n ", "empty"),
        ("I see a man.", "span of seconds"),
        (write_records([SCENE]).replace("0.0 - 12.5", "12.5 - 0.0"), "not after its start"),
        (write_records([SCENE]).replace("0.0 - 12.5 seconds", "at the start"), "span of seconds"),
        (write_records([SCENE]).replace("Mood:", "Feeling:"), "expected `Mood:`"),
        (write_records([SCENE]).replace("Mood: calm\n", ""), "labelled lines"),
        (write_records([SCENE]).replace("of day: day", "of day: noon"), "Time of day"),
        (write_records([MOMENT]).replace("90", "101"), "Score"),
        (write_records([MOMENT]).replace("90", "very good"), "Score"),
        (write_records([MAN]).replace("man in red", "x" * 121), "Label"),
    ],
)
def test_an_invalid_answer_is_named(text, complaint):
    """Nothing is repaired: the first problem is raised with its record and field."""
    kind = HighlightAnswer if "Score" in text else CharacterAnswer if "Label" in text else SceneAnswer
    with pytest.raises(InvalidAnswerError, match=complaint):
        parse_records(kind, text)
