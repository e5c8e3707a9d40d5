"""The videos of a benchmark, and every mistake about them: found before any weight is loaded."""

import json
import shutil
import sys
from types import SimpleNamespace

import av
import numpy as np
import pytest
from places import DATA

from jobs import sdk
from jobs.benchmarks.question import OneOf, Question
from jobs.benchmarks.videos import check_videos
from jobs.cli.main import main
from jobs.weights import find_weights
from jobs.workers.domain import DomainGuard
from schemas.failures import PreflightError, UsageError

PARROT = DATA / "parrot"


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Four seconds of grey."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(20):
            picture = np.full((64, 64, 3), 90, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def videos(tmp_path, film):
    """A folder, and a way to put the film into it under some names."""
    folder = tmp_path / "videos"
    folder.mkdir()

    def put(*names):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(film, folder / name)
        return folder

    return put


def about(video, number=0, latest_s=None):
    return Question(
        f"q.json, record {number}", "q", video, f"{number}?", OneOf(("A", "B"), "A"), (), latest_s
    )


def test_videos_are_found_at_any_depth_and_with_any_extension(videos):
    """By whole name or by name without extension; of two, the one in the folder that is asked for."""
    folder = videos("a.mp4", "deep/er/b.MKV", "1_plotQA/203.mp4", "6_anomaly/203.mp4")
    names = ("a.mp4", "1_plotQA/a.mp4", "a", "b", "b.mp4", "6_anomaly/203.mp4")
    found = {name: check_videos([about(name)], folder, False).videos[0].path for name in names}
    assert {name: str(path.relative_to(folder)) for name, path in found.items()} == {
        "a.mp4": "a.mp4",
        "1_plotQA/a.mp4": "a.mp4",
        "a": "a.mp4",
        "b": "deep/er/b.MKV",
        "b.mp4": "deep/er/b.MKV",
        "6_anomaly/203.mp4": "6_anomaly/203.mp4",
    }
    with pytest.raises(PreflightError, match="203: 2 files of this name"):
        check_videos([about("203")], folder, False)


def test_questions_of_a_video_are_asked_together(videos):
    """However the benchmark spells its name; videos in the order of their first question."""
    folder = videos("a.mp4", "b.mp4")
    questions = [about("b.mp4", 1), about("1_plotQA/a.mp4", 2), about("7_topic/a.mp4", 3), about("b.mp4", 4)]
    checked = check_videos(questions, folder, False)
    assert [[q.prompt for q in video.questions] for video in checked.videos] == [["1?", "4?"], ["2?", "3?"]]
    assert checked.problems == ()


def test_what_is_unusable_can_be_left_out(videos):
    """Missing and broken videos with all their questions, a video that is too short with those it is too
    short for; two seconds past the end are forgiven."""
    folder = videos("a.mp4")
    (folder / "broken.mp4").write_bytes(b"no video at all")
    questions = [
        about("a", 1, latest_s=5.9),
        about("a", 2, latest_s=6.1),
        about("broken", 3),
        about("missing", 4),
        about("missing", 5),
    ]
    checked = check_videos(questions, folder, True)
    assert [q.prompt for video in checked.videos for q in video.questions] == ["1?"]
    missing, short, broken = checked.problems
    assert missing == "missing: not found"
    assert short == "a.mp4 ends at 4.0 s, q.json, record 2 asks about 6.1 s"
    assert broken.startswith("broken.mp4: ")
    with pytest.raises(PreflightError, match="no question is left"):
        check_videos(questions[3:], folder, True)


def test_a_model_is_asked_only_about_videos_that_it_was_made_for(videos):
    """One outside counts as unusable: it is refused, or left out and named."""
    folder = videos("a.mp4")
    guard = DomainGuard.of(find_weights("small"))
    outside = "a.mp4: the model small was made for other videos"
    with pytest.raises(PreflightError, match=outside) as refused:
        check_videos([about("a", 1)], folder, False, guard)
    assert "ask a model that was made for such videos" in refused.value.hint
    with pytest.raises(PreflightError, match=f"no question is left: {outside}"):
        check_videos([about("a", 1)], folder, True, guard)


def test_a_model_is_loaded_in_python_for_videos_that_it_was_made_for(film):
    """Of a checkpoint that says which those are, before its weights are."""
    with pytest.raises(UsageError, match="none are named"):
        sdk.load_model("small")
    with pytest.raises(PreflightError, match=r"film\.mp4: the model small was made for other videos"):
        sdk.load_model("small", videos=[film])
    with pytest.raises(OSError, match=r"missing\.mp4"):
        sdk.load_model("small", videos=[str(film.parent / "missing.mp4")])


@pytest.fixture
def evaluate(tmp_path, monkeypatch, capsys):
    """`media-index eval …` with a model whose file ends before its weights, so that loading them fails."""
    model = tmp_path / "model"
    (model / "vision_tower").mkdir(parents=True)
    for name in ("config.json", "vision_tower/config.json"):
        shutil.copy(PARROT / name, model / name)
    shutil.copytree(model, tmp_path / "bare")
    whole = (PARROT / "model.safetensors").read_bytes()
    head = 8 + int.from_bytes(whole[:8], "little")  # names and shapes, without a byte of weights
    (model / "model.safetensors").write_bytes(whole[:head])
    monkeypatch.chdir(tmp_path)
    record = {
        "video": "a.mp4",
        "question": "?",
        "candidates": ["1", "2"],
        "answer": "1",
        "question_type": "t",
    }
    records = [record | {"video": f"{name}.mp4"} for name in "abcde"]
    (tmp_path / "mlvu.json").write_text(json.dumps(records))
    asked = {"uid": 1, "question": "?\n(A) 1\n(B) 2", "answer": "A", "question_type": ["t"]}
    video = {"key": "a", "qa": [asked | {"time_reference": "00:01-00:59"}]}
    (tmp_path / "lvbench.jsonl").write_text(json.dumps(video))
    (tmp_path / "charades.txt").write_text("a 1.0 3.0##on\na 3.0 6.5##off\n")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["media-index", "eval", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return SimpleNamespace(code=ended.value.code, stderr=shown.err)

    return run


MODEL = ("--model", "model")


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [
        (("mlvu", "--questions", "mlvu.json", *MODEL), 8, "4 of 5 videos are not in videos: mlvu/b.mp4"),
        (
            ("lvbench", "--questions", "lvbench.jsonl", *MODEL),
            8,
            "a.mp4 ends at 4.0 s, lvbench.jsonl",
        ),
        (("charades-sta", "--questions", "charades.txt", *MODEL), 8, "charades.txt, line 2 asks about 6.5 s"),
        (("mlvu", "--questions", "mlvu.json", "--limit", 1, "--model", "nowhere/at"), 8, "nowhere/at"),
        (("mlvu", "--questions", "mlvu.json", "--limit", 1, "--model", "bare"), 8, "lacks *.safetensors"),
        (("mlvu", "--questions", "mlvu.json", "--limit", 1, *MODEL), 8, "model: "),
        (("mlvu", "--questions", "mlvu.json"), 2, "no model given"),
        (("mlvu", *MODEL), 2, "no questions given"),
        (("lvbench", "--questions", "mlvu.json", *MODEL), 2, "mlvu.json is no .jsonl file"),
        (("videomme", "--questions", "mlvu.json", *MODEL), 2, "record 1, videoID: field required"),
        (("mlvu", "--questions", "mlvu.json", *MODEL, "--fps", "fast"), 2, "fps"),
        (("mlvu", "--questions", "mlvu.json", *MODEL, "--limit", 0), 2, "limit"),
        (("mlvu", "--questions", "mlvu.json", *MODEL, "--dtype", "int8"), 2, "dtype"),
        (("mlvu", "--questions", "mlvu.json", *MODEL, "--answers", "mlvu.json"), 2, "not what this command"),
        (("mlvu", "--questions", "mlvu.json", *MODEL, "--truth", "t.json"), 2, "--truth has no meaning here"),
        (("mlvu", "--questions", "mlvu.json", *MODEL, "--index", "i"), 2, "--index has no meaning here"),
        (("mmlu", "--questions", "mlvu.json", *MODEL), 2, "mmlu"),
    ],
)
def test_mistakes_cost_nothing(evaluate, videos, arguments, code, error):
    """Two lines that say which file and record, with the exit code of the class."""
    videos("a.mp4")
    shown = evaluate("--benchmark", *arguments, "--videos", "videos")
    assert shown.code == code
    assert error in shown.stderr.splitlines()[0]
    assert shown.stderr.splitlines()[1].startswith("hint: ")


def test_a_folder_that_is_none_and_options_without_a_benchmark(evaluate):
    """Neither the index nor the benchmark is meant by halves."""
    mlvu = ("--benchmark", "mlvu", "--questions", "mlvu.json", *MODEL)
    assert "nowhere is no folder" in evaluate(*mlvu, "--videos", "nowhere").stderr
    assert "no videos given" in evaluate(*mlvu).stderr
    assert "--limit has no meaning here" in evaluate("--truth", "t", "--index", "i", "--limit", 3).stderr
    assert "no truth given" in evaluate("--index", "i").stderr
