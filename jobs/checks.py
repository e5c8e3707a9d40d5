"""What an answer type cannot say by itself: an answer must fit the video and the answers before it."""

from collections.abc import Sequence
from itertools import pairwise

from jobs.wire import InvalidAnswerError
from schemas.answers import Answer, CharacterAnswer, SceneAnswer, SummaryAnswer, TimedAnswer

STAMP_MS = 100  # the model reads and writes tenths of a second


def check_records(records: Sequence[Answer], duration_ms: int, characters: Sequence[str]) -> None:
    """Raises `InvalidAnswerError` for the first record that contradicts the video or the roster."""
    summaries = [record for record in records if isinstance(record, SummaryAnswer)]
    if len(summaries) > 1:
        raise InvalidAnswerError(f"{len(summaries)} summaries where one belongs")
    for number, record in enumerate(records, start=1):
        if isinstance(record, TimedAnswer) and record.end_s * 1000 > duration_ms + STAMP_MS:
            raise InvalidAnswerError(
                f"record {number}: ends at {record.end_s} s, the video at {duration_ms / 1000} s"
            )
        if isinstance(record, TimedAnswer) and record.end_s - record.start_s < STAMP_MS / 1000 - 1e-6:
            raise InvalidAnswerError(f"record {number}: shorter than a tenth of a second")
        if isinstance(record, SceneAnswer) and (unknown := _not_in_roster(record, characters)):
            raise InvalidAnswerError(f"record {number}: {unknown!r} is not among the characters")
    _check_scenes_in_order([r for r in records if isinstance(r, SceneAnswer)])
    _check_labels_unique([r.label.casefold() for r in records if isinstance(r, CharacterAnswer)])


def _not_in_roster(scene: SceneAnswer, characters: Sequence[str]) -> str | None:
    known = {label.casefold() for label in characters}
    return next((label for label in scene.characters if label.casefold() not in known), None)


def _check_scenes_in_order(scenes: Sequence[SceneAnswer]) -> None:
    for number, (before, after) in enumerate(pairwise(scenes), start=2):
        if after.start_s < before.end_s:
            raise InvalidAnswerError(f"record {number}: starts at {after.start_s} s, inside the scene before")


def _check_labels_unique(labels: Sequence[str]) -> None:
    if len(set(labels)) < len(labels):
        raise InvalidAnswerError("two characters share one label")
