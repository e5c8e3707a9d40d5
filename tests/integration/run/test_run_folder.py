"""A folder of real files, good and bad, through the whole job, as a user runs it."""

import base64
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from films import ENCODINGS, encode
from PIL import Image
from storyboard import draw_film

TABLES = ("videos", "scenes", "characters", "appearances", "highlights", "keyframes", "failures")


@pytest.fixture
def library(tmp_path, make_video, make_sound) -> Path:
    """Three good videos in three containers, six that are none, and a file that is not meant to be one."""
    folder = tmp_path / "library"
    (folder / "deep er").mkdir(parents=True)
    make_video(folder / "plain.mp4")
    make_video(folder / "deep er" / "emoji 🎬 #1 100%.mkv", seconds=20, fps=25)
    make_video(folder / "vp9.webm", seconds=5, codec="libvpx-vp9")
    whole = make_video(tmp_path / "whole.mp4").read_bytes()
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("this is not a video")
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.mp4")).write_bytes(whole)
    (folder / "gone.mp4").symlink_to(folder / "nowhere")
    make_sound(folder / "sound only.mp4")
    (folder / "no index.mp4").write_bytes(whole[: len(whole) // 2])  # its moov atom is cut off
    (folder / "notes.txt").write_text("not a video by its name")
    return folder


def test_a_folder_becomes_an_index_and_stays_up_to_date(
    tmp_path, library, parrot, make_video, media_index, installed, without_ray
):
    """One story: index, repeat for free, add a file, replace a file; every table is right each time."""
    index = tmp_path / "index"
    where = ("--library", library, "--index", index, "--model", parrot)

    def sql(query: str) -> list[dict]:
        return media_index("sql", query, "--index", index, "--json").json

    first = installed("run", *where, "--new-index")
    assert first.code == 3, first.stderr
    assert "3 indexed, 0 partial, 5 set aside, 1 left to the next run" in first.stdout
    assert "1 other objects left out by the filters" in first.stderr

    videos = sql("select uri, duration_ms, num_frames_sampled, effective_fps, summary from videos order by 2")
    assert [(Path(v["uri"]).name, v["duration_ms"], v["num_frames_sampled"]) for v in videos] == [
        ("plain.mp4", 3000, 3),
        ("vp9.webm", 5000, 5),
        ("emoji 🎬 #1 100%.mkv", 20000, 20),
    ]
    assert {v["summary"] for v in videos} == {"A man in red meets a dog."}
    assert {v["effective_fps"] for v in videos} == {1.0}
    reasons = {Path(f["uri"]).name: (f["code"], f["action"]) for f in sql("select * from failures")}
    assert reasons == {
        "empty.mp4": ("empty_file", "quarantined"),
        "text.mp4": ("unreadable", "quarantined"),
        "sound only.mp4": ("no_video", "quarantined"),
        "no index.mp4": ("unreadable", "quarantined"),
        r"caf\xe9.mp4": ("bad_name", "quarantined"),
        "gone.mp4": ("not_found", "next_run"),
    }
    scenes = sql(
        "select scene_index, start_ms, end_ms, character_ids, evidence_ms, scenes.prompt_id from scenes "
        "join videos using (video_id) where duration_ms = 20000 order by 1"
    )
    assert scenes == [
        {"scene_index": 0, "start_ms": 0, "end_ms": 8000, "character_ids": ["C1"]}
        | {"evidence_ms": list(range(0, 8000, 1000)), "prompt_id": "scenes@1"},
        {"scene_index": 1, "start_ms": 8000, "end_ms": 20_000, "character_ids": ["C1", "C2"]}
        | {"evidence_ms": list(range(8000, 20_000, 1000)), "prompt_id": "scenes@1"},
    ]
    counts = {table: sql(f"select count(*) as n from {table}")[0]["n"] for table in TABLES}
    assert counts == dict(zip(TABLES, (3, 4, 6, 7, 3, 7 + 3, 6), strict=True)), "a picture for each shot, too"
    for row in sql("select * from keyframes"):
        with Image.open(io.BytesIO(base64.b64decode(row["image"]))) as image:
            image.load()
            assert image.size == (row["width"], row["height"]) == (96, 64)
    stands_for = (
        "select count(*) as n from keyframes as k join {0} as r on k.analysis_key = r.analysis_key and "
        "table_name = '{0}' and row_index = {1} where at_ms >= start_ms and at_ms < end_ms"
    )
    pictured = [
        sql(stands_for.format(*key))[0]["n"] for key in (("scenes", "scene_index"), ("highlights", "rank"))
    ]
    assert pictured == [4, 3]
    shown = media_index("sql", "select * from keyframes", "--index", index).stdout
    assert "image/jpeg" in shown
    assert "9j/" not in shown
    assert "\\xff" not in shown
    dog = "select first_seen_ms as a, last_seen_ms as b from characters where character_id = 'C2' order by b"
    assert sql(dog)[-1] == {"a": 8000, "b": 20_000}
    assert sql("select min(confidence) > 0.9 as sure, bool_or(is_truncated) as cut from scenes") == [
        {"sure": True, "cut": False}
    ]
    run = sql("select * from runs")[0]
    assert (run["num_listed"], run["num_ignored"], run["num_planned"], run["exit_code"]) == (9, 1, 9, 3)
    assert json.loads(run["settings_json"])["model"] == str(parrot)

    told = media_index("report", "--index", index).stdout
    assert "bad_name" in told
    assert r"caf\xe9.mp4" in told

    (library / "gone.mp4").unlink()
    again = without_ray("run", *where)
    assert again.code == 0, again.stderr
    assert "nothing to do: 8 videos listed, none to analyse, no model loaded" in again.stdout

    make_video(library / "added.mp4", seconds=3, shade=90)
    make_video(library / "plain.mp4", seconds=5, shade=200)
    make_video(library / "text.mp4", seconds=3, shade=30)
    third = media_index("run", *where, "--json")
    assert third.code == 0, third.stderr
    assert (third.json["num_planned"], third.json["num_unchanged"]) == (3, 6)
    videos = sql("select uri, duration_ms from videos")
    durations = {Path(v["uri"]).name: v["duration_ms"] for v in videos}
    assert len(videos) == 5
    assert (durations["plain.mp4"], durations["added.mp4"], durations["text.mp4"]) == (5000, 3000, 3000)
    per_video = "select count(*) as n from scenes group by video_id order by n"
    assert [row["n"] for row in sql(per_video)] == [1, 1, 1, 1, 2]
    assert "text.mp4" not in {Path(f["uri"]).name for f in sql("select uri from failures")}

    hits = media_index("search", "dog garden", "--index", index, "--kind", "scenes", "--json").json
    assert {Path(hit["uri"]).name for hit in hits} == set(durations)
    status = media_index("status", "--index", index)
    assert status.code == 0
    assert "emoji" not in status.stderr


def test_scenes_begin_at_the_cuts_of_the_picture(tmp_path, make_video, parrot, media_index):
    """The model says 8.0 s, the picture changes at 9.2 s: the tables have both, and whatever follows from a
    scene's times follows the cut, the keyframes too."""
    library, index = tmp_path / "library", tmp_path / "index"
    library.mkdir()
    make_video(library / "two rooms.mp4", seconds=20, cut_s=9.2)
    done = media_index("run", "--library", library, "--index", index, "--new-index", "--model", parrot)
    assert done.code == 0, done.stderr

    def sql(query: str) -> list[tuple]:
        return [tuple(row.values()) for row in media_index("sql", query, "--index", index, "--json").json]

    assert sql("select start_ms, end_ms, model_start_ms, model_end_ms from scenes order by scene_index") == [
        (0, 9200, 0, 8000),
        (9200, 20_000, 8000, 20_000),
    ]
    assert sql("select start_ms, end_ms from appearances where character_id = 'C2'") == [(9200, 20_000)]
    assert sql("select first_seen_ms from characters where character_id = 'C2'") == [(9200,)]
    assert sql("select start_ms, end_ms, model_start_ms, model_end_ms from highlights") == [
        (0, 1000, 0, 1000)
    ]
    assert sql("select warnings from videos") == [([],)]
    pictures = sql("select image from keyframes where table_name = 'scenes' order by row_index")
    rooms = [np.asarray(Image.open(io.BytesIO(base64.b64decode(image)))) for (image,) in pictures]
    assert [room[:10].mean().round() for room in rooms] == [0, 255]


def test_built_in_weights_say_what_they_know_and_answer_in_valid_rows(tmp_path, media_index):
    """The built-in weights are said to know drawn films only; what they say fits all the same. At
    another rate they are shown one picture a second, and scenes go from cut to cut."""
    library, index = tmp_path / "library", tmp_path / "index"
    library.mkdir()
    film = draw_film("test", 3008, 30.0)
    encode(film, ENCODINGS[4], library / "a.mov")
    rate = ("--model", "small", "--fps", "2")
    done = media_index("run", "--library", library, "--index", index, "--new-index", *rate)
    assert done.code == 0, done.stderr
    assert "small is built in and understands drawn films like the demo's, nothing else" in done.stderr
    query = "select start_ms, end_ms, summary from scenes order by scene_index"
    scenes = media_index("sql", query, "--index", index, "--json").json
    assert [scene["start_ms"] for scene in scenes] == [0, *(scene["end_ms"] for scene in scenes[:-1])]
    assert scenes[-1]["end_ms"] == 30_000
    assert all(scene["summary"] for scene in scenes)
    cuts_ms = [1000 * scene.start_s for scene in film.scenes]
    assert [scene["start_ms"] for scene in scenes] == pytest.approx(cuts_ms, abs=100)
    (video,) = media_index("sql", "select * from videos", "--index", index, "--json").json
    assert (video["num_frames_sampled"], video["effective_fps"]) == (30, 1.0)
    assert "of 2 a second it is shown one picture of 2" in done.stderr


def test_more_frames_than_allowed_are_spread_over_the_whole_video(tmp_path, make_video, parrot, media_index):
    """--max-frames thins the sampling instead of cutting the film off, and effective_fps says so."""
    library, index = tmp_path / "library", tmp_path / "index"
    library.mkdir()
    make_video(library / "long.mp4", seconds=20)
    settings = tmp_path / "my.toml"
    settings.write_text(
        f'library = "{library}"\nindex = "{index}"\nmodel = "{parrot}"\nmax_frames = 8\nfps = 2\n'
    )
    assert media_index("run", "--config", settings, "--new-index").code == 0
    query = "select num_frames_sampled, effective_fps from videos"
    (video,) = media_index("sql", query, "--config", settings, "--json").json
    assert video["num_frames_sampled"] == 8
    assert video["effective_fps"] == pytest.approx(0.4)
