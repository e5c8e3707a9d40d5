"""MLVU: a folder with a JSON file per task, or one of those files (github.com/JUNJIE99/MLVU).

[{"video": "movie101_66.mp4", "duration": 246, "question": "What colour …?",
  "candidates": ["Yellow", "Red", "Green", "Blue"], "answer": "Yellow", "question_type": "plotQA"}, …]
"""

from pathlib import Path

from jobs.benchmarks.question import Question, QuestionSet, letters_for, one_of
from jobs.benchmarks.records import PublishedRecord, files_in, json_records, parse, wrong


class _Record(PublishedRecord):
    video: str
    question: str
    answer: str
    question_type: str
    candidates: tuple[str, ...] | None = None  # none: a generation task, which takes a judge

    @property
    def is_blank(self) -> bool:
        """The published files hold such records."""
        return not self.question.strip()


def read_mlvu(path: Path) -> QuestionSet:
    """The multiple-choice questions. Raises `UsageError`."""
    questions: list[Question] = []
    num_blank = num_open = 0
    for file in files_in(path, ".json"):
        for where, raw in json_records(file):
            record = parse(_Record, raw, where)
            if record.is_blank:
                num_blank += 1
            elif record.candidates is None:
                num_open += 1
            else:
                questions.append(_question(record, record.candidates, file.stem, where))
    notes = []
    if num_blank:
        notes.append(f"records without a question, left out: {num_blank}")
    if num_open:
        notes.append(f"generation tasks, left out as they take a judge: {num_open}")
    return QuestionSet(tuple(questions), tuple(notes))


def _question(record: _Record, candidates: tuple[str, ...], task: str, where: str) -> Question:
    letters = letters_for(candidates, where)
    texts = [candidate.strip() for candidate in candidates]
    if record.answer.strip() not in texts:
        raise wrong(where, f"the answer {record.answer!r} is not among the candidates")
    right = letters[texts.index(record.answer.strip())]
    options = "\n".join(f"({letter}) {text}" for letter, text in zip(letters, texts, strict=True))
    return Question(
        where=where,
        question_id=where,
        video=f"{task}/{record.video}",  # as the videos are published; other tasks may share the name
        prompt=f"{record.question}\n{options}\nOnly give the best option.\n\nBest option: (",
        wanted=one_of(letters, right, where),
        categories=(("task", record.question_type),),
    )
