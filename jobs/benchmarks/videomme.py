"""Video-MME: the parquet file of the hub (lmms-lab/Video-MME), its rows as JSON, or the authors' JSON.

{"videoID": "fFjv93ACGo8", "duration": "short", "domain": "Knowledge", "task_type": "Counting Problem",
 "question_id": "001-1", "question": "When …?", "options": ["A. Apples.", "B. Candles.", …], "answer": "C"}

{"video_id": "001", "url": "https://www.youtube.com/watch?v=fFjv93ACGo8", "duration_category": "short",
 "video_category": "Knowledge", "questions": [{"question_id": "001-1", "task_type": "Counting Problem",
 "question": "When …?", "choices": ["A. Apples.", …], "answer": "C"}, …]}
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jobs.benchmarks.question import Question, QuestionSet, letters_for, one_of
from jobs.benchmarks.records import PublishedRecord, json_records, one_file_in, parse, wrong
from storage.parquet_rows import read_parquet_rows

# The text of Video-XL-2's own evaluation, which speaks of subtitles though it gives none.
_INSTRUCTION = (
    "Select the best answer to the following multiple-choice question based on the video and the subtitles. "
    "Respond with only the letter (A, B, C, or D) of the correct option."
)
_ENDING = "Answer with the option's letter from the given choices directly."


class _Row(PublishedRecord):
    videoID: str  # noqa: N815 - the published name
    duration: str
    domain: str
    task_type: str
    question_id: str
    question: str
    options: tuple[str, ...]
    answer: str


class _Asked(PublishedRecord):
    question_id: str
    task_type: str
    question: str
    choices: tuple[str, ...]
    answer: str


class _Video(PublishedRecord):
    video_id: str
    duration_category: str
    video_category: str
    questions: tuple[_Asked, ...]
    url: str = ""

    def rows(self) -> Iterator[_Row]:
        """Flat, as the hub has them. Video files carry the YouTube id as a rule."""
        youtube_id = parse_qs(urlsplit(self.url).query).get("v", [self.video_id])[0]
        for asked in self.questions:
            yield _Row(
                videoID=youtube_id,
                duration=self.duration_category,
                domain=self.video_category,
                task_type=asked.task_type,
                question_id=asked.question_id,
                question=asked.question,
                options=asked.choices,
                answer=asked.answer,
            )


def read_videomme(path: Path) -> QuestionSet:
    """All questions. Raises `UsageError`."""
    return QuestionSet(tuple(_question(row, where) for where, row in _rows(path)))


def _rows(path: Path) -> Iterator[tuple[str, _Row]]:
    file = one_file_in(path, ".parquet", ".json")
    if file.suffix.lower() == ".parquet":
        columns = tuple(_Row.model_fields)
        for number, values in enumerate(read_parquet_rows(file, columns), start=1):
            where = f"{file.name}, row {number}"
            yield where, parse(_Row, dict(zip(columns, values, strict=True)), where)
        return
    for where, record in json_records(file):
        yield from _flat(record, where)


def _flat(record: Any, where: str) -> Iterator[tuple[str, _Row]]:
    if isinstance(record, dict) and "questions" in record:
        for row in parse(_Video, record, where).rows():
            yield f"{where}, question {row.question_id}", row
    else:
        yield where, parse(_Row, record, where)


def _question(row: _Row, where: str) -> Question:
    letters = letters_for(row.options, where)
    for letter, option in zip(letters, row.options, strict=True):
        if not re.match(rf"\s*{letter}\W", option):
            raise wrong(where, f"option {option!r} should begin with {letter}")
    options = str(list(row.options))  # as a Python list: how the published evaluation shows them
    return Question(
        where=where,
        question_id=row.question_id,
        video=row.videoID,
        prompt=f"{_INSTRUCTION}\n{row.question}\n{options}\n\n{_ENDING}",
        wanted=one_of(letters, row.answer.strip(), where),
        categories=(("duration", row.duration), ("domain", row.domain), ("task type", row.task_type)),
    )
