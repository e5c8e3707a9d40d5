"""Cues as written become cues in order, inside the film, each with an end."""

from hypothesis import given, settings
from hypothesis import strategies as st

from videoxl2.captions.records import Cue
from videoxl2.captions.settling import Written, join_touching, settle

FILM_MS = 60_000


def test_cues_come_by_start_and_overlaps_stay() -> None:
    written = [Written(5_000, 9_000, "b"), Written(1_000, 6_000, "a"), Written(5_000, 7_000, "c")]
    settled = settle(written, FILM_MS)
    assert settled.cues == (Cue(1_000, 6_000, "a"), Cue(5_000, 9_000, "b"), Cue(5_000, 7_000, "c"))
    assert settled.num_dropped == 0
    assert settled.warnings == ()


def test_what_lies_outside_the_film_is_dropped_and_counted_the_rest_is_clipped() -> None:
    inside = [Written(1_000 * n, 1_000 * n + 500, f"{n}") for n in range(1, 31)]
    written = [
        Written(-4_000, -1_000, "before"),
        Written(-4_000, 0, "just before"),
        Written(-1_000, 800, "begins before"),
        *inside,
        Written(59_000, 70_000, "ends behind"),
        Written(60_000, 61_000, "behind"),
        Written(40_000, 41_000, ""),
    ]
    settled = settle(written, FILM_MS)
    assert settled.cues[0] == Cue(0, 800, "begins before")
    assert settled.cues[-1] == Cue(59_000, 60_000, "ends behind")
    assert len(settled.cues) == 32
    assert settled.num_dropped == 4
    assert settled.warnings == ()


def test_an_end_that_is_missing_or_not_after_its_start_is_guessed() -> None:
    written = [
        Written(1_000, None, "till the next"),
        Written(3_000, 2_000, "backwards"),
        Written(20_000, 20_000, "no time at all"),
        Written(58_000, None, "last"),
    ]
    assert settle(written, FILM_MS).cues == (
        Cue(1_000, 3_000, "till the next", is_end_guessed=True),
        Cue(3_000, 8_000, "backwards", is_end_guessed=True),
        Cue(20_000, 25_000, "no time at all", is_end_guessed=True),
        Cue(58_000, 60_000, "last", is_end_guessed=True),
    )


def test_cues_of_another_film_are_told() -> None:
    longer = [Written(6_000 * n, 6_000 * n + 1_000, f"{n}") for n in range(20)]
    assert settle(longer, FILM_MS).warnings == ("other_film",)
    assert len(settle(longer, FILM_MS).cues) == 10
    shorter = [Written(1_000, 2_000, "soon over")]
    assert settle(shorter, FILM_MS, is_whole=True).warnings == ("other_film",)
    assert settle(shorter, FILM_MS).warnings == ()


def test_too_many_cues_are_cut_at_the_limit() -> None:
    written = [Written(n, n + 1, "x") for n in range(12)]
    settled = settle(written, FILM_MS, max_cues=10)
    assert len(settled.cues) == 10
    assert settled.num_dropped == 2
    assert settled.warnings == ("too_many_cues",)


def test_what_is_said_again_without_a_gap_is_one_cue() -> None:
    cues = [
        ("A", Written(0, 1_000, "Hi")),
        ("A", Written(500, 1_500, "Other")),
        ("A", Written(1_000, 2_000, "Hi")),
        ("B", Written(2_000, 3_000, "Hi")),
        ("A", Written(2_500, 3_000, "Hi")),
    ]
    assert join_touching(cues) == [
        Written(0, 2_000, "Hi"),
        Written(500, 1_500, "Other"),
        Written(2_000, 3_000, "Hi"),
        Written(2_500, 3_000, "Hi"),
    ]


@settings(max_examples=30)
@given(
    st.lists(
        st.builds(
            Written,
            st.integers(-(10**6), 10**6),
            st.none() | st.integers(-(10**6), 10**6),
            st.sampled_from(["", "a", "b"]),
        ),
        max_size=30,
    ),
    st.integers(1, 10**6),
)
def test_every_cue_lies_in_the_film_in_order_and_none_is_lost(written: list[Written], film_ms: int) -> None:
    settled = settle(written, film_ms)
    assert all(0 <= cue.start_ms < cue.end_ms <= film_ms for cue in settled.cues)
    assert [cue.start_ms for cue in settled.cues] == sorted(cue.start_ms for cue in settled.cues)
    assert len(settled.cues) + settled.num_dropped == len(written)
