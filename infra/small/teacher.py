"""The tokens of a true answer as inference would write them, and which of them the model decides.

The answer's own program is run, with the truth in the model's place: labels, times and ends come from the
same slots, tokenised in the same pieces. The model learns its decisions only; the rest the host writes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from jobs.prompts.answer_text import write_records
from jobs.prompts.pack import Prompt
from jobs.prompts.program.programs import program_for
from jobs.prompts.program.times import AnswerContext
from jobs.prompts.stamps import seconds, tenths
from schemas.answers import Answer, SceneAnswer, TimedAnswer
from videoxl2.constrained.masks import TokenTable
from videoxl2.constrained.slots import STOP, Choice, Got, Literal, Slot, Text
from videoxl2.network.configs.pace import REAL_TIME, Pace


class UntellableError(Exception):
    """The truth is no answer that inference could give, as where a scene is shorter than scenes may be."""


@dataclass(frozen=True)
class Lesson:
    """A prompt with its true answer: `ids` behind the video, of which those at `decided` are to be learned.

    `slots` has the name of the slot for each decision.
    """

    ids: tuple[int, ...]
    decided: tuple[int, ...]
    slots: tuple[str, ...]


def lesson(
    prompt: Prompt,
    context: AnswerContext,
    truth: Sequence[Answer],
    prompt_ids: Sequence[int],
    table: TokenTable,
) -> Lesson:
    """Raises `UntellableError`."""
    writer = _Writer(write_records([_told(answer, context.pace) for answer in truth]), table)
    program = program_for(prompt.answer, context, table.count).slots()
    try:
        slot = next(program)
        while True:
            slot = program.send(writer.write(slot))
    except StopIteration:
        pass
    if writer.at < len(writer.text):
        raise UntellableError(f"ends before {writer.text[writer.at :][:60]!r}")
    first = len(prompt_ids)
    return Lesson(
        (*prompt_ids, *writer.ids),
        tuple(first + place for place, _ in writer.decided),
        tuple(f"{prompt.name}.{name}" for _, name in writer.decided),
    )


def _told(answer: Answer, pace: Pace) -> Answer:
    """The answer with its times as they are told to the model."""
    if not isinstance(answer, TimedAnswer):
        return answer
    times_ms = {"start_ms": pace.told_ms(answer.start_ms), "end_ms": pace.told_ms(answer.end_ms)}
    return answer.model_copy(update=times_ms)


def lookups(
    scenes: Sequence[SceneAnswer],
    table: TokenTable,
    roster: Sequence[str] | None = None,
    pace: Pace = REAL_TIME,
) -> Lesson:
    """The first lines of each scene's record; its end, in whole seconds, and its title are to be learned, and
    with a roster, which stands ahead as in the prompt, its summary.

    Most of what follows them repeats them, and they stand nowhere but in the video. The last end is that of
    the film, which the video does not tell.
    """
    known = "" if roster is None else f" {'; '.join(roster)}."
    ids = [*table.encode([f"{known}\n\n"])[0]]
    decided: list[int] = []
    slots: list[str] = []

    def learn(tokens: Sequence[int], slot: str) -> None:
        decided.extend(range(len(ids), len(ids) + len(tokens)))
        slots.extend([slot] * len(tokens))
        ids.extend(tokens)

    last_ms = max((scene.end_ms for scene in scenes), default=0)
    for scene in scenes:
        start, space, end, between, title, label, summary, blank = table.encode(
            [
                f"{seconds(tenths(pace.told_ms(scene.start_ms)))} -",
                " ",
                seconds(tenths(pace.told_ms(scene.end_ms))),
                " seconds\nTitle:",
                f" {scene.title}\n",
                "Summary:",
                f" {scene.summary}\n",
                "\n",
            ]
        )
        ids += [*start, *space]
        whole, decimals = (end[:1], end[1:]) if scene.end_ms < last_ms else ([], end)
        learn(whole, "lookups.end")
        ids += [*decimals, *between]
        learn(title, "lookups.title")
        if roster is not None:
            ids += label
            learn(summary, "lookups.summary")
        ids += blank
    return Lesson(tuple(ids), tuple(decided), tuple(slots))


class _Writer:
    """Fills slots with what the text says next."""

    def __init__(self, text: str, table: TokenTable) -> None:
        self.text, self.table = text, table
        self.at = 0
        self.ids: list[int] = []
        self.decided: list[tuple[int, str]] = []
        self._label = "number"

    def write(self, slot: Slot) -> Got:
        match slot:
            case Literal(text):
                if text.endswith(":"):
                    self._label = text.strip(" :\n").lower()
                self._expect(text)
                self.ids += self.table.encode([text])[0]
                return self._got(text)
            case Choice(options):
                return self._choose(options)
            case Text():
                return self._fill(slot)
        raise UntellableError(f"{slot} is not for drawn films")

    def _expect(self, text: str) -> None:
        if not self.text.startswith(text, self.at):
            raise UntellableError(f"{text!r} where the truth says {self.text[self.at :][:60]!r}")
        self.at += len(text)

    def _choose(self, options: tuple[str, ...]) -> Got:
        index = next((n for n, option in enumerate(options) if self._is_next(option)), None)
        if index is None:
            raise UntellableError(
                f"none of {options[:4]}… where the truth says {self.text[self.at :][:60]!r}"
            )
        encoded = self.table.encode(options)
        name = "time" if "seconds" in options[0] or options[0].endswith(" -") else self._label
        left = list(encoded)
        for depth, token in enumerate(encoded[index]):
            if len({ids[depth] for ids in left}) > 1:
                self.decided.append((len(self.ids), name))
            left = [ids for ids in left if ids[depth] == token]
            if token != self.table.stop_id:
                self.ids.append(token)
        if self.decided and self.decided[-1][0] == len(self.ids):  # a stop is learned too
            self.ids.append(self.table.stop_id)
        self.at += len(options[index].removesuffix(STOP))
        if options[index].endswith(":"):
            self._label = options[index].strip(" :\n").lower()
        return self._got(options[index], index)

    def _is_next(self, option: str) -> bool:
        body = option.removesuffix(STOP)
        end = self.at + len(body)
        return self.text.startswith(body, self.at) and (not option.endswith(STOP) or end == len(self.text))

    def _fill(self, slot: Text) -> Got:
        places = [(self.text.find(end, self.at), n) for n, end in enumerate(slot.ends) if end != STOP]
        stop = [(len(self.text), slot.ends.index(STOP))] if STOP in slot.ends else []
        end, index = min([(place, n) for place, n in places if place >= 0] + stop)
        content = self.text[self.at : end]
        content_ids = self.table.encode([content])[0]
        if len(content_ids) >= slot.max_tokens or len(content) - 1 > slot.max_chars:
            raise UntellableError(f"{content!r} is too long")
        end_ids = (
            (self.table.stop_id,) if slot.ends[index] == STOP else self.table.encode([slot.ends[index]])[0]
        )
        first = len(self.ids)
        self.ids += [*content_ids, *end_ids]
        self.decided += [(place, self._label) for place in range(first, first + len(content_ids) + 1)]
        self.at = end + len(slot.ends[index].removesuffix(STOP))
        return self._got(content.strip(), index)

    def _got(self, text: str, index: int = 0) -> Got:
        written = len(self.ids) - (self.ids[-1:] == [self.table.stop_id])
        return Got(text, index, written, written)
