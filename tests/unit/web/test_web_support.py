"""The page says quietly what shots, and what is said, say to the rows of a model."""

import pytest

from schemas.identity import VideoObject
from schemas.measured import MEASURED_TABLES, Caption


@pytest.fixture
def open_film(tmp_path, make_film, make_row, add_films, open_site):
    """The page, and the JSON, of a film of two scenes and a highlight, with these shots and captions."""

    def ask(shots, captions):
        video = VideoObject("/nowhere/film.mp4", 5, 5)
        scenes = [
            {"start_ms": 0, "end_ms": 4000, "summary": "It is in Oslo.", "character_ids": ["C1"]},
            {"start_ms": 4000, "end_ms": 9000, "summary": "A man waits.", "character_ids": ["C1"]},
        ]
        best = [{"start_ms": 4500, "end_ms": 5000, "reason": "It is so in Bergen."}]
        film = make_film(video, scenes, {"C1": "the man called Rob"}, best, duration_ms=9000)
        ids = {
            name: getattr(film.commit, name)
            for name in ("video_id", "object_rev", "recipe_id", "analysis_key")
        }
        spans = [{"shot_index": n, "start_ms": start, "end_ms": end} for n, (start, end) in enumerate(shots)]
        measured = {
            "shots": tuple(make_row(MEASURED_TABLES["shots"], **ids, **one) for one in spans),
            "captions": tuple(make_row(Caption, **ids, text=text) for text in captions),
        }
        add_films(tmp_path / "index", film.model_copy(update={"measured": measured}))
        with open_site(tmp_path / "index") as client:
            page = client.get(f"/video/{film.commit.video_id}").text
            return page, client.get(f"/api/videos/{film.commit.video_id}").json()["claims"]

    return ask


def test_a_row_says_what_supports_it(open_film):
    """How many shots it lies in and how far off they begin and end; names that nobody says."""
    page, claims = open_film([(0, 3000), (3000, 9000)], ["so we went to bergen"])
    assert "in 2; starts 0.0 s, ends 1.0 s from a shot" in page
    assert "in 1; starts 1.5 s, ends 2.0 s from a shot" in page
    assert page.count("Names neither said nor written") == 2
    assert [(one["table"], one["row"], one["num_shots"], one["names"]) for one in claims] == [
        ("scenes", 0, 2, ["Oslo"]),
        ("scenes", 1, 1, []),
        ("highlights", 1, 1, []),
        ("characters", "C1", None, ["Rob"]),
    ]


def test_where_nothing_was_read_it_says_nothing(open_film):
    """Neither that a border is far off, nor that a name is wrong."""
    page, claims = open_film([], [])
    assert claims == []
    assert "from a shot" not in page
    assert "neither said nor written" not in page
