"""One video through the model: frames in, checked answers out. A plain function; no Ray, no storage."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.asking import Asker, PromptAnswer
from jobs.program_times import AnswerContext
from jobs.prompt_pack import Prompt
from schemas.answers import CharacterAnswer
from videoxl2.frames import FrameSpan, MediaInfo, SamplingGrid, UndecodableVideo

if TYPE_CHECKING:
    from videoxl2.session import Session


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
) -> Analysis:
    """Prefill the video once, then ask every prompt of that one cache.

    Raises what the span source raises, and `videoxl2.errors` for what the model cannot do.
    """
    from videoxl2.prefill import PrefillOptions  # torch is loaded by now

    started = time.perf_counter()
    seen = _Seen(spans)
    session = asker.model.prefill(seen, prefill=PrefillOptions(expected_frames=grid.num_targets))
    prefilled = time.perf_counter()
    answers = _ask_all(asker, session, prompts, info.duration_ms, tuple(seen.sampled_ms))
    return Analysis(
        info=info,
        grid=grid,
        sampled_ms=tuple(seen.sampled_ms),
        warnings=tuple(dict.fromkeys((*info.warnings, *seen.warnings, *session.degraded))),
        answers=tuple(answers),
        prefill_seconds=prefilled - started,
        generate_seconds=time.perf_counter() - prefilled,
    )


def _ask_all(
    asker: Asker,
    session: "Session",
    prompts: Sequence[Prompt],
    duration_ms: int,
    sampled_ms: tuple[int, ...],
) -> list[PromptAnswer]:
    """In order, since later prompts speak of the characters that an earlier one found."""
    answers: list[PromptAnswer] = []
    roster: tuple[str, ...] = ()
    for prompt in prompts:
        answer = asker.ask(session, prompt, AnswerContext(duration_ms, sampled_ms, roster))
        found = (record.answer for record in answer.records or ())
        roster += tuple(one.label for one in found if isinstance(one, CharacterAnswer))
        answers.append(answer)
    return answers


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
