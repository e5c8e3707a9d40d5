"""Boundaries move to the borders of shots where those are known, and nothing is decoded for it."""

from jobs.answers.moves import cuts_by_shots
from schemas.measured import Shot
from videoxl2.frames.reading.cuts import Cut


def shots(make_row, *borders):
    """From 0 on; each border is (ms, kind, score)."""
    first = make_row(Shot, shot_index=0, start_ms=0, kind=None, score=None)
    return (
        first,
        *(
            make_row(Shot, shot_index=n, start_ms=at_ms, kind=kind, score=score)
            for n, (at_ms, kind, score) in enumerate(borders, 1)
        ),
    )


def test_the_clearest_border_within_reach_counts(make_row):
    """Two seconds to either side; of two alike the nearer one; the video's start is none."""
    found = shots(
        make_row, (3000, "cut", 0.9), (4000, "dissolve", 0.5), (9000, "cut", 0.8), (9600, "cut", 0.8)
    )
    near = cuts_by_shots(found, [500, 4100, 5000, 5001, 6001, 9200, 11_700])
    assert near == {
        4100: Cut(3000, 0.9),
        5000: Cut(3000, 0.9),
        5001: Cut(4000, 0.5),
        9200: Cut(9000, 0.8),
    }


def test_slides_are_no_borders_of_scenes(make_row):
    assert cuts_by_shots(shots(make_row, (3000, "slide", 1.0)), [3000]) == {}


def test_without_shots_there_is_nothing_to_move_to(make_row):
    assert cuts_by_shots((), [3000]) == {}
    assert cuts_by_shots(shots(make_row), [100]) == {}
