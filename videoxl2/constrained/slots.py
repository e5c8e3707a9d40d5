"""What an answer is made of when the host writes its frame and the model fills the gaps.

A program is a generator: it yields slots and receives what stands in each, so what may come next can depend
on what was written. It knows no tokens; `slot_fill` turns it into tokens, `slot_drive` drives it on a model.

    def program():
        yield Literal("Weather:")
        weather = yield Choice((" sunny\n", " rainy\n"))
        yield Literal("Why:")
        reason = yield Text(max_tokens=20, max_chars=120, ends=(STOP,))
        return weather.index, reason.text

Pieces are tokenised one by one, so write them as words fall: a label ends in its colon, and the blank behind
it opens what follows. (A `Text` always begins with a blank.)
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple, TypeVar

from videoxl2.constrained.json_schema import closing_bytes

STOP = "\0"  # an end, or the end of an option: the model's stop token, which is never written itself


@dataclass(frozen=True)
class Literal:
    """Text that the host writes."""

    text: str


@dataclass(frozen=True)
class Text:
    """Free text on one line with a letter, digit or sign in it; strict UTF-8, no control characters.

    It ends where the model writes one of `ends`, or is closed by the host when its tokens or characters are
    used up or it repeats itself. Each end opens with a control character or one of the `forbidden` ones
    (ASCII), so it cannot be part of the text.
    """

    max_tokens: int
    max_chars: int
    ends: tuple[str, ...] = ("\n",)
    forbidden: str = ""

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or self.max_chars < 1 or not self.ends:
            raise ValueError(f"a text needs room for a token and a character, and an end: {self}")
        if not self.forbidden.isascii():
            raise ValueError(f"only ASCII can be forbidden, not {self.forbidden!r}")
        if any(end[0] >= " " and end[0] not in self.forbidden for end in self.ends):
            raise ValueError(f"an end could be part of the text: {self}")


@dataclass(frozen=True)
class Choice:
    """Choice of one of `options`, none of which begins with another. A single one costs no decision."""

    options: tuple[str, ...]


@dataclass(frozen=True)
class Json:
    """Value in compact JSON, valid under `schema` (see `json_schema`), on one line; then one of `ends`.

    When its tokens are used up, the host closes it with as little as the schema allows.
    """

    schema: str
    max_tokens: int
    ends: tuple[str, ...] = ("\n",)
    forbidden: ClassVar[str] = ""

    def __post_init__(self) -> None:
        if self.max_tokens < 1 or not self.ends:
            raise ValueError(f"a JSON value needs room for a token, and an end: {self}")
        if any(end[0] >= " " for end in self.ends):
            raise ValueError(f"an end has to open with a control character: {self}")
        closing_bytes(self.schema)


@dataclass(frozen=True)
class Back:
    """Request to forget what follows the first `num_tokens` tokens of the answer (a `Got.num_tokens`)."""

    num_tokens: int


Slot = Literal | Text | Choice | Json | Back


class Decision(NamedTuple):
    """Token that the model picked, its place in the answer, and its raw log-probability."""

    place: int
    token: int
    logprob: float


@dataclass(frozen=True)
class SlotStats:
    """Statistics of how the model filled a slot, over its decisions only: forced tokens tell nothing.

    Log-probabilities are natural and raw (over the whole vocabulary). `allowed_mass` is the probability the
    model gave to all legal tokens together: low values mean that the form pushed it. `probability` is that of
    the whole filling among legal ones, step by step.
    """

    decisions: tuple[Decision, ...] = ()
    mean_logprob: float = 0.0
    min_logprob: float = 0.0
    allowed_mass: float = 1.0  # mean
    min_allowed_mass: float = 1.0
    probability: float = 1.0
    truncated: bool = False  # closed by the host: out of tokens or characters
    looped: bool = False  # closed by the host: it repeated itself


@dataclass(frozen=True)
class Got:
    """Result that a program receives for a slot."""

    text: str = ""  # of a Text or Json without its blank and its end, of a Choice the option
    index: int = 0  # which option, or which of the ends
    num_tokens: int = 0  # of the answer so far
    num_spent: int = 0  # the same, plus tokens written and taken back
    stats: SlotStats = field(default_factory=SlotStats)


T_co = TypeVar("T_co", covariant=True)
Program = Generator[Slot, Got, T_co]

FINISH_TOKENS = 4  # up to 3 to complete a UTF-8 character, 1 so that the text is not blank


def text_bound(max_tokens: int, end_tokens: int) -> int:
    """Return the most tokens that a `Text` can take if its longest end takes `end_tokens`."""
    return max_tokens + FINISH_TOKENS + end_tokens
