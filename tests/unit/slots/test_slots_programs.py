"""Programs of the answer types: what a model means to say comes out, what it must not say cannot."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import Field, StringConstraints

from jobs.prompts.answer_text import write_records
from jobs.prompts.program.programs import Filled, program_for, run_program
from jobs.prompts.program.times import AnswerContext, Times
from schemas.answers import (
    ANSWERS,
    Answer,
    CharacterAnswer,
    HighlightAnswer,
    Layout,
    Moments,
    SceneAnswer,
    Several,
    SummaryAnswer,
    Tiles,
)
from schemas.failures import UsageError
from videoxl2.constrained.hostile import HOSTILE, HostileModel
from videoxl2.constrained.masks import TokenTable
from videoxl2.network.language.tokens import stamp_text

MINUTE = AnswerContext(60_040, tuple(range(0, 60_040, 500)), ("Ann", "Ann Lee", "the dog"))


def scene(start_s: float, end_s: float, **values: Any) -> SceneAnswer:
    blank = {"title": "A walk", "summary": "They walk.", "setting": "street", "time_of_day": "day"}
    lists = {"mood": "calm", "actions": ["walking", "talking"], "objects": [], "tags": ["walk"]}
    given = {**blank, **lists, "characters": ["the dog", "Ann"], **values}
    return SceneAnswer(start_ms=round(start_s * 1000), end_ms=round(end_s * 1000), **given)


def figure(label: str) -> CharacterAnswer:
    return CharacterAnswer(label=label, kind="person", description=f"{label} walks with the dog.")


def moment(start_s: float, end_s: float, score: int) -> HighlightAnswer:
    reason = "They meet: it is the end of the story."
    return HighlightAnswer(
        start_ms=round(start_s * 1000),
        end_ms=round(end_s * 1000),
        title="The door",
        kind="plot",
        reason=reason,
        score=score,
    )


def fill_with(table: TokenTable, model: Any, answer: type[Answer], context: AnswerContext) -> Filled:
    return run_program(program_for(answer, context, table.count), table, model, [1])


@pytest.mark.parametrize(
    "records",
    [
        [SummaryAnswer(summary="A man and a dog walk in the rain; it ends well.")],
        [figure("Ann"), figure("woman in red coat"), figure("Ann Lee")],
        [scene(0, 7.5), scene(7.5, 31, characters=[], actions=[]), scene(31, 60, characters=["Ann Lee"])],
        [moment(12, 34.5, 95), moment(0, 1, 0), moment(50.5, 60, 100)],
        [],
    ],
    ids=lambda records: type(records[0]).__name__ if records else "none",
)
def test_a_proper_answer_is_written_as_it_is_meant(
    records: list[Answer], table: TokenTable, wishing: Any
) -> None:
    """The engine stands in no one's way: the text is that of an unconstrained answer."""
    answer = type(records[0]) if records else CharacterAnswer
    filled = fill_with(table, wishing(write_records(records)), answer, MINUTE)
    assert filled.text == write_records(records)
    assert write_records(filled.records) == write_records(records)
    assert not any(stats.slot.truncated or stats.slot.looped for stats in filled.stats)
    assert filled.num_spent == len(filled.token_ids)
    assert min((s.slot.allowed_mass for s in filled.stats), default=1) > 0.9
    names = {s.field for s in filled.stats if s.record == 0}
    assert names == set(answer.model_fields if records else ()) - (
        {"start_ms"} if answer is SceneAnswer else set()
    )


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("window_ms", [None, (12_345, 48_000), (59_990, 60_040)])
def test_scenes_tile_their_window(hostile: str, window_ms: tuple[int, int] | None, table: TokenTable) -> None:
    """From its first to its last millisecond without gap, at sampled times, each a second unless alone."""
    context = AnswerContext(MINUTE.duration_ms, MINUTE.times_ms, (), window_ms, max_tokens=2000)
    first_ms, last_ms = window_ms or (0, 60_040)
    scenes: Any = fill_with(table, HostileModel(hostile, table, 0), SceneAnswer, context).records
    assert (scenes[0].start_ms, scenes[-1].end_ms) == (first_ms, last_ms)
    assert all(a.end_ms == b.start_ms for a, b in pairwise(scenes))
    assert {s.start_ms for s in scenes[1:]} <= set(MINUTE.times_ms)
    assert len(scenes) == 1 or min(s.end_ms - s.start_ms for s in scenes) >= 1000
    assert len(scenes) <= max(4, -(-(last_ms - first_ms) // 8000))


def test_scenes_fit_a_small_budget(table: TokenTable, wishing: Any) -> None:
    """With room for few records the last of them reaches the end; with room for none the caller is told."""
    wish = wishing(write_records([scene(n, n + 5) for n in range(0, 60, 5)]))
    for max_tokens in (450, 800, 1100, 1500):
        context = AnswerContext(60_000, MINUTE.times_ms, MINUTE.roster, None, max_tokens)
        filled = fill_with(table, wish, SceneAnswer, context)
        assert filled.num_spent <= max_tokens == filled.token_bound
        assert filled.records[-1].end_ms == 60_000  # type: ignore[attr-defined]
        assert filled.is_cut_short == (len(filled.records) < 8), "as many as the layout lets a minute have"
        wish.token_ids.clear()
    context = AnswerContext(60_000, MINUTE.times_ms, MINUTE.roster, None, 20_000)
    assert not fill_with(table, wish, SceneAnswer, context).is_cut_short, "the model ends by itself"
    wish.token_ids.clear()
    with pytest.raises(UsageError, match="100 tokens allowed"):
        fill_with(table, wish, SceneAnswer, AnswerContext(60_000, (), (), None, 100))


def test_a_doubled_label_ends_the_characters(table: TokenTable, wishing: Any) -> None:
    """The record is taken back, whatever its case; what stood before it stays."""
    wish = "\n\n".join(write_records([figure(label)]) for label in ("Ann", "the dog", "ANN", "Bob"))
    filled = fill_with(table, wishing(wish), CharacterAnswer, MINUTE)
    assert [r.label for r in filled.records] == ["Ann", "the dog"]  # type: ignore[attr-defined]
    assert filled.num_spent > len(filled.token_ids)
    assert {s.record for s in filled.stats} == {0, 1}


def test_a_character_called_none_is_nobody(table: TokenTable, wishing: Any) -> None:
    """`none` as a label would read as an empty list in a scene, so it ends the answer."""
    wish = write_records([figure("None")])
    assert fill_with(table, wishing(wish), CharacterAnswer, MINUTE).text == "none"


def test_labels_can_be_written_into_lists_and_prompts(table: TokenTable) -> None:
    """No `;`, which parts items, and no `|`, which the control texts of a prompt contain."""
    for hostile in HOSTILE:
        for record in fill_with(table, HostileModel(hostile, table, 1), CharacterAnswer, MINUTE).records:
            assert not set(record.label) & {";", "|"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ("walking; Walking; talking", ["walking"]),
        ("none; walking", []),
        ("None", []),
        ("walking; none", ["walking"]),
        ("walking; talking.", ["walking", "talking."]),
        ("; ".join("abcdefghijklmnop"), list("abcdefghijkl")),
    ],
)
def test_lists_end_before_an_item_that_says_nothing_new(
    written: str, items: list[str], table: TokenTable, wishing: Any
) -> None:
    """Doubled items and `none` among others are taken back; a list takes twelve items at most."""

    class TagsAnswer(Answer):
        tags: Annotated[list[Annotated[str, StringConstraints(max_length=40)]], Field(max_length=12)]

    filled = fill_with(table, wishing(f"Tags: {written}"), TagsAnswer, MINUTE)
    assert filled.records[0].tags == items  # type: ignore[attr-defined]


def test_roster_labels_that_no_list_can_hold_are_not_offered(table: TokenTable) -> None:
    """A label with `;` or a line break, `none`, and the second of two that differ in case."""
    context = AnswerContext(5000, (0, 1000), ("a;b", "a\nb", "none", " x", "", "Ann", "ANN"))
    for hostile in HOSTILE:
        for record in fill_with(table, HostileModel(hostile, table, 0), SceneAnswer, context).records:
            assert record.characters in ([], ["Ann"])  # type: ignore[attr-defined]


def test_a_large_roster_does_not_raise_the_bound(table: TokenTable, wishing: Any) -> None:
    """Names are offered as far as the tokens of the list go, so a budget fits every video or none."""
    names = tuple(f"👩‍🚀 number {n} 女人" for n in range(60))
    crowd = AnswerContext(5000, (0, 1000), ("Ann", *names, "Bob"))
    alone = program_for(SceneAnswer, AnswerContext(5000, (0, 1000)), table.count)
    assert program_for(SceneAnswer, crowd, table.count).token_bound == alone.token_bound
    wish = wishing(write_records([scene(0, 5, characters=["Ann", *names[:3], "Bob"])]))
    filled = fill_with(table, wish, SceneAnswer, crowd)
    picked = filled.records[0].characters  # type: ignore[attr-defined]
    assert picked[:2] == ["Ann", names[0]]
    assert sum(table.count(f" {name};") for name in picked) <= 60


def test_times_are_those_of_the_stamps() -> None:
    """Tenths are rounded as the model reads them, half-way cases included."""
    times_ms = tuple(range(0, 20_000, 50))
    times = Times.of(AnswerContext(20_000, times_ms))
    stamps = {stamp_text(ms).removeprefix("Time ").removesuffix("s:") for ms in times_ms}
    assert {f"{t // 10}.{t % 10}" for t in times.stamps} == stamps - {"20.0"}


@pytest.mark.parametrize("duration_ms", [0, 40, 300, 999, 86_400_000, 200_000_000])
@pytest.mark.parametrize("name", ["scenes", "highlights"])
def test_any_duration_has_times_to_choose(duration_ms: int, name: str, table: TokenTable) -> None:
    """A video of a single frame too, and one of many days."""
    context = AnswerContext(duration_ms, (0, duration_ms // 2), (), None, 800)
    for hostile in HOSTILE:
        filled = fill_with(table, HostileModel(hostile, table, 2), ANSWERS[name], context)
        ends = [r.end_ms for r in filled.records]  # type: ignore[attr-defined]
        assert all(end <= max(duration_ms, 1) for end in ends)
        assert name != "scenes" or ends[-1] == max(duration_ms, 1)


@pytest.mark.parametrize("window_ms", [(-1, 5), (5, 5), (6, 5), (0, 60_041)])
def test_a_window_outside_the_video_is_an_error(window_ms: tuple[int, int]) -> None:
    """Also one that is empty or runs backwards."""
    with pytest.raises(ValueError, match="a window of"):
        AnswerContext(60_040, (), (), window_ms)


def test_types_that_nothing_bounds_are_refused(table: TokenTable) -> None:
    """Every field needs a limit and a layout that fits, or no token bound could be promised."""

    class FreeText(Answer):
        note: str

    class FreeNumber(Answer):
        count: int

    class FreeList(Answer):
        notes: list[Annotated[str, StringConstraints(max_length=9)]]

    class Real(Answer):
        share: float

    class Untimed(Answer):
        layout: ClassVar[Layout] = Tiles(5, 1.0, 1.0)
        note: Annotated[str, StringConstraints(max_length=9)]

    class Empty(Answer):
        layout: ClassVar[Layout] = Several(3)

    for answer in (FreeText, FreeNumber, FreeList, Real, Untimed, Empty):
        with pytest.raises(UsageError):
            program_for(answer, MINUTE, table.count)


def test_bounds_are_known_before(table: TokenTable) -> None:
    """They grow with the records and the roster, never with what the video shows."""
    assert program_for(SummaryAnswer, MINUTE, table.count).token_bound < 150
    short = AnswerContext(8_000, MINUTE.times_ms)
    assert (
        0
        < program_for(SceneAnswer, short, table.count).token_bound
        < program_for(SceneAnswer, MINUTE, table.count).token_bound
    )
    assert isinstance(HighlightAnswer.layout, Moments)
