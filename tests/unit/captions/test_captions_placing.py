"""Times of a stream as times of the film."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from videoxl2.captions.placing import Placing, Stretch
from videoxl2.captions.settling import Written

_TICKS = st.integers(-(1 << 40), 1 << 40)
_SECONDS = st.fractions(-10_000, 10_000, max_denominator=90_000)


@given(
    st.lists(st.tuples(_TICKS, st.none() | _TICKS), max_size=5),
    st.fractions(Fraction(1, 100_000), 2, max_denominator=100_000),
    _SECONDS,
)
def test_a_cue_of_a_stream_that_is_shown_whole_is_only_moved(
    times: list[tuple[int, int | None]], time_base: Fraction, shift_s: Fraction
) -> None:
    """To the millisecond that is nearest, halves to the even one; its words stay."""
    cues = [Written(start, end, f"{start}", "Ann") for start, end in times]
    placed = list(Placing((Stretch(None, None, shift_s),)).written(cues, time_base))
    assert placed == [
        Written(
            round((start * time_base + shift_s) * 1000),
            None if end is None else round((end * time_base + shift_s) * 1000),
            f"{start}",
            "Ann",
        )
        for start, end in times
    ]


def test_a_cue_that_an_edit_list_shows_in_part_is_cut_to_it() -> None:
    """Shown twice, it is two."""
    stretches = Stretch(Fraction(1), Fraction(2), Fraction(0)), Stretch(Fraction(1), None, Fraction(10))
    placed = Placing(stretches).written([Written(500, 3000, "a")], Fraction(1, 1000))
    assert list(placed) == [Written(1000, 2000, "a"), Written(11_000, 13_000, "a")]
