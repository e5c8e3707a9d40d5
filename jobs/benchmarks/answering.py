"""One prefill per video, and all its questions on that one cache, as rows of one batch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.answers.overlap import Span
from jobs.benchmarks.answers import Answered, score_of
from jobs.benchmarks.formats import published_fps
from jobs.benchmarks.question import OneOf, Question
from jobs.benchmarks.videos import Playable
from jobs.prompts.kv import BiLevelKv
from jobs.prompts.program.times import AnswerContext, Times
from jobs.prompts.stamps import seconds
from schemas.failures import MediaIndexError, PreflightError
from videoxl2.constrained.slots import Choice, Program, SlotStats
from videoxl2.errors import ModelError
from videoxl2.frames import SamplingGrid, plan_sampling, read_frames
from videoxl2.network.configs.picture_size import OWN_PIXELS, PixelBudget
from videoxl2.network.configs.weight_bits import FULL_BITS

if TYPE_CHECKING:
    from videoxl2.generate.kv.selection import Selection
    from videoxl2.generate.session import Session

MAX_ROWS = 16  # questions of a video that are answered together
FRAMES_PER_SPAN = 64


@dataclass(frozen=True)
class Sampling:
    """The rule by which videos are sampled; without `fps` as the published evaluation does."""

    fps: Fraction | None
    max_frames: int
    pixels: PixelBudget = OWN_PIXELS

    def grid(self, video: Playable) -> SamplingGrid:
        """Plan the instants at which a video is sampled."""
        fps = self.fps or published_fps(video.info.duration_ms, self.max_frames)
        return plan_sampling(video.info, fps, self.max_frames)


@dataclass(frozen=True)
class _Said:
    """An answer as the model gave it; `by_option` is empty for spans."""

    answer: str | Span
    probability: float
    by_option: dict[str, float]
    allowed_mass: float


class Respondent:
    """The model with its token table."""

    def __init__(
        self,
        folder: Path,
        dtype: str,
        kv: BiLevelKv | None = None,
        gpus_per_model: int = 1,
        options: Mapping[str, str] | None = None,
        weight_bits: int = FULL_BITS,
    ) -> None:
        """Load the weights, on the GPU where there is one, or over the first few. Raises `PreflightError`.

        `kv` says how questions are decoded; None: on all keys and values of the video. `options` are those of
        the model's family; with 8 or 4 `weight_bits` its layers are quantised.
        """
        from videoxl2.constrained.masks import TokenTable
        from videoxl2.generate.models.loading import load_model  # loads torch

        self._kv = kv
        try:
            several = [f"cuda:{n}" for n in range(gpus_per_model)] if gpus_per_model > 1 else []
            self._model = load_model(
                folder, device="auto", devices=several, dtype=dtype, options=options, weight_bits=weight_bits
            )
            self._table = TokenTable.of(self._model)
        except ModelError as error:
            raise PreflightError(f"model {folder}: {error.message}", error.hint) from error

    def answer(self, video: Playable, sampling: Sampling) -> list[Answered]:
        """Answer every question of the video. Raises `MediaError`; what the model cannot is a
        `MediaIndexError`."""
        from videoxl2.generate.prefill.chunked import PrefillOptions

        grid = sampling.grid(video)
        pictures = self._model.config.picture_rule.within(sampling.pixels)
        size = pictures.size(*video.info.shown_size, grid.num_targets)
        spans = read_frames(video.path, grid, size, FRAMES_PER_SPAN, info=video.info)
        try:
            session = self._model.prefill(
                spans,
                prefill=PrefillOptions(
                    duration_ms=video.info.duration_ms,
                    expected_frames=grid.num_targets,
                    step_s=grid.step_s,
                ),
            )
            context = AnswerContext(video.info.duration_ms, session.frame_times_ms, pace=session.pace)
            said = self._ask(session, video.questions, context)
        except ModelError as error:
            raise MediaIndexError(f"{video.path.name}: {error.message}", error.hint) from error
        fps = float(grid.of_every(session.pace.every).effective_fps)
        return [
            _answered(question, one, fps, session.num_frames)
            for question, one in zip(video.questions, said, strict=True)
        ]

    def _ask(self, session: "Session", questions: Sequence[Question], context: AnswerContext) -> list[_Said]:
        prompts = [self._model.vocabulary.suffix_ids(question.prompt) for question in questions]
        asked = list(zip(questions, prompts, strict=True))
        letters = [(q.wanted.letters, ids) for q, ids in asked if isinstance(q.wanted, OneOf)]
        spans = [ids for q, ids in asked if not isinstance(q.wanted, OneOf)]
        of_letters = self._select(session, [q for q in questions if isinstance(q.wanted, OneOf)])
        of_spans = self._select(session, [q for q in questions if not isinstance(q.wanted, OneOf)])
        chosen = iter(self._choose(session, letters, of_letters))
        grounded = iter(self._ground(session, spans, of_spans, context))
        return [next(chosen if isinstance(q.wanted, OneOf) else grounded) for q in questions]

    def _select(self, session: "Session", questions: Sequence[Question]) -> list["Selection"]:
        """Select what each question is decoded on."""
        options = self._kv.options if self._kv else None
        return [session.select(question.prompt, options) for question in questions]

    def _choose(
        self,
        session: "Session",
        asked: Sequence[tuple[tuple[str, ...], Sequence[int]]],
        selections: Sequence["Selection"],
    ) -> list[_Said]:
        from videoxl2.constrained.choose import choose_rows

        if not asked:
            return []
        with session.start_rows(min(MAX_ROWS, len(asked)), selections) as rows:
            found = choose_rows([(ids, letters) for letters, ids in asked], self._table, rows)
        return [
            _Said(
                letters[one.index],
                one.probabilities[one.index],
                dict(zip(letters, one.probabilities, strict=True)),
                one.allowed_mass,
            )
            for (letters, _), one in zip(asked, found, strict=True)
        ]

    def _ground(
        self,
        session: "Session",
        prompts: Sequence[Sequence[int]],
        selections: Sequence["Selection"],
        context: AnswerContext,
    ) -> list[_Said]:
        from videoxl2.constrained.drive import fill_rows

        times = Times.of(context)
        if not prompts or len(times.stamps) == 1:  # one picture: there is one span, and nothing to ask
            whole = _real(context, (times.first / 10, times.last / 10))
            return [_Said(whole, 1.0, {}, 1.0) for _ in prompts]
        with session.start_rows(min(MAX_ROWS, len(prompts)), selections) as rows:
            filled = fill_rows([(span_program(times), ids) for ids in prompts], self._table, rows)
        return [
            _Said(
                _real(context, span),
                start.probability * end.probability,
                {},
                min(start.min_allowed_mass, end.min_allowed_mass),
            )
            for span, start, end in (filling.result for filling in filled)
        ]


def _real(context: AnswerContext, span: Span) -> Span:
    """Return the seconds of the video that a told span means."""
    start_s, end_s = span
    return context.pace.video_s(start_s), context.pace.video_s(end_s)


def span_program(times: Times) -> Program[tuple[Span, SlotStats, SlotStats]]:
    """Ask for a span such as `12.0 - 34.5 seconds`, with times of sampled pictures or the video's end. In
    seconds, start first."""
    got = yield Choice(tuple(f"{seconds(start)} -" for start in times.stamps))
    start, of_start = times.stamps[got.index], got.stats
    ends = (*(stamp for stamp in times.stamps if stamp > start), times.last)
    got = yield Choice(tuple(f" {seconds(end)} seconds" for end in ends))
    return (start / 10, ends[got.index] / 10), of_start, got.stats


def _answered(question: Question, said: _Said, fps: float, num_frames: int) -> Answered:
    return Answered(
        key=question.key,
        question_id=question.question_id,
        video=question.video,
        categories=question.categories,
        answer=said.answer,
        truth=question.wanted.right if isinstance(question.wanted, OneOf) else question.wanted.span,
        score=score_of(question, said.answer),
        probability=said.probability,
        probabilities=said.by_option,
        allowed_mass=said.allowed_mass,
        fps=fps,
        num_frames=num_frames,
    )
