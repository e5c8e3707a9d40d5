"""One video through the model: frames in, checked answers out. A plain function; no Ray, no storage."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from jobs.asking import Asker, PromptAnswer
from jobs.program_times import AnswerContext, tenths
from jobs.prompt_pack import Prompt, scene_line
from jobs.records import Record
from jobs.sections import Sections
from schemas.answers import Answer, CharacterAnswer, SceneAnswer, TimedAnswer
from videoxl2.frames import FrameSpan, MediaInfo, SamplingGrid, UndecodableVideo

if TYPE_CHECKING:
    from videoxl2.session import Session

A = TypeVar("A", bound=Answer)


@dataclass(frozen=True)
class Analysis:
    """Everything one video's rows are made of. Seconds are wall time in the model's process."""

    info: MediaInfo
    grid: SamplingGrid
    sampled_ms: tuple[int, ...]
    warnings: tuple[str, ...]
    answers: tuple[PromptAnswer, ...]
    prefill_seconds: float
    generate_seconds: float


def analyze(
    asker: Asker,
    info: MediaInfo,
    grid: SamplingGrid,
    spans: Iterable[FrameSpan],
    prompts: Sequence[Prompt],
    section_frames: int | None = None,
) -> Analysis:
    """Prefill the video once, or section by section, and ask every prompt of that one cache.

    Raises what the span source raises, and `videoxl2.errors` for what the model cannot do.
    """
    from videoxl2.prefill import PrefillOptions  # torch is loaded by now

    seen = _Seen(spans)
    max_frames = min(grid.num_targets, section_frames or grid.num_targets)
    sections = Sections(seen, max_frames)
    told = _Told(asker, prompts, info.duration_ms)
    warnings: list[str] = []
    seconds = [0.0, 0.0]
    for section in sections:
        started = time.perf_counter()
        session = asker.model.prefill(section, prefill=PrefillOptions(expected_frames=max_frames))
        prefilled = time.perf_counter()
        told.ask(session, sections.end_ms, sections.shared_ms)
        warnings += session.degraded
        seconds[0] += prefilled - started
        seconds[1] += time.perf_counter() - prefilled
        del session  # its cache makes room for the next section's
    return Analysis(
        info=info,
        grid=grid,
        sampled_ms=tuple(seen.sampled_ms),
        warnings=tuple(dict.fromkeys((*info.warnings, *seen.warnings, *warnings))),
        answers=told.answers(),
        prefill_seconds=seconds[0],
        generate_seconds=seconds[1],
    )


class _Told:
    """What the model said so far. Later prompts, and later sections, speak of what earlier ones found."""

    def __init__(self, asker: Asker, prompts: Sequence[Prompt], duration_ms: int) -> None:
        self._asker = asker
        self._prompts = prompts
        self._duration_ms = duration_ms
        self._by_section: dict[str, list[PromptAnswer]] = {prompt.name: [] for prompt in prompts}
        self._begins_ms = dict.fromkeys(self._by_section, 0)  # up to where the sections before have answered

    def ask(self, session: "Session", end_ms: int | None, shared_ms: int) -> None:
        """Every prompt about a section that ends at `end_ms`; the next one begins at `shared_ms`."""
        times_ms = tuple(round(time_s * 1000) for time_s in session.frame_times_s)
        for prompt in self._prompts:
            window_ms = (self._begins_ms[prompt.name], end_ms or self._duration_ms)
            context = AnswerContext(
                self._duration_ms,
                times_ms,
                roster=tuple(dict.fromkeys(one.label for one in self._found(CharacterAnswer))),
                scenes=tuple(scene_line(scene) for scene in self._found(SceneAnswer)),
                window_ms=window_ms if self._duration_ms else None,
            )
            answer = self._asker.ask(session, prompt, context)
            if end_ms is not None:
                answer, self._begins_ms[prompt.name] = _without_cut(answer, end_ms, shared_ms)
            self._by_section[prompt.name].append(answer)

    def answers(self) -> tuple[PromptAnswer, ...]:
        """One for each prompt, of all sections together."""
        return tuple(PromptAnswer.joined(answers) for answers in self._by_section.values())

    def _found(self, kind: type[A]) -> Iterator[A]:
        for answers in self._by_section.values():
            for answer in answers:
                yield from (r.answer for r in answer.records or () if isinstance(r.answer, kind))


def _without_cut(answer: PromptAnswer, end_ms: int, shared_ms: int) -> tuple[PromptAnswer, int]:
    """Without the records that the section's end cuts through, and from when on the next section is asked.

    Only those that the next section can see whole are left to it.
    """

    def is_cut(record: Record) -> bool:
        spoken = record.answer
        return (
            isinstance(spoken, TimedAnswer)
            and tenths(round(spoken.end_s * 1000)) == tenths(end_ms)
            and spoken.start_s * 1000 >= shared_ms
        )

    if answer.records is None:
        return answer, end_ms
    kept = tuple(record for record in answer.records if not is_cut(record))
    starts_s = [r.answer.start_s for r in answer.records if is_cut(r) and isinstance(r.answer, TimedAnswer)]
    return replace(answer, records=kept), round(min(starts_s) * 1000) if starts_s else end_ms


@dataclass
class _Seen:
    """Passes spans on to the model and keeps what the rows need of them: times and warnings.

    Raises `UndecodableVideo` at the end if there was no frame at all.
    """

    spans: Iterable[FrameSpan]
    sampled_ms: list[int] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[FrameSpan]:
        for span in self.spans:
            self.sampled_ms += span.pts_ms.tolist()
            self.warnings += span.warnings
            yield span
        if not self.sampled_ms:
            raise UndecodableVideo("no wanted instant has a picture")
