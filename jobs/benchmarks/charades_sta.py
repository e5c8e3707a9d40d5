"""Charades-STA: `charades_sta_test.txt`, a line per sentence (github.com/jiyanggao/TALL).

3MSZA 24.3 30.4##person turn a light on.
"""

import re
from pathlib import Path

from jobs.answers.overlap import Span
from jobs.benchmarks.question import Question, QuestionSet, When
from jobs.benchmarks.records import lines, one_file_in, wrong

_LINE = re.compile(r"(\S+) +(\d+(?:\.\d+)?) +(\d+(?:\.\d+)?) *## *(.*\S)")


def read_charades_sta(path: Path) -> QuestionSet:
    """All sentences. Raises `UsageError`."""
    file = one_file_in(path, ".txt")
    return QuestionSet(tuple(_question(line, where) for where, line in lines(file)))


def _question(line: str, where: str) -> Question:
    match = _LINE.fullmatch(line)
    if not match:
        raise wrong(where, f"{line[:60]!r} is not of the form VIDEO START END##SENTENCE")
    video, start, end, sentence = match.groups()
    return grounding_question(where, video, (float(start), float(end)), sentence)


def grounding_question(where: str, video: str, span: Span, sentence: str) -> Question:
    """Ask when something happens. Raises `UsageError` for a span that ends before it begins."""
    start, end = span
    if start >= end:
        raise wrong(where, f"ends at {end:g} s, not after its start at {start:g} s")
    event = sentence.strip().rstrip(".")
    return Question(
        where=where,
        question_id=where,
        video=video,
        prompt=f'During which time span does this happen: "{event}"? '
        "Answer with the start and end time in seconds, as in: 12.0 - 34.5 seconds.",
        wanted=When(span),
        latest_s=end,
    )
