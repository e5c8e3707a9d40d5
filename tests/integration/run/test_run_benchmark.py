"""Benchmarks with the installed command, real videos and a real model: asked, resumed, left out."""

import json

import pytest

from videoxl2.random_checkpoint import write_random_checkpoint


@pytest.fixture
def mlvu(tmp_path, make_video):
    """Two videos in the folders of two tasks, five questions, each with the arguments that ask them."""
    for task, name, shade in (("1_plotQA", "a.mp4", 0), ("4_count", "b.mp4", 120)):
        (tmp_path / "video" / task).mkdir(parents=True)
        make_video(tmp_path / "video" / task / name, seconds=6, shade=shade)
    (tmp_path / "json").mkdir()
    plots = [_record("a.mp4", f"What colour is number {n}?", "plotQA") for n in range(3)]
    counts = [_record("b.mp4", f"How many {what}?", "count") for what in ("squares", "dogs")]
    (tmp_path / "json" / "1_plotQA.json").write_text(json.dumps(plots))
    (tmp_path / "json" / "4_count.json").write_text(json.dumps(counts))
    return ("--benchmark", "mlvu", "--questions", tmp_path / "json", "--videos", tmp_path / "video")


def _record(video, question, task):
    candidates = ["one", "two", "three", "four"]
    return {
        "video": video,
        "duration": 6,
        "question": question,
        "candidates": candidates,
        "answer": "two",
        "question_type": task,
    }


def read_answers(file):
    settings, *answers = map(json.loads, file.read_text().splitlines())
    return settings, answers


def test_a_benchmark_is_asked_scored_and_resumed(media_index, parrot, mlvu, tmp_path):
    """Every question gets a letter with the probability of each; the table agrees with the answers; half the
    answers taken away are asked again, alike, and no other."""
    file = tmp_path / "answers.jsonl"
    command = ("eval", *mlvu, "--model", parrot, "--answers", file, "--json")
    shown = media_index(*command)
    assert shown.code == 0, shown.stderr
    settings, answers = read_answers(file)
    assert settings["fps"] == "as published"
    assert len(answers) == 5
    for answer in answers:
        assert sorted(answer["probabilities"]) == ["A", "B", "C", "D"]
        assert answer["answer"] == max(answer["probabilities"], key=answer["probabilities"].get)
        assert sum(answer["probabilities"].values()) == pytest.approx(1)
        assert answer["score"] == (answer["answer"] == "B")
    by_task = {
        task: [a["score"] for a in answers if a["categories"] == [["task", task]]]
        for task in ("plotQA", "count")
    }
    means = {task: sum(scores) / len(scores) for task, scores in by_task.items()}
    report = shown.json
    measures = {measure["name"]: measure["value"] for measure in report["measures"]}
    assert measures["accuracy"] == pytest.approx(sum(a["score"] for a in answers) / 5)
    assert measures["M-Avg"] == pytest.approx(sum(means.values()) / 2)
    assert measures["accuracy, task plotQA"] == pytest.approx(means["plotQA"])
    assert (report["num_answered"], report["num_videos"]) == (5, 2)
    assert (report["min_fps"], report["max_frames"]) == (4, 24)

    whole = file.read_text()
    file.write_text("".join(whole.splitlines(keepends=True)[:3]) + '{"key": "half a')
    again = media_index(*command)
    assert again.code == 0, again.stderr
    assert "3 of 5 questions are left to ask" in again.stderr
    assert "a.mp4: questions 1," in again.stderr
    assert again.json["measures"] == report["measures"]
    asked_anew = {answer["key"]: answer["answer"] for answer in read_answers(file)[1]}
    assert asked_anew == {answer["key"]: answer["answer"] for answer in answers}

    done = media_index(*command)
    assert "a.mp4" not in done.stderr
    assert done.json["measures"] == report["measures"]


def test_models_are_held_against_the_first(media_index, parrot, mlvu, tmp_path):
    """A table with both, the difference and its interval; each keeps its answers, and nothing is asked
    twice."""
    weights = write_random_checkpoint(tmp_path / "llava", family="LLaVA-Video")
    option = ("--model-option", "pool=average", "--weight-bits", 8)
    command = (
        "eval",
        *mlvu,
        *option,
        "--model",
        parrot,
        "--model",
        weights,
        "--answers",
        tmp_path / "answers",
    )
    shown = media_index(*command)
    assert shown.code == 0, shown.stderr
    kept = [read_answers(file)[0] for file in (tmp_path / "answers").glob("*.jsonl")]
    assert {one["model"]: one["model_options"] for one in kept} == {
        str(parrot): "",
        str(weights): "pool=average",
    }
    assert {one["weight_bits"] for one in kept} == {8}
    assert "Over the 5 questions that both answered:" in shown.stdout
    header = next(line for line in shown.stdout.splitlines() if line.startswith("measure"))
    assert [word for word in ("difference", "95 % interval") if word in header] == [
        "difference",
        "95 % interval",
    ]
    again = media_index(*command, "--json")
    assert again.stderr.count("0 of 5 questions are left to ask") == 2
    first, other = again.json["reports"]
    (difference,) = again.json["differences"]
    assert difference["num_questions"] == 5
    for measure, ours, theirs in zip(
        difference["measures"], first["measures"], other["measures"], strict=True
    ):
        assert (measure["first"], measure["other"]) == (ours["value"], theirs["value"])
        if "task" in measure["name"]:  # one video each
            assert measure["low"] is None
        else:
            assert measure["low"] <= measure["difference"] <= measure["high"]
    assert other["max_frames"] == 24
    refused = media_index(*command, "--model-option", "keep-ratio=0.8")
    assert refused.code == 2
    assert "none of the models has an option keep-ratio" in refused.stderr
    (tmp_path / "one.jsonl").write_text("")
    refused = media_index(*command[:-1], tmp_path / "one.jsonl")
    assert refused.code == 2
    assert "With several models --answers names a folder" in refused.stderr


def test_a_time_span_is_asked_of_the_sampled_times(media_index, parrot, make_video, tmp_path):
    """Charades-STA: spans of sampled times or the end, at the rate asked for, and a table of R@1 and mIoU.

    Of a model that takes pictures in their own shape, within a budget that a model of squares refuses.
    """
    shaped = write_random_checkpoint(tmp_path / "shaped", family="Qwen2.5-VL")
    make_video(tmp_path / "3MSZA.mp4", seconds=8)
    questions = tmp_path / "charades_sta_test.txt"
    questions.write_text("3MSZA 2.3 6.4##person turn a light on.\n3MSZA 0.0 4.0##person sits down.\n")
    shown = media_index(
        *("eval", "--benchmark", "charades-sta", "--questions", questions, "--videos", tmp_path),
        *("--model", shaped, "--answers", tmp_path / "answers.jsonl", "--fps", "1/2"),
        *("--max-pixels-per-frame", 20_000),
    )
    assert shown.code == 0, shown.stderr
    asked, answers = read_answers(tmp_path / "answers.jsonl")
    assert asked["max_pixels_per_frame"] == 20_000
    for answer in answers:
        start, end = answer["answer"]
        assert start in (0, 2, 4, 6)
        assert end in (2, 4, 6, 8)
        assert start < end
        assert (answer["fps"], answer["num_frames"]) == (0.5, 4)
    mean = sum(answer["score"] for answer in answers) / 2
    assert f"grounding mIoU          {mean:.3f}" in shown.stdout
    assert "2 of 2 questions answered, 1 videos, sampled at 0.5 to 0.5" in shown.stdout
    refused = media_index(
        *("eval", "--benchmark", "charades-sta", "--questions", questions, "--videos", tmp_path),
        *("--model", parrot, "--max-pixels-per-frame", 20_000),
    )
    assert refused.code == 2
    assert "for a model that takes squares of" in refused.stderr


def test_unusable_videos_are_left_out_on_request_only(media_index, parrot, mlvu, tmp_path):
    """Without the option nothing is asked; with it the rest is, what was left out is said, and the exit code
    says that something was."""
    (tmp_path / "video" / "4_count" / "b.mp4").unlink()
    command = ("eval", *mlvu, "--model", parrot)
    refused = media_index(*command)
    assert refused.code == 8
    assert "1 of 2 videos are not in" in refused.stderr
    shown = media_index(*command, "--skip-unusable")
    assert shown.code == 3
    assert "left out: 4_count/b.mp4: not found" in shown.stderr
    assert "3 of 5 questions answered" in shown.stdout
