"""LVBench: `video_info.meta.jsonl`, a line per video (github.com/zai-org/LVBench).

{"key": "Cm73ma6Ibcs", "type": "cartoon", "video_info": {…}, "qa": [{"uid": "55", "question":
 "What year …?\\n(A) 1636\\n(B) 1366\\n(C) 1363\\n(D) 1633", "answer": "D",
 "question_type": ["key information retrieval"], "time_reference": "00:15-00:19"}, …]}
"""

import re
from pathlib import Path

from jobs.benchmarks.question import Question, QuestionSet, letters_for, one_of
from jobs.benchmarks.records import PublishedRecord, json_line_records, one_file_in, parse, wrong

_OPTION = re.compile(r"\n\s*\(([A-Z])\)\s*")
_TIME = re.compile(r"\b(?:(\d+):)?(\d+):(\d\d)\b")
_ENDING = "Answer with the option's letter from the given choices directly."


class _Asked(PublishedRecord):
    uid: str
    question: str
    answer: str
    question_type: tuple[str, ...]
    time_reference: str = ""


class _Video(PublishedRecord):
    key: str
    qa: tuple[_Asked, ...]


def read_lvbench(path: Path) -> QuestionSet:
    """All questions. Raises `UsageError`."""
    questions = []
    for where, raw in json_line_records(one_file_in(path, ".jsonl")):
        video = parse(_Video, raw, where)
        questions += [_question(asked, video.key, f"{where}, uid {asked.uid}") for asked in video.qa]
    return QuestionSet(tuple(questions))


def _question(asked: _Asked, video: str, where: str) -> Question:
    text, *pieces = _OPTION.split(asked.question)
    marked, texts = tuple(pieces[::2]), tuple(piece.strip() for piece in pieces[1::2])
    letters = letters_for(texts, where)
    if marked != letters:
        raise wrong(where, f"options ({') ('.join(marked)}) where ({') ('.join(letters)}) belong")
    options = "".join(f"{letter}. {option}\n" for letter, option in zip(letters, texts, strict=True))
    return Question(
        where=where,
        question_id=asked.uid,
        video=video,
        prompt=f"{text}\n{options}{_ENDING}",
        wanted=one_of(letters, asked.answer.strip(), where),
        categories=tuple(("question type", kind) for kind in asked.question_type),
        latest_s=_latest_s(asked.time_reference),
    )


def _latest_s(reference: str) -> float | None:
    """The last of the times, `mm:ss` or `h:mm:ss`; some references are words."""
    found = _TIME.findall(reference)
    return max((int(h or 0) * 3600 + int(m) * 60 + int(s) for h, m, s in found), default=None)
