"""The verb `eval --benchmark`: a benchmark's questions to the model, in this process, on one device."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.benchmarks.answering import Respondent, Sampling
from jobs.benchmarks.answers import Answered, AnswerSettings, AnswersFile
from jobs.benchmarks.formats import FORMATS, read_questions
from jobs.benchmarks.scores import measures
from jobs.benchmarks.videos import Checked, check_videos
from jobs.prompts.budget import check_context
from jobs.reports.evaluation.truth import Measure
from jobs.settings.config import Rate
from jobs.weights import Weights, find_weights
from jobs.workers.domain import DomainGuard
from schemas.failures import UsageError
from videoxl2.frames import MediaError

_QUESTION_TOKENS = 512  # that the longest published question and its options take

Say = Callable[[str], None]


class BenchmarkSettings(BaseModel):
    """Everything `eval --benchmark` can be told. Without `fps` and `max_frames`: the published sampling."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    benchmark: str
    questions: Path
    videos: Path
    model: str
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    fps: Rate | None = None
    max_frames: int | None = Field(default=None, ge=1, le=10_000)
    limit: int | None = Field(default=None, ge=1)
    skip_unusable: bool = False
    answers: Path | None = None

    @classmethod
    def of(cls, **values: Any) -> "BenchmarkSettings":
        """Checked; the first problem is a `UsageError`."""
        try:
            return cls.model_validate({name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            name = str(problem["loc"][0])
            raise UsageError(
                f"setting {name} = {problem['input']!r}: {problem['msg'].lower()}",
                "See media-index eval --help for what it takes.",
            ) from None

    @property
    def sampling(self) -> Sampling:
        return Sampling(self.fps, self.max_frames or FORMATS[self.benchmark].max_frames)


@dataclass(frozen=True)
class BenchmarkReport:
    """How the model did. Pictures a second and pictures are those that videos were really sampled with.

    `allowed_mass` is the mean probability that the model gave to the allowed answers together: low values
    mean that it would have said something else than a letter or a time.
    """

    benchmark: str
    model_id: str
    model_revision: str
    num_questions: int
    num_answered: int
    num_videos: int  # of the answered questions
    min_fps: float
    max_fps: float
    min_frames: int
    max_frames: int
    allowed_mass: float
    measures: tuple[Measure, ...]


def run_benchmark(settings: BenchmarkSettings, say: Say) -> BenchmarkReport:
    """Ask what is not answered yet, and judge all answers; `say` takes lines about the progress.

    Raises `UsageError` and `PreflightError` before weights are loaded, then `MediaIndexError`.
    """
    read = read_questions(settings.benchmark, settings.questions, settings.limit)
    for note in read.notes:
        say(f"note: {note}")
    weights = find_weights(settings.model)
    check_context(weights.folder, settings.sampling.max_frames, _QUESTION_TOKENS)
    kept = AnswersFile(settings.answers, _answer_settings(settings, weights))
    to_ask = list({q.key: q for q in read.questions if kept.get(q) is None}.values())
    if len(to_ask) < len(read.questions):
        say(f"{len(to_ask)} of {len(read.questions)} questions are left to ask")
    guard = DomainGuard.of(weights)
    checked = check_videos(to_ask, settings.videos, settings.skip_unusable, guard)
    for problem in checked.problems:
        say(f"left out: {problem}")
    if checked.videos:
        _answer_all(Respondent(weights.folder, settings.dtype), checked, settings.sampling, kept, say)
    answers = [answer for question in read.questions if (answer := kept.get(question))]
    return _report(settings.benchmark, weights, len(read.questions), answers)


def _answer_all(
    respondent: Respondent, checked: Checked, sampling: Sampling, kept: AnswersFile, say: Say
) -> None:
    for number, video in enumerate(checked.videos, start=1):
        started = time.monotonic()
        at = f"[{number}/{len(checked.videos)}] {video.path.name}"
        try:
            answers = respondent.answer(video, sampling)
        except (MediaError, OSError) as error:  # readable at its start, when it was probed
            say(f"{at}: not answered: {error}")
            continue
        kept.add(answers)
        seconds = time.monotonic() - started
        say(f"{at}: questions {len(answers)}, pictures {answers[0].num_frames}, {seconds:.1f} s")


def _answer_settings(settings: BenchmarkSettings, weights: Weights) -> AnswerSettings:
    return AnswerSettings(
        benchmark=settings.benchmark,
        model=settings.model,
        revision=weights.revision,
        dtype=settings.dtype,
        fps=str(settings.fps or "as published"),
        max_frames=settings.sampling.max_frames,
    )


def _report(benchmark: str, weights: Weights, num_questions: int, answers: list[Answered]) -> BenchmarkReport:
    rates, counts = [answer.fps for answer in answers] or [0], [a.num_frames for a in answers] or [0]
    return BenchmarkReport(
        benchmark=benchmark,
        model_id=weights.model_id,
        model_revision=weights.revision,
        num_questions=num_questions,
        num_answered=len(answers),
        num_videos=len({answer.video for answer in answers}),
        min_fps=min(rates),
        max_fps=max(rates),
        min_frames=min(counts),
        max_frames=max(counts),
        allowed_mass=sum(answer.allowed_mass for answer in answers) / max(len(answers), 1),
        measures=tuple(measures(benchmark, answers)),
    )
