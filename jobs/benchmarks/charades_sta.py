"""Charades-STA: `charades_sta_test.txt`, a line per sentence (github.com/jiyanggao/TALL).

3MSZA 24.3 30.4##person turn a light on.
"""

import re
from pathlib import Path

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
    span = float(start), float(end)
    if span[0] >= span[1]:
        raise wrong(where, f"ends at {end} s, not after its start at {start} s")
    event = sentence.rstrip(".")
    return Question(
        where=where,
        question_id=where,
        video=video,
        prompt=f'During which time span does this happen: "{event}"? '
        "Answer with the start and end time in seconds, as in: 12.0 - 34.5 seconds.",
        wanted=When(span),
        latest_s=span[1],
    )
