"""How the records of an answer follow each other: its layout as slots.

A record is only begun where the tokens left are enough for the longest one, so the last always ends properly.
Behind a record the model may always go on or stop; where it has no say, the host overrules it. (Were the end
that it wants illegal, it would wander on in its last text.)
"""

from dataclasses import dataclass

from jobs.prompts.answer_text import NOTHING
from jobs.prompts.program.fields import Field, TextField
from jobs.prompts.program.times import Times
from jobs.prompts.stamps import seconds
from schemas.answers import Answer, Moments, One, Several, Tiles
from videoxl2.constrained.slots import STOP, Back, Choice, Got, Literal, Program, SlotStats

_NEXT = "\n\n"  # between records
_ENDS = (_NEXT, STOP)


@dataclass(frozen=True)
class FieldStats:
    """The model's certainty about a slot of a record (counted from 0); a list has one for each item."""

    record: int
    field: str
    slot: SlotStats


@dataclass(frozen=True)
class Written:
    """The statistics of each slot, and whether the records ended only because the tokens did."""

    stats: tuple[FieldStats, ...]
    is_cut_short: bool


@dataclass(frozen=True)
class AnswerProgram:
    """The program that writes one answer; runs any number of times."""

    answer: type[Answer]
    fields: tuple[Field, ...]
    times: Times
    max_records: int
    record_bound: int  # tokens
    token_bound: int

    def slots(self) -> Program[Written]:
        """The slots of one run."""
        return _Run(self).write()


class _Run:
    """What is known of the answer so far."""

    def __init__(self, program: AnswerProgram) -> None:
        self.program = program
        self.stats: list[FieldStats] = []
        self.last = Got()  # how long the answer is
        self.start = program.times.first  # of the next tile
        self.starts = list(program.times.stamps)  # that no moment has
        self.keys = {NOTHING}
        self.may_follow = self.must_follow = False  # another record, behind the present one
        self.out_of_tokens = self.is_cut_short = False

    def write(self) -> Program[Written]:
        for number in range(self.program.max_records):
            before = self.last
            if not (yield from self._open(number)):
                break
            end = yield from self._write_fields(number)
            if end is None:
                yield Back(before.num_tokens)
                yield Literal("" if number else NOTHING)
                self.stats = [s for s in self.stats if s.record < number]
                break
            self.is_cut_short |= self.out_of_tokens and end == _NEXT
            if self.must_follow and end == STOP:
                self.last = yield Literal(_NEXT)
            elif end == STOP or not self.may_follow:
                break
        return Written(tuple(self.stats), self.is_cut_short)

    def _open(self, number: int) -> Program[bool]:
        """Everything up to the first value; whether there is such a record."""
        spent_after = self.last.num_spent + self.program.record_bound
        fits = spent_after + self.program.record_bound <= self.program.token_bound
        is_full = number + 1 == self.program.max_records
        self.may_follow, self.out_of_tokens = fits and not is_full, not fits and not is_full
        label = self.program.fields[0].label
        match self.program.answer.layout:
            case Several():
                got = yield Choice((label,) if number else (label, NOTHING + STOP))
                return got.index == 0
            case Tiles() as tiles:
                yield from self._open_tile(tiles, number)
            case Moments() as moments:
                if not (yield from self._open_moment(moments, number)):
                    return False
            case One():
                pass
        yield Literal(label)
        return True

    def _open_tile(self, tiles: Tiles, number: int) -> Program[None]:
        times = self.program.times
        ends = times.tile_ends(tiles, self.start, is_last=not self.may_follow)
        if self.out_of_tokens:  # a shorter one might have been wanted
            self.is_cut_short = times.tile_ends(tiles, self.start, is_last=False) != ends
        yield Literal(f"{seconds(self.start)} -")
        got = yield Choice(tuple(f" {seconds(end)} seconds\n" for end in ends))
        self._note(number, "end_ms", got)
        self.start = ends[got.index]
        self.may_follow = self.must_follow = self.start < times.last

    def _open_moment(self, moments: Moments, number: int) -> Program[bool]:
        starts = tuple(f"{seconds(start)} -" for start in self.starts)
        got = yield Choice(starts if number else (*starts, NOTHING + STOP))
        if got.index == len(starts):
            return False
        self._note(number, "start_ms", got)
        ends = self.program.times.moment_ends(moments, self.starts.pop(got.index))
        got = yield Choice(tuple(f" {seconds(end)} seconds\n" for end in ends))
        self._note(number, "end_ms", got)
        self.may_follow = self.may_follow and bool(self.starts)
        return True

    def _write_fields(self, number: int) -> Program[str | None]:
        """The end of the record, or none if its key is taken."""
        fields = self.program.fields
        for field in fields:
            if field is not fields[0]:
                yield Literal(field.label)
            ends = _ENDS if field is fields[-1] else ("\n",)
            written = yield from field.write(ends)
            for got in written.slots:
                self._note(number, field.name, got)
            if isinstance(field, TextField) and field.is_key:
                [key] = written.texts
                if key.casefold() in self.keys:
                    return None
                self.keys.add(key.casefold())
        return ends[written.end]

    def _note(self, number: int, field: str, got: Got) -> None:
        self.last = got
        self.stats.append(FieldStats(number, field, got.stats))
