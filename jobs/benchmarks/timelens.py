"""TimeLens-Bench: Charades-STA and two others, annotated anew (hub dataset TencentARC/TimeLens-Bench).

{"3MSZA": {"duration": 30.96, "spans": [[24.3, 30.4]], "queries": ["a person turns on a light"]}, …}
"""

import json
from pathlib import Path

from jobs.benchmarks.charades_sta import grounding_question
from jobs.benchmarks.question import Question, QuestionSet
from jobs.benchmarks.records import PublishedRecord, one_file_in, parse, read_text, wrong


class _Video(PublishedRecord):
    spans: tuple[tuple[float, float], ...]
    queries: tuple[str, ...]


def read_timelens(path: Path) -> QuestionSet:
    """All queries of one of its files. Raises `UsageError`."""
    file = one_file_in(path, ".json")
    try:
        videos = json.loads(read_text(file))
    except json.JSONDecodeError as error:
        raise wrong(f"{file.name}, line {error.lineno}", f"no JSON: {error.msg}") from None
    if not isinstance(videos, dict):
        raise wrong(file.name, "no object with a video in each key")
    questions: list[Question] = []
    for name, record in videos.items():
        where = f"{file.name}, {name}"
        video = parse(_Video, record, where)
        if len(video.spans) != len(video.queries):
            raise wrong(where, f"{len(video.queries)} queries and {len(video.spans)} spans")
        questions += (
            grounding_question(f"{where}, query {number}", name, span, query)
            for number, (span, query) in enumerate(zip(video.spans, video.queries, strict=True), start=1)
        )
    return QuestionSet(tuple(questions))
