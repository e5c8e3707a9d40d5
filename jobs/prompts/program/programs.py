"""Answers that hold by construction: from an answer type to the slots that the model fills.

Whatever the weights say, the text that comes out is read back by `jobs.prompts.answer_text.parse_records`,
passes `jobs.prompts.checks.check_records`, and takes no more than a number of tokens known before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.prompts.answer_text import NOTHING, parse_records
from jobs.prompts.program.fields import Count
from jobs.prompts.program.records import AnswerProgram, FieldStats, Written
from jobs.prompts.program.times import AnswerContext, Times
from jobs.prompts.program.types import fields_of
from jobs.prompts.stamps import seconds
from schemas.answers import Answer, Moments, One, Several, Tiles, TimedAnswer
from schemas.failures import UsageError

if TYPE_CHECKING:
    from videoxl2.constrained.drive import Pushes, Sampling
    from videoxl2.constrained.fill import Filling
    from videoxl2.constrained.masks import TokenTable


@dataclass(frozen=True)
class Filled:
    """An answer and how it came about; `num_spent` counts tokens that were taken back too."""

    text: str
    records: tuple[Answer, ...]
    token_ids: tuple[int, ...]
    num_spent: int
    token_bound: int
    stats: tuple[FieldStats, ...]
    is_cut_short: bool  # another record was wanted, and there were no tokens for it


def program_for(answer: type[Answer], context: AnswerContext, count: Count) -> AnswerProgram:
    """The program of an answer type; `count` tells the tokens of a text.

    Raises `UsageError` for a type that cannot be asked for, or a budget too small for one record.
    """
    times = Times.of(context)
    fields = fields_of(answer, context, count)
    timed = isinstance(answer.layout, Tiles | Moments)
    if not fields or timed != issubclass(answer, TimedAnswer):
        raise UsageError(
            f"{answer.__name__}: its layout {answer.layout} does not fit its fields",
            "Timed answers tile their window or list moments, others do neither; each has a labelled field.",
        )
    record_bound = count(NOTHING) + sum(count(field.label) + field.bound(count) for field in fields)
    if timed:  # no token is shorter than a byte
        record_bound += len(f"{seconds(times.last)} - {seconds(times.last)} seconds\n")
    max_records = _max_records(answer, times)
    token_bound = record_bound * max_records
    if context.max_tokens is not None:
        token_bound = min(token_bound, context.max_tokens)
    if token_bound < record_bound:
        raise UsageError(
            f"{answer.__name__}: {token_bound} tokens allowed, and one record can take {record_bound}",
            "Allow more tokens, or bound the fields tighter.",
        )
    return AnswerProgram(answer, fields, times, max_records, record_bound, token_bound)


def run_program(
    program: AnswerProgram,
    table: "TokenTable",
    continuation: "Pushes",
    prompt_ids: Sequence[int],
    sampling: "Sampling | None" = None,
) -> Filled:
    """Fill a program behind a prompt on a fresh continuation.

    Raises `videoxl2.errors.NonFiniteError`.
    """
    from videoxl2.constrained.drive import Sampling, fill  # loads torch

    return filled(program, fill(program.slots(), table, continuation, prompt_ids, sampling or Sampling()))


def filled(program: AnswerProgram, filling: "Filling[Written]") -> Filled:
    """The answer of a finished program, for a caller that drives several at once."""
    text = filling.text.rstrip("\n")  # the model may have gone on where no record may follow
    records = tuple(parse_records(program.answer, text, program.times.meant_ms))
    written = filling.result
    return Filled(
        text,
        records,
        filling.token_ids,
        filling.num_spent,
        program.token_bound,
        written.stats,
        written.is_cut_short,
    )


def _max_records(answer: type[Answer], times: Times) -> int:
    match answer.layout:
        case One():
            return 1
        case Several(at_most):
            return at_most
        case Tiles() as tiles:
            return times.max_tiles(tiles)
        case Moments(at_most):
            return min(at_most, len(times.stamps))
