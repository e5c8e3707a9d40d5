"""Ask a prefilled video one prompt: constrained to valid answers, window by window where it is long.

All windows of a prompt decode together on the one cache, each at the cost of its own tokens. An answer in
which something went wrong is asked for once more, differently; the better of the two counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from jobs.answers.joining import joined
from jobs.answers.records import Record, record_of
from jobs.answers.windows import WindowMs, cut_windows, seams_of
from jobs.prompts.answer_text import InvalidAnswerError
from jobs.prompts.checks import check_records
from jobs.prompts.kv import BiLevelKv
from jobs.prompts.pack import Prompt
from jobs.prompts.program.programs import filled, program_for
from jobs.prompts.program.records import AnswerProgram, Written
from jobs.prompts.program.times import AnswerContext
from schemas.answers import Tiles, TimedAnswer
from schemas.usage import NO_USAGE, Usage

if TYPE_CHECKING:
    from videoxl2.constrained.drive import Sampling
    from videoxl2.constrained.fill import Filling
    from videoxl2.errors import NonFiniteError
    from videoxl2.generate.kv.selection import Selection
    from videoxl2.generate.models.video_model import VideoModel
    from videoxl2.generate.session import Session

MAX_ROWS = 8  # windows that decode together
AGAIN_TEMPERATURE = 0.5
_LOST = 1_000_000  # faults of an answer that is none
ASKED_AGAIN = "asked_again"
SEAM = "asked_across_windows"


@dataclass(frozen=True)
class PromptAnswer:
    """The model's answer to one prompt; `records` is None where the text is no valid answer.

    `num_cut_short` counts windows whose records ended with their tokens, `num_lost` those whose logits were
    not finite, `num_dropped` the doubled records.
    """

    prompt: Prompt
    text: str
    records: tuple[Record, ...] | None
    problem: str | None
    num_cut_short: int
    num_dropped: int
    usage: Usage = NO_USAGE
    num_lost: int = 0

    @property
    def is_partial(self) -> bool:
        """Tell whether something that belongs into the answer may be missing."""
        return self.problem is not None or self.num_cut_short > 0 or self.num_lost > 0

    @classmethod
    def of_sections(cls, answers: Sequence["PromptAnswer"]) -> "PromptAnswer":
        """The answers about a video's sections, in order, as one."""
        told = [record for answer in answers for record in answer.records or ()]
        records, num_doubled = joined(answers[0].prompt.answer.layout, told)
        return cls(
            answers[0].prompt,
            text="\n\n".join(answer.text for answer in answers),
            records=tuple(records) if any(answer.records is not None for answer in answers) else None,
            problem=next((answer.problem for answer in answers if answer.problem), None),
            num_cut_short=sum(answer.num_cut_short for answer in answers),
            num_dropped=sum(answer.num_dropped for answer in answers) + num_doubled,
            usage=sum((answer.usage for answer in answers), NO_USAGE),
            num_lost=sum(answer.num_lost for answer in answers),
        )


@dataclass(frozen=True)
class Piece:
    """The answer about one window, and what it cost, a first try that was worse included."""

    window: WindowMs
    text: str
    records: tuple[Record, ...]
    is_cut_short: bool
    usage: Usage
    is_lost: bool = False  # the logits were not finite

    @property
    def num_faults(self) -> int:
        """The count of faults that a second try may mend."""
        if self.is_lost:
            return _LOST
        return self.is_cut_short + sum(r.is_truncated or r.is_repeated for r in self.records)


class Asker:
    """A model with the token table of its tokenizer, which takes seconds to build for a real one."""

    def __init__(self, model: "VideoModel", kv: BiLevelKv | None = None) -> None:
        """`kv` says how prompts are decoded; None: on all keys and values of the video, dense.

        Raises `CheckpointError` for a checkpoint without a tokenizer.
        """
        from videoxl2.constrained.masks import TokenTable

        self.model = model
        self._kv = kv
        self._table = TokenTable.of(model)

    def ask(self, session: "Session", prompt: Prompt, context: AnswerContext) -> PromptAnswer:
        """The answer to one prompt about the context's window, or the whole video."""
        span = context.window_ms or (0, context.duration_ms)
        windows = cut_windows(span, prompt.window_ms, context.times_ms)
        pieces: list[Piece] = []
        records: list[Record] = []
        num_dropped = num_lost = 0
        problem: str | None = None
        try:
            pieces = self._answer(session, prompt, context, windows)
            num_lost = sum(piece.is_lost for piece in pieces)
            records = self._join(session, prompt, context, pieces)
            records, num_dropped = joined(prompt.answer.layout, records)
            check_records([record.answer for record in records], context.duration_ms, context.roster)
        except InvalidAnswerError as error:
            problem = str(error)
        return PromptAnswer(
            prompt,
            text="\n\n".join(piece.text for piece in pieces if not piece.is_lost),
            records=None if problem or num_lost == len(windows) else tuple(records),
            problem=problem,
            num_cut_short=sum(piece.is_cut_short for piece in pieces),
            num_dropped=num_dropped,
            usage=sum((piece.usage for piece in pieces), NO_USAGE),
            num_lost=num_lost,
        )

    def _join(
        self, session: "Session", prompt: Prompt, context: AnswerContext, pieces: list[Piece]
    ) -> list[Record]:
        """All windows' records, those at the seams asked for once more; `pieces` gets what that took."""
        answers = [[record.answer for record in piece.records] for piece in pieces]
        has_tiles = isinstance(prompt.answer.layout, Tiles)
        seams = seams_of(answers, 2 * (prompt.window_ms or 0) if has_tiles else 0)
        across = self._answer(session, prompt, context, [seam.window for seam in seams]) if seams else []
        replaced: set[tuple[int, int]] = set()
        records: list[Record] = []
        for seam, piece in zip(seams, across, strict=True):
            counting = [record for record in piece.records if has_tiles or seam.is_crossed_by(record.answer)]
            if counting:  # else what touched the border from both sides were two moments indeed
                replaced |= seam.replaced
                records += [record.repaired(SEAM) for record in counting]
        records += [
            record
            for number, piece in enumerate(pieces)
            for place, record in enumerate(piece.records)
            if (number, place) not in replaced
        ]
        pieces += across
        if issubclass(prompt.answer, TimedAnswer):
            records.sort(key=lambda r: (r.answer.start_ms, r.answer.end_ms))  # type: ignore[attr-defined]
        return records

    def _answer(
        self, session: "Session", prompt: Prompt, context: AnswerContext, windows: Sequence[WindowMs]
    ) -> list[Piece]:
        """One piece per window; those with faults are asked again and the better piece is taken."""
        from videoxl2.constrained.drive import Sampling

        first = self._decode(session, prompt, context, windows, Sampling())
        doubtful = [number for number, piece in enumerate(first) if piece.num_faults]
        if not doubtful:
            return first
        sampling = Sampling(AGAIN_TEMPERATURE, seed=1)
        again = self._decode(session, prompt, context, [windows[n] for n in doubtful], sampling)
        for number, second in zip(doubtful, again, strict=True):
            first[number] = better(first[number], second)
        return first

    def _decode(
        self,
        session: "Session",
        prompt: Prompt,
        context: AnswerContext,
        windows: Sequence[WindowMs],
        sampling: "Sampling",
    ) -> list[Piece]:
        from videoxl2.constrained.drive import fill_each

        contexts = [replace(context, window_ms=w, max_tokens=prompt.max_new_tokens) for w in windows]
        programs = [program_for(prompt.answer, each, self._table.count) for each in contexts]
        vocabulary = self.model.vocabulary
        texts = [prompt.fill(each, vocabulary.count) for each in contexts]
        prompts = [vocabulary.suffix_ids(text) for text in texts]
        asked = [(program.slots(), ids) for program, ids in zip(programs, prompts, strict=True)]
        with session.answering():
            selections = self._select(session, prompt, texts, windows)
            room = max(map(len, prompts)) + max(program.token_bound for program in programs)
            width = 1 if self.model.device.type == "cuda" else 8
            with session.start_rows(min(MAX_ROWS, len(asked)), selections, room=room) as rows:
                fillings = fill_each(asked, self._table, rows, sampling, width)
            return [
                self._piece(window, ids, program, filling)
                for window, program, ids, filling in zip(windows, programs, prompts, fillings, strict=True)
            ]

    def _select(
        self, session: "Session", prompt: Prompt, texts: Sequence[str], windows: Sequence[WindowMs]
    ) -> list["Selection"]:
        """Select what each answer is decoded on; a prompt without windows is about the whole video."""
        options, is_windowed = self._kv.options if self._kv else None, prompt.window_ms is not None
        return [
            session.select(text, options, window_ms=window if is_windowed else None)
            for text, window in zip(texts, windows, strict=True)
        ]

    def _piece(
        self,
        window: WindowMs,
        prompt_ids: Sequence[int],
        program: AnswerProgram,
        filling: "Filling[Written] | NonFiniteError",
    ) -> Piece:
        from videoxl2.errors import NonFiniteError
        from videoxl2.generate.blind import blind_logprobs

        asked = Usage(num_prompt_tokens=len(prompt_ids), num_output_tokens=0, num_again_tokens=0)
        lost = Piece(window, "", (), False, asked, is_lost=True)
        if isinstance(filling, NonFiniteError):
            return lost
        answer = filled(program, filling)
        usage = asked + Usage(num_output_tokens=answer.num_spent)
        try:
            blind = blind_logprobs(self.model, prompt_ids, answer.token_ids)
        except NonFiniteError:
            return replace(lost, usage=usage)
        records = tuple(record_of(answer, number, blind) for number in range(len(answer.records)))
        return Piece(window, answer.text, records, answer.is_cut_short, usage)


def better(first: Piece, second: Piece) -> Piece:
    """The second answer where it has fewer faults, with what both took."""
    best = first
    if second.num_faults < first.num_faults:
        best = replace(second, records=tuple(record.repaired(ASKED_AGAIN) for record in second.records))
    again = Usage(num_again_tokens=second.usage.num_output_tokens)
    return replace(best, usage=first.usage + second.usage + again)
