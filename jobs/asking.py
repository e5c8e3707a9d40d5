"""Ask a prefilled video one prompt: constrained to valid answers, in windows where the video is long."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jobs.checks import check_records
from jobs.program_records import FieldStats
from jobs.program_times import AnswerContext
from jobs.programs import Filled, program_for, run_program
from jobs.prompt_pack import Prompt
from jobs.wire import InvalidAnswerError
from schemas.answers import Answer, TimedAnswer
from videoxl2.errors import CheckpointError

if TYPE_CHECKING:
    from videoxl2.model import VideoXL2
    from videoxl2.session import Session

END_OF_TURN = "<|im_end|>"  # ChatML

WindowMs = tuple[int, int]


@dataclass(frozen=True)
class Record:
    """One record of an answer, and how sure the model was of it.

    `confidence` is the geometric mean of the probabilities that the model gave to its own choices.
    """

    answer: Answer
    confidence: float
    is_truncated: bool
    is_looped: bool


@dataclass(frozen=True)
class PromptAnswer:
    """What the model wrote for one prompt; `records` is None where the text is no valid answer."""

    prompt: Prompt
    text: str
    records: tuple[Record, ...] | None
    problem: str | None
    num_prompt_tokens: int
    num_output_tokens: int


class Asker:
    """A model with the token table of its tokenizer, which takes seconds to build for a real one."""

    def __init__(self, model: "VideoXL2") -> None:
        """Raises `CheckpointError` for a checkpoint without a tokenizer."""
        from videoxl2.slot_masks import TokenTable

        tokenizer = model.vocabulary.tokenizer
        stop_id = tokenizer.token_to_id(END_OF_TURN) if tokenizer else None
        if tokenizer is None or stop_id is None:
            message = f"the checkpoint has no tokenizer with {END_OF_TURN}"
            raise CheckpointError(message, "put the model's own tokenizer.json beside config.json")
        self.model = model
        self._table = TokenTable(tokenizer, model.config.language.vocab_size, stop_id, model.device)

    def ask(self, session: "Session", prompt: Prompt, context: AnswerContext) -> PromptAnswer:
        """The answer to one prompt; a prompt with a window goes through a long video window by window."""
        pieces: list[Filled] = []
        records: list[Record] = []
        num_prompt_tokens = 0
        problem: str | None = None
        try:
            windows = _Windows(context.duration_ms, prompt.window_ms)
            while (window := windows.next()) is not None:
                filled, num_tokens = self._fill(session, prompt, replace(context, window_ms=window))
                num_prompt_tokens += num_tokens
                pieces.append(filled)
                records += windows.take(_records(filled))
            check_records([record.answer for record in records], context.duration_ms, context.roster)
        except InvalidAnswerError as error:
            problem = str(error)
        return PromptAnswer(
            prompt,
            text="\n\n".join(piece.text for piece in pieces),
            records=None if problem else tuple(records),
            problem=problem,
            num_prompt_tokens=num_prompt_tokens,
            num_output_tokens=sum(piece.num_spent for piece in pieces),
        )

    def _fill(self, session: "Session", prompt: Prompt, context: AnswerContext) -> tuple[Filled, int]:
        vocabulary = self.model.vocabulary
        prompt_ids = vocabulary.suffix_ids(prompt.fill(context))
        context = replace(context, max_tokens=prompt.max_new_tokens)
        program = program_for(prompt.answer, context, self._table.count)
        with session.start() as continuation:
            return run_program(program, self._table, continuation, prompt_ids), len(prompt_ids)


class _Windows:
    """The windows of one prompt, each begun where the last whole record before it ended.

    A window's own end cuts through a record as a rule, so the last record of a window is asked for again
    at the beginning of the next one. Nothing is doubled and no time is lost.
    """

    def __init__(self, duration_ms: int, window_ms: int | None) -> None:
        self._duration_ms = duration_ms
        self._window_ms = window_ms or duration_ms
        self._start_ms = 0
        self._end_ms = 0

    def next(self) -> WindowMs | None:
        """The window to ask about, None after the last."""
        if self._end_ms and self._start_ms >= self._duration_ms:
            return None
        self._end_ms = min(self._start_ms + self._window_ms, self._duration_ms)
        if self._duration_ms - self._end_ms < self._window_ms // 2:
            self._end_ms = self._duration_ms  # no short rest at the end
        return self._start_ms, self._end_ms

    def take(self, records: list[Record]) -> list[Record]:
        """The records of the window that count."""
        is_last = self._end_ms >= self._duration_ms
        if not is_last and len(records) > 1 and isinstance(records[-1].answer, TimedAnswer):
            cut = records[-1].answer
            self._start_ms = round(cut.start_s * 1000)
            return records[:-1]
        self._start_ms = self._end_ms
        return records


def _records(filled: Filled) -> list[Record]:
    return [
        _record(answer, [stats for stats in filled.stats if stats.record == number])
        for number, answer in enumerate(filled.records)
    ]


def _record(answer: Answer, fields: Sequence[FieldStats]) -> Record:
    slots = [field.slot for field in fields if field.slot.num_decisions]
    num_decisions = sum(slot.num_decisions for slot in slots)
    logprob = sum(slot.mean_logprob * slot.num_decisions for slot in slots) / max(num_decisions, 1)
    return Record(
        answer,
        confidence=math.exp(logprob),
        is_truncated=any(slot.truncated for slot in slots),
        is_looped=any(slot.looped for slot in slots),
    )
