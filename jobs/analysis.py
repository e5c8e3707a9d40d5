"""One video through the model: frames in, checked answers out. A plain function; no Ray, no storage."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.checks import check_records
from jobs.prompt_pack import Prompt
from jobs.wire import InvalidAnswerError, parse_records
from schemas.answers import Answer, CharacterAnswer
from videoxl2.frames import FrameSpan, MediaInfo, SamplingGrid, UndecodableVideo

if TYPE_CHECKING:
    from videoxl2.model import VideoXL2
    from videoxl2.session import Generation


@dataclass(frozen=True)
class PromptAnswer:
    """What the model wrote for one prompt; `records` is None where the text is no valid answer."""

    prompt: Prompt
    text: str
    records: tuple[Answer, ...] | None
    problem: str | None
    num_prompt_tokens: int
    num_output_tokens: int


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
    model: "VideoXL2",
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
    session = model.prefill(seen, prefill=PrefillOptions(expected_frames=grid.num_targets))
    prefilled = time.perf_counter()
    answers: list[PromptAnswer] = []
    characters: list[str] = []
    for prompt in prompts:
        filled = prompt.fill(info.duration_ms, characters)
        generation = session.generate(filled, max_new_tokens=prompt.max_new_tokens)
        answer = _read_answer(prompt, generation, info.duration_ms, characters)
        characters += [r.label for r in answer.records or () if isinstance(r, CharacterAnswer)]
        answers.append(answer)
    return Analysis(
        info=info,
        grid=grid,
        sampled_ms=tuple(seen.sampled_ms),
        warnings=tuple(dict.fromkeys((*info.warnings, *seen.warnings, *session.degraded))),
        answers=tuple(answers),
        prefill_seconds=prefilled - started,
        generate_seconds=time.perf_counter() - prefilled,
    )


def _read_answer(
    prompt: Prompt, generation: "Generation", duration_ms: int, characters: list[str]
) -> PromptAnswer:
    records: tuple[Answer, ...] | None = None
    problem: str | None = None
    try:
        if generation.finish_reason == "length":
            raise InvalidAnswerError(f"no end within {prompt.max_new_tokens} tokens")
        records = tuple(parse_records(prompt.answer, generation.text))
        check_records(records, duration_ms, characters)
    except InvalidAnswerError as error:
        records, problem = None, str(error)
    return PromptAnswer(
        prompt,
        generation.text,
        records,
        problem,
        generation.num_prompt_tokens,
        generation.num_output_tokens,
    )


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
