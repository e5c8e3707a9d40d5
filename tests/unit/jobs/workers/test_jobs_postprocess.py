"""Postprocessing as a plain function, on real files: no Ray, no model."""

import io
import os
import pickle
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from jobs.answers.analysis import Analysis
from jobs.answers.asking import PromptAnswer
from jobs.answers.records import Record
from jobs.attempts.tries import ActorLocation, AttemptHistory, Postprocessed, Try
from jobs.attempts.work import Work
from jobs.failures import Stage
from jobs.prompts.pack import load_packs
from jobs.prompts.recipe import Recipe
from jobs.signals.shots import Shots
from jobs.workers.postprocessing.postprocess import PostprocessJob, postprocess
from jobs.workers.reading.spans import Source
from schemas.answers import HighlightAnswer, SceneAnswer
from schemas.failures import FailureClass
from schemas.identity import VideoObject
from schemas.plan import Reason
from schemas.rows import Lineage
from schemas.usage import Usage
from storage.index.commits.bundles import read_bundle
from storage.library.local import LocalLibrary
from videoxl2.frames import plan_sampling, probe
from videoxl2.network.configs.picture_size import Squares

RECIPE = Recipe("m", "r", "auto", Fraction(1), 2048, load_packs())
CUTS_S = (4.0, 6.6, 12.0)  # the film's shots change here; it lasts 16 s
RATE = 10
TRIES = (
    Try(1, datetime(2026, 11, 21, tzinfo=UTC), 2.5, ActorLocation("", "host", "cpu"), Usage(num_frames=16)),
)


@pytest.fixture
def film(tmp_path):
    """Shots of one shade each; in the last a white square goes away for a second, at 13.5 s."""
    path = tmp_path / "library" / "film.mp4"
    path.parent.mkdir()
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE, options={"bf": "2"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(16 * RATE):
            shade = 60 * sum(number >= cut_s * RATE for cut_s in CUTS_S)
            picture = np.full((64, 96, 3), shade, np.uint8)
            if number >= 12 * RATE and not 13.5 * RATE <= number < 14.5 * RATE:
                picture[20:30, 40:50] = 255
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return path


def scene(start_s: float, end_s: float, **values) -> SceneAnswer:
    said: dict[str, Any] = dict.fromkeys(("title", "summary", "setting", "mood"), "x")
    said |= {name: [] for name in ("actions", "objects", "tags", "characters")} | values
    return SceneAnswer(start_ms=round(start_s * 1000), end_ms=round(end_s * 1000), time_of_day="day", **said)


def highlight(start_s: float, end_s: float) -> HighlightAnswer:
    return HighlightAnswer(
        start_ms=round(start_s * 1000),
        end_ms=round(end_s * 1000),
        title="x",
        kind="plot",
        reason="x",
        score=50,
    )


@pytest.fixture
def finished(film, tmp_path):
    """Post-process the film with these answers; `meanwhile` happens between the model and that."""

    def run(*said: SceneAnswer | HighlightAnswer, meanwhile=lambda: None, recipe=RECIPE):
        found = film.stat()
        work = Work(
            VideoObject(str(film), found.st_size, found.st_mtime_ns), "key", Reason.NEW, max_frames=2048
        )
        source = Source(LocalLibrary(film.parent), tmp_path / "scratch", Fraction(1), Squares(56, 4))
        info = probe(film)
        answers = tuple(
            PromptAnswer(prompt, "", tuple(records), None, 0, 0)
            for prompt in RECIPE.prompts
            if (
                records := [
                    Record(one, 1.0, 1.0, is_truncated=False, is_repeated=False)
                    for one in said
                    if type(one) is prompt.answer
                ]
            )
        )
        analysis = Analysis(info, plan_sampling(info), tuple(range(0, 16_000, 1000)), (), answers)
        meanwhile()
        outcome = postprocess(
            source, PostprocessJob(AttemptHistory(work, TRIES), pickle.dumps(analysis)), recipe, "run"
        )
        if not isinstance(outcome, Postprocessed):
            return outcome
        (bundle,) = read_bundle(outcome.bundle, "bundle").to_pylist()
        return bundle

    return run


def times(rows: Iterable[dict]) -> list[tuple[int, int]]:
    return [(row["start_ms"], row["end_ms"]) for row in rows]


def said(rows: list[dict]) -> list[tuple[int, int]]:
    return [(row["model_start_ms"], row["model_end_ms"]) for row in rows]


def test_scenes_begin_at_cuts_and_both_times_are_kept(finished):
    """A boundary 1.4 s off moves to its cut, in both scenes; one without a cut near it stays."""
    bundle = finished(scene(0, 8), scene(8, 9.5), scene(9.5, 16))
    assert times(bundle["scenes"]) == [(0, 6600), (6600, 9500), (9500, 16_000)]
    assert said(bundle["scenes"]) == [(0, 8000), (8000, 9500), (9500, 16_000)]
    assert bundle["scenes"][0]["evidence_ms"] == list(range(0, 6600, 1000))
    assert bundle["videos"][0]["warnings"] == []


def test_where_shots_are_read_scenes_begin_at_theirs(finished, monkeypatch):
    """And the pictures are not looked at a second time."""
    again = "jobs.workers.postprocessing.postprocess.cuts_near"
    monkeypatch.setattr(again, lambda *_, **__: pytest.fail("decoded again"))
    recipe = replace(RECIPE, signals=(Shots(),))
    bundle = finished(scene(0, 8), scene(8, 9.5), scene(9.5, 16), recipe=recipe)
    assert [row["start_ms"] for row in bundle["shots"]][:4] == [0, 4000, 6600, 12_000]
    assert times(bundle["scenes"]) == [(0, 6600), (6600, 9500), (9500, 16_000)]
    assert said(bundle["scenes"]) == [(0, 8000), (8000, 9500), (9500, 16_000)]


def test_highlights_follow_scenes_and_keep_a_length(finished):
    """An end at a scene's boundary goes where that goes, and nowhere else; one alone goes to its own cut; a
    highlight whose ends would meet stays as it was said."""
    scenes = scene(0, 5), scene(5, 7), scene(7, 7.4), scene(7.4, 16)
    bundle = finished(*scenes, highlight(5, 10.2), highlight(7.4, 9), highlight(6.2, 7), highlight(3.5, 4.4))
    assert times(bundle["scenes"]) == [(0, 4000), (4000, 6600), (6600, 7400), (7400, 16_000)]
    assert times(bundle["highlights"]) == [(4000, 12_000), (7400, 9000), (6200, 7000), (3500, 4400)]
    assert said(bundle["highlights"]) == [(5000, 10_200), (7400, 9000), (6200, 7000), (3500, 4400)]


def test_the_first_and_the_last_instant_stay(finished):
    """However near a cut is."""
    assert times(finished(scene(0, 16), highlight(0, 16))["highlights"]) == [(0, 16_000)]


def truncate(film):
    os.truncate(film, film.stat().st_size // 2)


def damage(film):
    """Other bytes under the same size and time, as a bad disk gives them."""
    found = film.stat()
    film.write_bytes(bytes(found.st_size))
    os.utime(film, ns=(found.st_atime_ns, found.st_mtime_ns))


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (os.unlink, "not found"),
        (truncate, "written to since it was listed"),
        (damage, "no readable media|not one of the allowed formats|not a readable"),
    ],
)
def test_a_file_that_goes_away_costs_the_cuts_and_nothing_else(film, finished, happens, reason):
    """The answers are rows with the times that the model said, and a warning says why."""
    bundle = finished(scene(0, 8), scene(8, 16), highlight(8, 9), meanwhile=lambda: happens(film))
    assert times(bundle["scenes"]) == said(bundle["scenes"]) == [(0, 8000), (8000, 16_000)]
    assert times(bundle["highlights"]) == [(8000, 9000)]
    assert bundle["keyframes"] == []
    unsnapped, unseen = bundle["videos"][0]["warnings"]
    assert unsnapped.startswith("boundaries are not snapped to cuts: ")
    assert unseen.startswith("no keyframes: ")
    assert any(words in unsnapped for words in reason.split("|")), unsnapped


def test_every_row_has_a_picture_from_between_its_times(finished):
    """Of its own shot though the model's times reach into others; a row without evidence has none."""
    scenes = scene(0, 5), scene(5, 7), scene(7, 12.9), scene(12.9, 16)
    bundle = finished(*scenes, highlight(7, 9), highlight(6.2, 7))
    assert bundle["videos"][0]["warnings"] == []
    spans = {("scenes", row["scene_index"]): row for row in bundle["scenes"]}
    spans |= {("highlights", row["rank"]): row for row in bundle["highlights"] if row["is_grounded"]}
    assert times(spans.values()) == [(0, 4000), (4000, 6600), (6600, 12_000), (12_000, 16_000), (6600, 9000)]
    found = {(row["table_name"], row["row_index"]): row for row in bundle["keyframes"]}
    assert found.keys() == spans.keys()
    for key, row in found.items():
        of = spans[key]
        assert of["start_ms"] <= row["at_ms"] < of["end_ms"]
        assert row["at_ms"] in of["evidence_ms"]
        assert {name: row[name] for name in Lineage.model_fields} == {
            name: of[name] for name in Lineage.model_fields
        }
        image = Image.open(io.BytesIO(row["image"]))
        assert image.size == (row["width"], row["height"]) == (96, 64)
        assert (image.format, row["media_type"]) == ("JPEG", "image/jpeg")
        shade = 60 * sum(row["at_ms"] >= cut_s * 1000 for cut_s in CUTS_S)
        assert np.abs(np.asarray(image)[:10].astype(int) - shade).max() < 10


def test_the_picture_with_more_in_it_is_taken(finished):
    """The middle of the last shot is a blank; its neighbours are not."""
    (row,) = finished(highlight(12, 16))["keyframes"]
    assert row["at_ms"] in (13_000, 15_000)


def test_a_file_that_goes_away_after_its_cuts_were_found_costs_the_keyframes(film, finished):
    """Here there was no cut to be looked for."""
    bundle = finished(scene(0, 16), meanwhile=film.unlink)
    assert times(bundle["scenes"]) == [(0, 16_000)]
    assert bundle["keyframes"] == []
    (warning,) = bundle["videos"][0]["warnings"]
    assert warning.startswith("no keyframes: ")
    assert "not found" in warning


def damage_end(film):
    """The index stays, and the last pictures are zeros."""
    found, data = film.stat(), bytearray(film.read_bytes())
    stop = data.index(b"moov") - 4
    start = (data.index(b"mdat") + 3 * stop) // 4
    data[start:stop] = bytes(stop - start)
    film.write_bytes(data)
    os.utime(film, ns=(found.st_atime_ns, found.st_mtime_ns))


def test_rows_in_a_damaged_part_have_no_keyframe(film, finished):
    """The others have; no row shows a picture of another moment."""
    bundle = finished(highlight(5, 6.5), highlight(14, 16), meanwhile=lambda: damage_end(film))
    assert [row["row_index"] for row in bundle["keyframes"]] == [1]
    assert bundle["videos"][0]["warnings"] == [
        "no keyframes: of 1 of 2 rows, as the file is damaged there",
    ]


def test_a_bug_in_making_the_rows_is_told_apart(finished):
    """It is ours, at the stage of the rows."""
    failure = finished(scene(0, 16, characters=["nobody the model spoke of"]))
    assert (failure.stage, failure.failure_class) == (Stage.ROWS, FailureClass.BUG)
    assert "KeyError" in failure.traceback
