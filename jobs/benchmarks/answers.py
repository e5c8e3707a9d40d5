"""The answers file: JSON Lines, the settings first, then an answer a line, added video by video."""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.answers.overlap import Span, iou
from jobs.benchmarks.question import OneOf, Question
from jobs.prompts.kv import DENSE
from schemas.failures import UsageError


class AnswerSettings(BaseModel):
    """The settings that an answer depends on besides its question; answers of other settings are never mixed
    in.

    `model` is for people: weights are the same where their revision is, wherever they lie.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    benchmark: str
    model: str
    revision: str
    dtype: str
    fps: str
    max_frames: int
    kv: str = DENSE  # files of before say nothing, here and below
    weight_bits: int = 16
    max_pixels_per_frame: int | None = None
    max_pixels_at_once: int | None = None
    model_options: str = ""
    pictures_and_chat: str = ""


class Answered(BaseModel):
    """One answer. `allowed_mass` is the probability the model gave to the allowed answers together."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str  # of the question
    question_id: str
    video: str
    categories: tuple[tuple[str, str], ...]
    answer: str | Span
    truth: str | Span
    score: float  # 1 right and 0 wrong, or the spans' IoU
    probability: float  # of this answer among the allowed ones
    probabilities: dict[str, float]  # by letter; empty for spans
    allowed_mass: float
    fps: float
    num_frames: int


def score_of(question: Question, answer: str | Span) -> float:
    """Return 1 for a right and 0 for a wrong answer, or the overlap with the true span."""
    if isinstance(question.wanted, OneOf):
        return float(answer == question.wanted.right)
    return 0.0 if isinstance(answer, str) else iou(answer, question.wanted.span)


class AnswersFile:
    """Answers by their question's key. Without a file they are kept in memory."""

    def __init__(self, file: Path | None, settings: AnswerSettings) -> None:
        """Takes up what is there. Raises `UsageError` for another file, or answers of other settings."""
        self._file = file
        self._answers: dict[str, Answered] = {}
        if file is not None and file.exists() and file.stat().st_size:
            self._read(file, settings)
        else:
            self._append([settings])

    def get(self, question: Question) -> Answered | None:
        """The answer, where there is one."""
        return self._answers.get(question.key)

    def add(self, answers: Iterable[Answered]) -> None:
        """Keep one video's answers; they are on the disk when this returns."""
        new = list(answers)
        self._answers |= {answer.key: answer for answer in new}
        self._append(new)

    def _append(self, lines: Iterable[BaseModel]) -> None:
        if self._file is None:
            return
        with self._file.open("a", encoding="utf-8") as out:
            for line in lines:
                out.write(json.dumps(line.model_dump(mode="json"), ensure_ascii=False) + "\n")
            out.flush()
            os.fsync(out.fileno())

    def _read(self, file: Path, settings: AnswerSettings) -> None:
        content = file.read_bytes()
        num_whole = content.rfind(b"\n") + 1  # a process killed while it writes leaves half a line
        lines = content[:num_whole].splitlines() or [content]
        for number, line in enumerate(lines, start=1):
            try:
                if number == 1:
                    _check_same(file, AnswerSettings.model_validate_json(line), settings)
                else:
                    answer = Answered.model_validate_json(line)
                    self._answers[answer.key] = answer
            except ValidationError:
                raise UsageError(
                    f"{file}, line {number} is not what this command writes", "Name another --answers file."
                ) from None
        os.truncate(file, num_whole)


def _check_same(file: Path, found: AnswerSettings, settings: AnswerSettings) -> None:
    for name, value in settings:
        if name != "model" and getattr(found, name) != value:
            raise UsageError(
                f"{file} has answers for {name} {getattr(found, name)}, not {value}",
                "Name another --answers file, or repeat the settings.",
            )
