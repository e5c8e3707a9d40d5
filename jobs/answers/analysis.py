"""One video through the model: frames in, checked answers out. A plain function; no Ray, no storage."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from jobs.answers.asking import Asker, PromptAnswer
from jobs.answers.carried import NOTHING_CARRIED, Carried
from jobs.answers.sections import Sections
from jobs.prompts.pack import Prompt
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.said import SaidLine
from jobs.prompts.stamps import tenths
from jobs.signals.signal import NOTHING_BEFORE, Beforehand
from schemas.answers import Answer, CharacterAnswer, SceneAnswer, Tiles, TimedAnswer
from schemas.usage import NO_USAGE, Usage
from videoxl2.frames import FrameSpan, MediaInfo, SamplingGrid, UndecodableVideo
from videoxl2.network.configs.picture_size import PictureSize

if TYPE_CHECKING:
    from videoxl2.generate.session import Session

A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Analysis:
    """The model's answers and the file's facts, of which one video's rows are made."""

    info: MediaInfo
    grid: SamplingGrid | None  # None: the model has not seen the video
    sampled_ms: tuple[int, ...]
    warnings: tuple[str, ...]
    answers: tuple[PromptAnswer, ...]
    usage: Usage = NO_USAGE  # seconds are wall time in the model's process
    memory_steps: tuple[str, ...] = ()  # of the model's memory ladder that were taken
    carried: Carried = NOTHING_CARRIED
    before: Beforehand = NOTHING_BEFORE  # what was read of the file besides pictures
    shown: PictureSize | None = None  # the size of the pictures the model saw; None: it has seen none

    @classmethod
    def unasked(cls, info: MediaInfo) -> "Analysis":
        """Return what there is without a model: the file's own facts."""
        return cls(info, None, (), info.warnings, ())


def analyze(
    asker: Asker,
    info: MediaInfo,
    grid: SamplingGrid,
    spans: Iterable[FrameSpan],
    prompts: Sequence[Prompt],
    section_frames: int | None = None,
    carried: Carried = NOTHING_CARRIED,
    said: tuple[SaidLine, ...] = (),
) -> Analysis:
    """Prefill the video once, or section by section, and ask every prompt of that one cache.

    Prompts are told of `carried` answers as if they had been given just now, and of what is `said`.

    Raises what the span source raises, and `videoxl2.errors` for what the model cannot do.
    """
    from videoxl2.generate.prefill.chunked import PrefillOptions  # torch is loaded by now

    seen = _Seen(spans)
    max_frames = min(grid.num_targets, section_frames or grid.num_targets)
    sections = Sections(seen, max_frames)
    told = _Told(asker, prompts, info.duration_ms, carried, said)
    memory_steps: list[str] = []
    shown_ms: set[int] = set()
    every = 1
    usage = Usage(video_ms=info.duration_ms, num_prompt_tokens=0, num_output_tokens=0, num_again_tokens=0)
    options = PrefillOptions(duration_ms=info.duration_ms, expected_frames=max_frames, step_s=grid.step_s)
    for section in sections:
        started = time.perf_counter()
        session = asker.model.prefill(section, prefill=options)
        prefilled = time.perf_counter()
        told.ask(session, sections.end_ms, sections.shared_ms)
        memory_steps += session.degraded
        shown_ms.update(session.frame_times_ms)
        every = session.pace.every
        usage += Usage(prefill_seconds=prefilled - started, generate_seconds=time.perf_counter() - prefilled)
        del session  # its cache makes room for the next section's
    answers = told.answers()
    usage += Usage(wait_seconds=seen.wait_seconds, num_frames=len(seen.sampled_ms))
    return Analysis(
        info=info,
        grid=grid.of_every(every),
        sampled_ms=tuple(ms for ms in seen.sampled_ms if ms in shown_ms),
        warnings=tuple(dict.fromkeys((*info.warnings, *seen.warnings))),
        answers=answers,
        usage=sum((answer.usage for answer in answers), usage),
        memory_steps=tuple(dict.fromkeys(memory_steps)),
        carried=carried,
        shown=seen.size,
    )


class _Told:
    """What the model said so far. Later prompts, and later sections, speak of what earlier ones found."""

    def __init__(
        self,
        asker: Asker,
        prompts: Sequence[Prompt],
        duration_ms: int,
        carried: Carried,
        said: tuple[SaidLine, ...],
    ) -> None:
        self._carried = carried
        self._said = said
        self._asker = asker
        self._prompts = prompts
        self._duration_ms = duration_ms
        self._by_section: dict[str, list[PromptAnswer]] = {prompt.name: [] for prompt in prompts}
        self._begins_ms = dict.fromkeys(self._by_section, 0)  # up to where the sections before have answered

    def ask(self, session: "Session", end_ms: int | None, shared_ms: int) -> None:
        """Every prompt about a section that ends at `end_ms`; the next one begins at `shared_ms`.

        Raises `NonFiniteError` where no answer about the first section came of finite numbers.
        """
        is_last = end_ms is None
        end_ms = self._duration_ms if end_ms is None else min(end_ms, self._duration_ms)
        for prompt in self._prompts:
            before, window_ms = self._by_section[prompt.name], (self._begins_ms[prompt.name], end_ms)
            if window_ms[0] >= end_ms:
                continue
            told = (tenths(session.pace.told_ms(ms)) for ms in window_ms)
            if before and len(set(told)) == 1:  # a rest that no stamp tells from its start
                before[-1] = _reaching(before[-1], *window_ms)
                self._begins_ms[prompt.name] = end_ms
                continue
            context = AnswerContext(
                self._duration_ms,
                session.frame_times_ms,
                roster=self._roster(),
                window_ms=window_ms,
                scenes=(*self._carried.prior_scenes, *self._found(SceneAnswer)),
                said=self._said,
                pace=session.pace,
            )
            answer = self._asker.ask(session, prompt, context)
            if not is_last:
                answer, self._begins_ms[prompt.name] = _without_cut(answer, end_ms, shared_ms)
            before.append(answer)
        self._check_finite()

    def _check_finite(self) -> None:
        """Weights that never give numbers cost one section, not the whole video."""
        from videoxl2.errors import NonFiniteError  # torch is loaded by now

        answers = [answer for answers in self._by_section.values() for answer in answers]
        if answers and all(answer.num_lost and not answer.records for answer in answers):
            raise NonFiniteError.of_logits()

    def answers(self) -> tuple[PromptAnswer, ...]:
        """One for each prompt, of all sections together."""
        return tuple(PromptAnswer.of_sections(answers) for answers in self._by_section.values())

    def _roster(self) -> tuple[str, ...]:
        found = (one.label for one in self._found(CharacterAnswer))
        return tuple(dict.fromkeys((*self._carried.roster, *found)))

    def _found(self, kind: type[A]) -> Iterator[A]:
        for answers in self._by_section.values():
            for answer in answers:
                yield from (r.answer for r in answer.records or () if isinstance(r.answer, kind))


def _reaching(answer: PromptAnswer, from_ms: int, to_ms: int) -> PromptAnswer:
    """The answer, whose last tile goes on to `to_ms` instead of ending at `from_ms`."""
    if not isinstance(answer.prompt.answer.layout, Tiles):
        return answer
    records = (
        replace(record, answer=record.answer.model_copy(update={"end_ms": to_ms}))
        if isinstance(record.answer, TimedAnswer) and record.answer.end_ms == from_ms
        else record
        for record in answer.records or ()
    )
    return replace(answer, records=None if answer.records is None else tuple(records))


def _without_cut(answer: PromptAnswer, end_ms: int, shared_ms: int) -> tuple[PromptAnswer, int]:
    """Leave out what the section's end cuts through, and say from when on the next section is asked instead.

    Only what the next section sees whole is left to it.
    """
    timed = [record.answer for record in answer.records or () if isinstance(record.answer, TimedAnswer)]
    cut_ms = [one.start_ms for one in timed if one.end_ms == end_ms and one.start_ms >= shared_ms]
    if not cut_ms:
        return answer, end_ms
    kept = [
        record
        for record in answer.records or ()
        if isinstance(record.answer, TimedAnswer) and record.answer.start_ms < min(cut_ms)
    ]
    return replace(answer, records=tuple(kept)), min(cut_ms)


@dataclass
class _Seen:
    """Passes spans on to the model and keeps what the rows need of them: times, size and warnings, and how
    long they were waited for.

    Raises `UndecodableVideo` at the end if there was no frame at all.
    """

    spans: Iterable[FrameSpan]
    sampled_ms: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    wait_seconds: float = 0.0
    size: PictureSize | None = None

    def __iter__(self) -> Iterator[FrameSpan]:
        for span in self._awaited():
            self.sampled_ms += span.pts_ms.tolist()
            self.size = self.size or PictureSize(*span.frames.shape[1:3])
            self.warnings += span.warnings
            yield span
        if not self.sampled_ms:
            raise UndecodableVideo("no wanted instant has a picture")

    def _awaited(self) -> Iterator[FrameSpan]:
        spans = iter(self.spans)
        while True:
            asked = time.perf_counter()
            span = next(spans, None)
            self.wait_seconds += time.perf_counter() - asked
            if span is None:
                return
            yield span
