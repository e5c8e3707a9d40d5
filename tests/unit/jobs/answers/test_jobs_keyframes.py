"""Which instants are looked at for a row, and which picture is taken."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs.answers.keyframes import keyframe_rows, wanted_keyframes
from schemas.answer_tables import row_type
from schemas.answers import Answer, TimedAnswer
from schemas.tables import Highlight, Scene
from videoxl2.frames.reading.stills.keyframes import Keyframe as Picture


@pytest.fixture
def wanted_of(make_row):
    """The candidates of rows `(start_ms, end_ms, evidence_ms)`: a scene, then highlights."""

    def wanted(scene, *highlights):
        columns = ("start_ms", "end_ms", "evidence_ms")
        rows: Any = SimpleNamespace(
            scenes=[make_row(Scene, **dict(zip(columns, scene, strict=True)))],
            highlights=[
                make_row(Highlight, rank=rank, **dict(zip(columns, one, strict=True)))
                for rank, one in enumerate(highlights, start=1)
            ],
            own={},
        )
        return wanted_keyframes(rows)

    return wanted


def candidates(wanted) -> list[tuple[int, ...]]:
    return [one.candidates_ms for one in wanted]


def test_sampled_pictures_nearest_the_middle_are_looked_at(wanted_of):
    """Three of them, the nearest first."""
    assert candidates(wanted_of((0, 9000, list(range(0, 9000, 1000))))) == [(4000, 5000, 3000)]
    assert candidates(wanted_of((0, 2500, [0, 1000, 2000]))) == [(1000, 2000)], "0 begins the video"
    assert candidates(wanted_of((950, 1990, [1000]))) == [(1000,)], "the only one there is"


def test_pictures_just_after_a_border_are_avoided(wanted_of):
    """Also after the border of another row, and from 100 ms on no more."""
    scene = (0, 4000, [0, 1000, 2000, 3000])
    assert candidates(wanted_of(scene, (1950, 4000, [2000, 3000]))) == [(1000, 3000), (3000,)]
    assert candidates(wanted_of(scene, (1900, 4000, [2000, 3000])))[0] == (2000, 1000, 3000)


def test_the_middle_stands_in_where_a_cut_moved_a_row_off_its_evidence(wanted_of):
    """No picture from outside the row's times."""
    assert candidates(wanted_of((6600, 6900, [6000]))) == [(6750,)]


def test_sound_pictures_come_first_then_those_of_more_detail(wanted_of):
    """A damaged one only where there is no other; without any there is no row."""
    wanted = wanted_of((0, 3000, [1000, 2000]), (4000, 7000, [5000]), (7000, 9000, [8000]))
    pictures = {
        1000: Picture(b"plain", 4, 3, is_damaged=False),
        2000: Picture(b"much noise", 4, 3, is_damaged=True),
        5000: Picture(b"torn", 3, 4, is_damaged=True),
    }
    rows = list(keyframe_rows(wanted, pictures))
    assert [(row.table_name, row.row_index, row.at_ms, row.image) for row in rows] == [
        ("scenes", 0, 1000, b"plain"),
        ("highlights", 1, 5000, b"torn"),
    ]
    assert (rows[1].width, rows[1].height) == (3, 4)
    pictures[2000] = Picture(b"much noise", 4, 3, is_damaged=False)
    assert next(keyframe_rows(wanted, pictures)).at_ms == 2000


class PlateAnswer(TimedAnswer):
    """A moment of a pack's."""

    plate: str


class OwnerAnswer(Answer):
    """What a pack says of a whole video."""

    owner: str


def test_moments_of_packs_have_keyframes_and_other_records_none(make_row):
    """They are told by their table's name and the record's place in it."""
    plate, owner = row_type(PlateAnswer), row_type(OwnerAnswer)
    times = {"start_ms": 1000, "end_ms": 4000, "evidence_ms": [2000]}
    rows: Any = SimpleNamespace(
        scenes=[],
        highlights=[],
        own={
            "owners": [make_row(owner, owner="nobody")],
            "plates": [make_row(plate, record_index=3, plate="AB 1", **times)],
        },
    )
    (one,) = wanted_keyframes(rows)
    assert (one.table_name, one.row_index, one.candidates_ms) == ("plates", 3, (2000,))
