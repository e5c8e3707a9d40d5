"""The verb `eval --benchmark`: a benchmark's questions to the model, in this process, on one device."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from jobs.benchmarks.answering import Respondent, Sampling
from jobs.benchmarks.answers import Answered, AnswerSettings, AnswersFile
from jobs.benchmarks.formats import read_questions
from jobs.benchmarks.question import Question
from jobs.benchmarks.scores import measures, tallies
from jobs.benchmarks.settings import BenchmarkSettings
from jobs.benchmarks.videos import Checked, check_videos
from jobs.prompts.budget import check_pixels, check_weight_bits
from jobs.prompts.kv import BiLevelKv, kv_text
from jobs.reports.evaluation.tallies import Difference, Measure, compare
from jobs.settings.model_options import options_in
from jobs.weights import Weights, fetch_weights, find_weights
from jobs.workers.domain import DomainGuard
from schemas.failures import UsageError
from storage.errors import preflight
from videoxl2.frames import MediaError
from videoxl2.network.configs.model_options import options_of

Say = Callable[[str], None]


@dataclass(frozen=True)
class BenchmarkReport:
    """The scores of one model. Pictures a second and pictures are those that videos were really sampled with.

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


@dataclass(frozen=True)
class ModelDifference:
    """The lead of another model over the first, over the questions that both have answered."""

    first: str
    other: str
    num_questions: int
    measures: tuple[Difference, ...]


@dataclass(frozen=True)
class BenchmarkComparison:
    """The scores of several models; each but the first is held against the first."""

    reports: tuple[BenchmarkReport, ...]
    differences: tuple[ModelDifference, ...]


def compare_models(settings: BenchmarkSettings, say: Say) -> BenchmarkComparison:
    """Ask every model, one after the other, what it has not answered yet, and judge all answers.

    `say` takes lines about the progress. Raises `UsageError` and `PreflightError` before weights are loaded,
    then `MediaIndexError`.
    """
    read = read_questions(settings.benchmark, settings.questions, settings.limit)
    for note in read.notes:
        say(f"note: {note}")
    if settings.answers is not None and len(settings.models) > 1:
        _make_folder(settings.answers)
    examinees = [_Examinee.of(settings, model) for model in settings.models]
    _check_options(settings, examinees)
    if not any(examinee.weights.pictures.keeps_shape for examinee in examinees):
        check_pixels(settings.pixels, examinees[0].weights.pictures, examinees[0].sampling.max_frames)
    asked = [_ask(settings, examinee, read.questions, say) for examinee in examinees]
    reports = tuple(report for report, _ in asked)
    first, *others = asked
    return BenchmarkComparison(reports, tuple(_difference(first, other) for other in others))


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path}: {error.strerror}", "With several models --answers names a folder, with a file for each."
        ) from None


def _difference(
    first: tuple[BenchmarkReport, list[Answered]], other: tuple[BenchmarkReport, list[Answered]]
) -> ModelDifference:
    (report, answers), (other_report, other_answers) = first, other
    shared = {a.key for a in answers} & {a.key for a in other_answers}
    ours, theirs = (
        tallies(report.benchmark, [a for a in some if a.key in shared]) for some in (answers, other_answers)
    )
    return ModelDifference(report.model_id, other_report.model_id, len(shared), tuple(compare(ours, theirs)))


@dataclass(frozen=True)
class _Examinee:
    """A model that is to be asked, with what it has answered already."""

    weights: Weights
    sampling: Sampling
    kv: BiLevelKv | None
    kept: AnswersFile

    @classmethod
    def of(cls, settings: BenchmarkSettings, model: str) -> "_Examinee":
        weights = find_weights(model)
        weights = weights.with_options(settings.options_for(weights))
        check_weight_bits(settings.weight_bits, weights)
        sampling, kv = settings.sampling_for(weights), settings.kv_for(weights)
        file = settings.answers_of(weights)
        return cls(
            weights, sampling, kv, AnswersFile(file, _answer_settings(settings, weights, sampling, kv))
        )


def _check_options(settings: BenchmarkSettings, examinees: Sequence[_Examinee]) -> None:
    """Raise `UsageError` for an option that none of the models has."""
    known = {key for examinee in examinees for key in options_of(examinee.weights.config)}
    for key in options_in(settings.model_options):
        if key not in known:
            hint = f"They have {', '.join(sorted(known))}." if known else "They have none: leave it out."
            raise UsageError(f"none of the models has an option {key}", hint)


def _ask(
    settings: BenchmarkSettings, examinee: _Examinee, questions: Sequence[Question], say: Say
) -> tuple[BenchmarkReport, list[Answered]]:
    weights, kept = examinee.weights, examinee.kept
    if len(settings.models) > 1:
        say(f"model {weights.model_id}")
    to_ask = list({q.key: q for q in questions if kept.get(q) is None}.values())
    if len(to_ask) < len(questions):
        say(f"{len(to_ask)} of {len(questions)} questions are left to ask")
    guard = DomainGuard.of(weights)
    checked = check_videos(to_ask, settings.videos, settings.skip_unusable, guard)
    for problem in checked.problems:
        say(f"left out: {problem}")
    if checked.videos:
        with preflight("model"):
            folder = fetch_weights(weights).folder
        respondent = Respondent(
            folder,
            settings.dtype,
            examinee.kv,
            settings.gpus_per_model,
            dict(weights.options),
            settings.weight_bits,
        )
        _answer_all(respondent, checked, examinee.sampling, kept, say)
    answers = [answer for question in questions if (answer := kept.get(question))]
    return _report(settings.benchmark, weights, len(questions), answers), answers


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


def _answer_settings(
    settings: BenchmarkSettings, weights: Weights, sampling: Sampling, kv: BiLevelKv | None
) -> AnswerSettings:
    return AnswerSettings(
        benchmark=settings.benchmark,
        model=weights.model_id,
        revision=weights.revision,
        dtype=settings.dtype,
        weight_bits=settings.weight_bits,
        fps=str(settings.fps or "as published"),
        max_frames=sampling.max_frames,
        max_pixels_per_frame=sampling.pixels.per_frame,
        max_pixels_at_once=sampling.pixels.at_once,
        kv=kv_text(kv),
        model_options=", ".join(f"{key}={value}" for key, value in weights.options),
        pictures_and_chat=weights.pictures_and_chat,
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
