"""Scores of benchmarks, worked out by hand, and the file that keeps answers."""

import json
from typing import Any

import numpy as np
import pytest

from jobs.benchmarks.answers import Answered, AnswerSettings, AnswersFile, score_of
from jobs.benchmarks.question import OneOf, Question, When
from jobs.benchmarks.scores import measures, tallies
from jobs.reports.evaluation.tallies import compare
from schemas.failures import UsageError

SETTINGS = AnswerSettings(
    benchmark="mlvu", model="m", revision="r1", dtype="auto", fps="as published", max_frames=256
)


def answered(score: float, *categories: tuple[str, str], key: str = "k", video: str = "v") -> Answered:
    return Answered(
        key=key,
        question_id="q",
        video=video,
        categories=categories,
        answer="A",
        truth="A",
        score=score,
        probability=0.5,
        probabilities={"A": 0.5, "B": 0.5},
        allowed_mass=0.9,
        fps=1.0,
        num_frames=8,
    )


def values(benchmark: str, *answers: Answered) -> dict[str, tuple[Any, str]]:
    return {m.name: (pytest.approx(m.value), m.over) for m in measures(benchmark, answers)}


def test_mlvu_m_avg_is_the_mean_over_tasks():
    """Three of four plot questions and none of two counts: 3/6 over questions, 3/8 over tasks."""
    plot, count = ("task", "plotQA"), ("task", "count")
    answers = [*(answered(s, plot) for s in (1, 1, 1, 0)), answered(0, count), answered(0, count)]
    assert values("mlvu", *answers) == {
        "accuracy": (0.5, "6 questions"),
        "M-Avg": (0.375, "2 tasks"),
        "accuracy, task count": (0, "2 questions"),
        "accuracy, task plotQA": (0.75, "4 questions"),
    }


def test_videomme_goes_from_short_to_long():
    """Accuracy by duration in order of length, then by domain and task type."""

    def of(score, duration, domain, task):
        return answered(score, ("duration", duration), ("domain", domain), ("task type", task))

    found = values(
        "videomme",
        of(1, "long", "Knowledge", "OCR Problems"),
        of(0, "short", "Knowledge", "OCR Problems"),
        of(1, "medium", "Life Record", "OCR Problems"),
        of(1, "short", "Knowledge", "Action Reasoning"),
    )
    assert list(found.items()) == [
        ("accuracy", (0.75, "4 questions")),
        ("accuracy, duration short", (0.5, "2 questions")),
        ("accuracy, duration medium", (1, "1 question")),
        ("accuracy, duration long", (1, "1 question")),
        ("accuracy, domain Knowledge", (2 / 3, "3 questions")),
        ("accuracy, domain Life Record", (1, "1 question")),
        ("accuracy, task type Action Reasoning", (1, "1 question")),
        ("accuracy, task type OCR Problems", (2 / 3, "3 questions")),
    ]


def test_an_lvbench_question_counts_in_each_of_its_types():
    """And once overall."""
    both = (("question type", "reasoning"), ("question type", "summarization"))
    found = values("lvbench", answered(1, *both), answered(0, both[0]))
    assert found == {
        "accuracy": (0.5, "2 questions"),
        "accuracy, question type reasoning": (0.5, "2 questions"),
        "accuracy, question type summarization": (1, "1 question"),
    }


def test_models_are_compared_video_by_video():
    """Two videos of four questions; the other model is right where the first is and on two more of one video:
    samples of two videos have that one twice, once or never."""
    first = [answered(float(n < 2), ("task", "plotQA"), video=video) for video in "ab" for n in range(4)]
    more = [
        answered(float(n < 2 or video == "b"), ("task", "plotQA"), video=video)
        for video in "ab"
        for n in range(4)
    ]
    found = {d.name: d for d in compare(tallies("mlvu", first), tallies("mlvu", more))}
    accuracy = found["accuracy"]
    assert (accuracy.first, accuracy.other, accuracy.difference) == (0.5, 0.75, 0.25)
    assert (accuracy.low, accuracy.high) == (0, 0.5)
    assert found["M-Avg"].difference == 0.25
    same = compare(tallies("mlvu", first), tallies("mlvu", first))
    assert all((d.difference, d.low, d.high) == (0, 0, 0) for d in same)


def test_an_interval_covers_what_is_so():
    """Of 100 pairs of models whose true difference is 0.1, drawn over 60 videos with questions that are alike
    within a video, about 95 % have it in their interval."""
    draw = np.random.default_rng(5)
    covered = 0
    for _ in range(100):
        skill = draw.uniform(0.2, 0.7, 60)
        answers = [
            [
                answered(float(draw.random() < s + more), video=str(v))
                for v, s in enumerate(skill)
                for _ in range(3)
            ]
            for more in (0.0, 0.1)
        ]
        (accuracy,) = compare(*(tallies("lvbench", some) for some in answers))
        assert accuracy.low is not None
        assert accuracy.high is not None
        covered += accuracy.low <= 0.1 <= accuracy.high
    assert 88 <= covered <= 99


def test_charades_sta_is_judged_by_overlap():
    """0-8 s said and 2-10 s true: 6 s shared of 10; 20-30 s said and true; 0-3 of 0-10 s; no overlap."""
    pairs = [((0, 8), (2, 10)), ((20, 30), (20, 30)), ((0, 3), (0, 10)), ((0, 1), (5, 6))]
    overlaps = [score_of(Question("w", "q", "v", "p", When(true)), said) for said, true in pairs]
    assert overlaps == [0.6, 1, 0.3, 0]
    assert values("charades-sta", *map(answered, overlaps)) == {
        "grounding R@1, IoU 0.3": (0.75, "4 questions"),
        "grounding R@1, IoU 0.5": (0.5, "4 questions"),
        "grounding R@1, IoU 0.7": (0.25, "4 questions"),
        "grounding mIoU": (0.475, "4 questions"),
    }


def test_a_letter_is_right_or_wrong():
    """Nothing between."""
    question = Question("w", "q", "v", "p", OneOf(("A", "B"), "B"))
    assert (score_of(question, "B"), score_of(question, "A")) == (1, 0)


def test_no_answers_have_no_measures():
    """Rather than zeros."""
    assert measures("mlvu", []) == []


@pytest.fixture
def question():
    return Question("w", "q", "v", "p", OneOf(("A", "B"), "B"))


def test_answers_are_there_again(tmp_path, question):
    """As they were added, found by their question; of another prompt or truth there is none."""
    file = tmp_path / "answers.jsonl"
    answer = answered(1, key=question.key)
    AnswersFile(file, SETTINGS).add([answer])
    again = AnswersFile(file, SETTINGS)
    assert again.get(question) == answer
    assert again.get(Question("w", "q", "v", "another", question.wanted)) is None
    assert again.get(Question("w", "q", "v", "p", OneOf(("A", "B"), "A"))) is None


def test_half_a_line_is_dropped(tmp_path, question):
    """A process killed while writing costs its last line; what is added then stands on a line of its own."""
    file = tmp_path / "answers.jsonl"
    AnswersFile(file, SETTINGS).add([answered(1, key="first"), answered(0, key="second")])
    file.write_bytes(file.read_bytes()[:-20])
    AnswersFile(file, SETTINGS).add([answered(1, key=question.key)])
    kept = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line.get("key") for line in kept] == [None, "first", question.key]


def test_answers_of_other_settings_are_refused(tmp_path):
    """Named with both values; a copy of the same weights elsewhere is no other setting."""
    file = tmp_path / "answers.jsonl"
    AnswersFile(file, SETTINGS)
    AnswersFile(file, SETTINGS.model_copy(update={"model": "elsewhere/m"}))
    with pytest.raises(UsageError, match="max_frames 256, not 128"):
        AnswersFile(file, SETTINGS.model_copy(update={"max_frames": 128}))


@pytest.mark.parametrize(
    "content", ["hello\n", '{"benchmark": "mlvu"}\n', "notes without a line end", '{"a": 1}']
)
def test_another_file_is_not_written_to(tmp_path, content):
    """A file that this command did not write stays as it is."""
    file = tmp_path / "notes.txt"
    file.write_text(content)
    with pytest.raises(UsageError, match=r"line 1 is not what this command writes"):
        AnswersFile(file, SETTINGS)
    assert file.read_text() == content
