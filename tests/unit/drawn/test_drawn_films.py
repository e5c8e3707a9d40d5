"""Drawn films: the same for the same number, never the same in two parts, and truly described."""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawing import draw_picture
from films import ENCODINGS, encode, make_films
from narration import (
    Seen,
    character_answers,
    highlight_answers,
    scene_answers,
    summary_answer,
    title_of,
    true_video,
)
from storyboard import FIRST_SEED, SHORTEST_SCENE_S, draw_film

from jobs.prompts.answer_text import parse_records, write_records
from schemas.answers import ANSWERS
from schemas.truth import Truth
from videoxl2.frames import plan_sampling, probe, read_frames

NUMBERS = range(200)


def whole(film):
    """As sampled once a second."""
    times = tuple(range(0, int(film.duration_s * 1000 - 1) + 1, 1000))
    return Seen(film, times, 0, round(film.duration_s * 1000))


def test_a_number_is_one_film_for_ever_and_of_one_part_only():
    """The same part and number give the same storyboard; no seed of one part is one of another."""
    assert [draw_film("train", n) for n in NUMBERS] == [draw_film("train", n) for n in NUMBERS]
    parts = [{draw_film(part, n).seed for n in NUMBERS} for part in FIRST_SEED]
    assert len(set.union(*parts)) == len(FIRST_SEED) * len(NUMBERS)
    assert draw_film("train", 1).scenes != draw_film("test", 1).scenes


@pytest.mark.parametrize("duration_s", [None, 10, 45, 600])
def test_scenes_follow_each_other_without_gap_in_changing_settings(duration_s):
    """Scenes tile the film, last long enough to be sampled, and neighbours differ in their setting."""
    for number in NUMBERS[:40]:
        film = draw_film("test", number, duration_s)
        assert film.scenes[0].start_s == 0
        assert duration_s is None or film.duration_s == pytest.approx(duration_s, abs=2)
        for scene in film.scenes:
            assert scene.end_s - scene.start_s >= SHORTEST_SCENE_S - 0.02
            assert scene.cast
            assert all(scene.start_s <= p.enter_s < p.leave_s <= scene.end_s for p in scene.cast)
        for before, after in pairwise(film.scenes):
            assert before.end_s == after.start_s
            assert before.setting != after.setting


def test_what_is_true_of_a_film_is_a_valid_answer_and_a_valid_truth_file():
    """Answers read back as they were written; the ground truth has the file format of `media-index eval`."""
    for number in NUMBERS:
        film = draw_film("validation", number)
        seen = whole(film)
        told: dict[str, list[Any]] = {
            "summary": [summary_answer(film)],
            "characters": character_answers(film),
            "scenes": scene_answers(seen),
            "highlights": highlight_answers(seen),
        }
        for name, answers in told.items():
            told_text = write_records(answers)
            assert write_records(parse_records(ANSWERS[name], told_text)) == told_text
        assert len(told["scenes"]) == len(film.scenes)
        for told_scene, scene in zip(told["scenes"], film.scenes, strict=True):
            assert 0 <= told_scene.start_ms - 1000 * scene.start_s <= 1000
        truth = Truth(videos=(true_video(film, "a.mp4"),))
        assert Truth.model_validate_json(truth.model_dump_json()) == truth
        assert len(truth.videos[0].highlights) == sum(scene.event is not None for scene in film.scenes)


def test_a_picture_shows_its_scene_at_any_size():
    """The same instant at two sizes is the same picture, and other scenes are other pictures."""
    film = next(f for f in (draw_film("test", n, 40) for n in NUMBERS) if len(f.scenes) > 2)
    middles = [(scene.start_s + scene.end_s) / 2 for scene in film.scenes]
    large = [np.asarray(draw_picture(film, t, (320, 180), 2).resize((64, 36)), float) for t in middles]
    small = [np.asarray(draw_picture(film, t, (160, 90), 2).resize((64, 36)), float) for t in middles]
    for number, picture in enumerate(small):
        apart = [abs(picture - other).mean() for other in large]
        assert min(apart) == apart[number] < 8


@pytest.mark.parametrize("how", ENCODINGS, ids=lambda how: f"{how.suffix}-{how.codec}-{how.fps}")
def test_files_play_what_the_storyboard_says(tmp_path, how):
    """Every encoding is read by the frame reader: its length, its title, and what its pictures show."""
    film = draw_film("test", 5, 8)
    path = tmp_path / f"film.{how.suffix}"
    encode(film, how, path)
    info = probe(path)
    assert info.title == title_of(film)
    assert info.duration_ms == pytest.approx(film.duration_s * 1000, abs=120)
    for span in read_frames(path, plan_sampling(info), 48, info=info):
        for picture, ms in zip(span.frames, span.pts_ms, strict=True):
            drawn = draw_picture(film, ms / 1000, how.size, 2).resize((48, 48))
            assert abs(np.asarray(drawn, float) - picture).mean() < 12
    assert not list(tmp_path.glob(".unfinished*"))


def test_films_that_are_there_are_kept(tmp_path):
    """Making films again draws only what is missing and gives the same truth."""
    first = make_films(tmp_path, "test", range(2), 6)
    kept = {path: path.stat().st_mtime_ns for path in sorted(tmp_path.iterdir())}
    next(iter(kept)).unlink()
    assert make_films(tmp_path, "test", range(2), 6) == first
    assert sum(path.stat().st_mtime_ns == ns for path, ns in kept.items()) == 1
    assert json.loads(first.model_dump_json())["videos"][0]["uri"] in {Path(p).name for p in kept}
