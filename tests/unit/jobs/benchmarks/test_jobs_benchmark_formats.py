"""Every benchmark's published annotation format, and what is wrong in a file said with its place."""

import json
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.benchmarks.formats import FORMATS, published_fps, read_questions
from jobs.benchmarks.names import BENCHMARKS
from jobs.benchmarks.question import OneOf, When
from schemas.failures import UsageError

MLVU = {
    "video": "movie101_66.mp4",
    "duration": 246,
    "question": "What color is the main male character in the video?",
    "candidates": ["Yellow", "Red", "Green", "Blue"],
    "answer": "Red",
    "question_type": "plotQA",
}
VIDEOMME = {
    "video_id": "001",
    "duration": "short",
    "domain": "Knowledge",
    "sub_category": "Humanity & History",
    "url": "https://www.youtube.com/watch?v=fFjv93ACGo8",
    "videoID": "fFjv93ACGo8",
    "question_id": "001-1",
    "task_type": "Counting Problem",
    "question": "Which decoration has the largest number?",
    "options": ["A. Apples.", "B. Candles.", "C. Berries.", "D. It's equal."],
    "answer": "C",
}
AUTHORS = {
    "video_id": "001",
    "duration_category": "short",
    "video_category": "Knowledge",
    "video_subcategory": "Humanity & History",
    "url": "https://www.youtube.com/watch?v=fFjv93ACGo8",
    "questions": [
        {
            "question_id": "001-1",
            "task_type": "Counting Problem",
            "question": VIDEOMME["question"],
            "choices": VIDEOMME["options"],
            "answer": "C",
        }
    ],
}
LVBENCH: dict[str, Any] = {
    "key": "Cm73ma6Ibcs",
    "type": "cartoon",
    "video_info": {"duration_minutes": 62.3, "fps": 24.0, "resolution": {"width": 640, "height": 360}},
    "qa": [
        {
            "uid": "55",
            "question": "What year appears in the opening caption?\n(A) 1636\n(B) 1366\n(C) 1363\n(D) 1633",
            "answer": "D",
            "question_type": ["key information retrieval", "reasoning"],
            "time_reference": "00:15-00:19",
        }
    ],
}


@pytest.fixture
def read(tmp_path):
    """The questions of a file with this content."""

    def run(benchmark, name, content, limit=None):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
        return read_questions(benchmark, file, limit)

    return run


def lines(*records):
    return "\n".join(json.dumps(record) for record in records) + "\n"


def test_each_benchmark_that_can_be_named_can_be_read():
    """`eval --benchmark` offers what there is a reader for."""
    assert tuple(FORMATS) == BENCHMARKS


def test_mlvu_lists_candidates_by_letter(read):
    """The answer's text becomes its letter, and the video is looked for in the task's folder."""
    [question] = read("mlvu", "1_plotQA.json", [MLVU]).questions
    assert question.prompt == (
        "What color is the main male character in the video?\n(A) Yellow\n(B) Red\n(C) Green\n(D) Blue\n"
        "Only give the best option.\n\nBest option: ("
    )
    assert question.wanted == OneOf(("A", "B", "C", "D"), "B")
    assert question.video == "1_plotQA/movie101_66.mp4"
    assert question.categories == (("task", "plotQA"),)


def test_an_mlvu_folder_is_read_without_what_cannot_be_scored(tmp_path):
    """The published folder holds generation tasks and a record without a question: both are said."""
    blank = MLVU | {"question": "", "candidates": ["", "", "", ""], "answer": ""}
    scene = {"video": "s.mp4", "question": "Describe.", "answer": "He runs.", "question_type": "subPlot"}
    (tmp_path / "7_topic_reasoning.json").write_text(json.dumps([blank, MLVU | {"candidates": ["Red", "2"]}]))
    (tmp_path / "8_sub_scene.json").write_text(json.dumps([scene | {"scoring_points": ["He runs"]}]))
    (tmp_path / "1_plotQA.json").write_text(json.dumps([MLVU]))
    read = read_questions("mlvu", tmp_path, None)
    assert [q.question_id for q in read.questions] == [
        "1_plotQA.json, record 1",
        "7_topic_reasoning.json, record 2",
    ]
    assert [q.wanted for q in read.questions] == [OneOf(tuple("ABCD"), "B"), OneOf(tuple("AB"), "A")]
    assert [note[-3:] for note in read.notes] == [": 1", ": 1"]


def test_videomme_is_the_same_as_parquet_rows_or_the_authors_json(read, tmp_path):
    """Three spellings of one question."""
    [question] = read("videomme", "flat.json", [VIDEOMME]).questions
    assert question.prompt.endswith(
        "(A, B, C, or D) of the correct option.\nWhich decoration has the largest number?\n"
        "['A. Apples.', 'B. Candles.', 'C. Berries.', \"D. It's equal.\"]\n\n"
        "Answer with the option's letter from the given choices directly."
    )
    assert question.wanted == OneOf(("A", "B", "C", "D"), "C")
    assert (question.video, question.question_id) == ("fFjv93ACGo8", "001-1")
    assert question.categories == (
        ("duration", "short"),
        ("domain", "Knowledge"),
        ("task type", "Counting Problem"),
    )
    pq.write_table(pa.Table.from_pylist([VIDEOMME]), tmp_path / "test-00000-of-00001.parquet")
    [of_parquet] = read_questions("videomme", tmp_path / "test-00000-of-00001.parquet", None).questions
    [of_authors] = read("videomme", "authors.json", [AUTHORS]).questions
    assert of_parquet.key == of_authors.key == question.key
    assert of_parquet.categories == of_authors.categories == question.categories


def test_lvbench_options_stand_in_the_question(read):
    """They are taken out of it; a question of two types counts in both."""
    [question] = read("lvbench", "video_info.meta.jsonl", lines(LVBENCH)).questions
    assert question.prompt == (
        "What year appears in the opening caption?\nA. 1636\nB. 1366\nC. 1363\nD. 1633\n"
        "Answer with the option's letter from the given choices directly."
    )
    assert question.wanted == OneOf(("A", "B", "C", "D"), "D")
    assert question.categories == (
        ("question type", "key information retrieval"),
        ("question type", "reasoning"),
    )
    assert (question.video, question.question_id, question.latest_s) == ("Cm73ma6Ibcs", "55", 19)


@pytest.mark.parametrize(
    ("reference", "latest_s"),
    [
        ("65:12-66:02", 3962),
        ("1:05:12-1:06:02", 3962),
        ("00:10-00:20, 00:01-00:02", 20),
        ("whole video", None),
    ],
)
def test_lvbench_time_references(read, reference, latest_s):
    """The last time that is mentioned, in minutes or hours; words mention none."""
    asked = LVBENCH["qa"][0] | {"time_reference": reference}
    [question] = read("lvbench", "v.jsonl", lines(LVBENCH | {"qa": [asked]})).questions
    assert question.latest_s == latest_s


def test_charades_sta_lines(read):
    """A span and a sentence a line."""
    text = "3MSZA 24.3 30.4##person turn a light on.\nAMT7R 0.0 12.5##a person is standing\n"
    first, second = read("charades-sta", "charades_sta_test.txt", text).questions
    assert first.wanted == When((24.3, 30.4))
    assert (first.video, first.latest_s) == ("3MSZA", 30.4)
    assert first.prompt.startswith('During which time span does this happen: "person turn a light on"?')
    assert second.wanted == When((0.0, 12.5))


def test_timelens_queries(read):
    """A query for each span of a video, in the words of Charades-STA; what does not pair is named."""
    record = {"duration": 30.9, "spans": [[24.3, 30.4], [0, 2]], "queries": ["a light turns on.", "she sits"]}
    first, second = read("timelens", "charades-timelens.json", {"3MSZA": record}).questions
    assert (first.wanted, first.video, first.latest_s) == (When((24.3, 30.4)), "3MSZA", 30.4)
    [charades] = read("charades-sta", "c.txt", "3MSZA 24.3 30.4##a light turns on.\n").questions
    assert first.key == charades.key
    assert second.question_id == "charades-timelens.json, 3MSZA, query 2"
    with pytest.raises(UsageError, match=r"3MSZA: 1 queries and 2 spans"):
        read("timelens", "t.json", {"3MSZA": record | {"queries": ["one"]}})
    with pytest.raises(UsageError, match="no object with a video in each key"):
        read("timelens", "t.json", [record])


def test_a_limit_takes_the_first_questions(read):
    """In the order of the file."""
    records = [MLVU | {"question": f"number {n}?"} for n in range(5)]
    questions = read("mlvu", "q.json", records, limit=2).questions
    assert [q.prompt.partition("?")[0] for q in questions] == ["number 0", "number 1"]


@pytest.mark.parametrize(
    ("benchmark", "name", "content", "error"),
    [
        ("mlvu", "q.json", "[", "q.json, line 1: no JSON"),
        ("mlvu", "q.json", {"a": 1}, "q.json: no list"),
        ("mlvu", "q.json", [], "holds no question"),
        ("mlvu", "q.json", [MLVU, {**MLVU, "video": None}], "q.json, record 2, video"),
        ("mlvu", "q.json", [MLVU | {"answer": "Pink"}], "record 1: the answer 'Pink' is not among"),
        ("mlvu", "q.json", [MLVU | {"candidates": ["Red"]}], "record 1: 1 options"),
        ("mlvu", "q.json", [VIDEOMME], "record 1, video: field required"),
        ("mlvu", "q.jsonl", lines(LVBENCH), "is no .json file"),
        ("videomme", "q.json", [MLVU], "record 1, videoID: field required"),
        ("videomme", "q.json", [VIDEOMME | {"answer": "E"}], "record 1: the answer 'E' is not among"),
        ("videomme", "q.json", [VIDEOMME | {"options": ["Apples", "Candles"]}], "should begin with A"),
        ("videomme", "q.json", [AUTHORS | {"questions": [{}]}], "record 1, questions.0.question_id"),
        ("videomme", "q.parquet", "nope", "cannot be read as Parquet"),
        ("lvbench", "q.jsonl", lines(LVBENCH) + '{"key": ', "q.jsonl, line 2: no JSON"),
        ("lvbench", "q.jsonl", "", "holds no question"),
        ("lvbench", "q.jsonl", json.dumps([MLVU], indent=1), "q.jsonl, line 1: no JSON"),
        ("lvbench", "q.jsonl", lines([MLVU]), "q.jsonl, line 1: input should be a valid dictionary"),
        (
            "lvbench",
            "q.jsonl",
            lines(LVBENCH | {"qa": [LVBENCH["qa"][0] | {"answer": "F"}]}),
            "line 1, uid 55: the answer 'F'",
        ),
        (
            "lvbench",
            "q.jsonl",
            lines(LVBENCH | {"qa": [LVBENCH["qa"][0] | {"question": "What?\n(A) 1\n(C) 2"}]}),
            "uid 55: options (A) (C) where (A) (B) belong",
        ),
        ("charades-sta", "q.txt", "3MSZA 24.3 30.4##on\n3MSZA 24.3 on\n", "q.txt, line 2: '3MSZA 24.3 on'"),
        ("charades-sta", "q.txt", "3MSZA 30.4 24.3##on", "q.txt, line 1: ends at 24.3 s"),
        ("charades-sta", "q.txt", "\n \n", "holds no question"),
        ("charades-sta", "q.json", [MLVU], "is no .txt file"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(read, benchmark, name, content, error):
    """File and record or line, and a hint."""
    with pytest.raises(UsageError) as raised:
        read(benchmark, name, content)
    assert error in raised.value.message
    assert raised.value.hint


def test_folders_and_files_that_cannot_be_meant(tmp_path):
    """No such file, no file of the right kind, or several; a Parquet file without the columns."""
    for name in ("charades_sta_test.txt", "charades_sta_train.txt"):
        (tmp_path / name).write_text("3MSZA 24.3 30.4##on")
    pq.write_table(pa.table({"videoID": ["a"]}), tmp_path / "q.parquet")
    for benchmark, path, error in (
        ("charades-sta", tmp_path, "2 files that could be meant"),
        ("mlvu", tmp_path, "has no .json file"),
        ("lvbench", tmp_path / "none.jsonl", "does not exist"),
        ("videomme", tmp_path / "q.parquet", "has no column duration"),
    ):
        with pytest.raises(UsageError, match=error):
            read_questions(benchmark, path, None)


@pytest.mark.parametrize(
    ("seconds", "max_frames", "fps"),
    [(30, 256, 4), (64, 256, 4), (80, 400, 4), (100, 256, 2), (128.5, 256, 1), (3600, 600, 1), (0.2, 256, 4)],
)
def test_the_published_sampling(seconds, max_frames, fps):
    """1 a second; as many as 4 where `max_frames` allow a whole number of times more."""
    assert published_fps(round(seconds * 1000), max_frames) == Fraction(fps)
