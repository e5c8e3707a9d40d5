"""Shots lie between transitions, without gap or overlap."""

from hypothesis import given
from hypothesis import strategies as st

from videoxl2.shots import Shot, Transition, shots_of

CUT = Transition("cut", 1_000, 1_000, 1_000, 0.9)
DISSOLVE = Transition("dissolve", 2_000, 3_000, 2_500, 0.8)


def test_shots_begin_where_transitions_say() -> None:
    assert shots_of([DISSOLVE, CUT], 5_000) == [
        Shot(0, 0, 1_000, None, None),
        Shot(1, 1_000, 2_500, "cut", 0.9),
        Shot(2, 2_500, 5_000, "dissolve", 0.8),
    ]


def test_a_film_without_transitions_is_one_shot() -> None:
    assert shots_of([], 40) == [Shot(0, 0, 40, None, None)]


def test_no_film_has_no_shots() -> None:
    assert shots_of([], 0) == []


def test_fades_at_the_ends_open_no_shot() -> None:
    ends = [Transition("fade", 0, 400, 0, 1), Transition("fade", 4_600, 5_000, 5_000, 1)]
    assert shots_of(ends, 5_000) == [Shot(0, 0, 5_000, None, None)]


@given(st.lists(st.integers(-5, 60)), st.integers(0, 50))
def test_every_millisecond_is_in_one_shot(at_ms: list[int], duration_ms: int) -> None:
    shots = shots_of([Transition("cut", at, at, at, 1) for at in at_ms], duration_ms)
    assert [ms for shot in shots for ms in range(shot.start_ms, shot.end_ms)] == list(range(duration_ms))
    assert [shot.index for shot in shots] == list(range(len(shots)))
