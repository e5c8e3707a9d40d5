"""A question about a video, whichever benchmark asks it."""

import hashlib
import json
from dataclasses import asdict, dataclass

from jobs.answers.overlap import Span
from schemas.failures import UsageError

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class OneOf:
    """A question answered with one of `letters`."""

    letters: tuple[str, ...]
    right: str


@dataclass(frozen=True)
class When:
    """A question answered with a span of the video, in seconds."""

    span: Span


@dataclass(frozen=True)
class Question:
    """One question, complete with its prompt.

    `video` is the file's name, with or without its extension, with the folder it should be in where the
    benchmark says so. `categories` are pairs of a kind and a value; a kind may occur several times.
    `latest_s` is the last second of the video that the benchmark mentions with the question.
    """

    where: str  # in the questions file
    question_id: str
    video: str
    prompt: str
    wanted: OneOf | When
    categories: tuple[tuple[str, str], ...] = ()
    latest_s: float | None = None

    @property
    def key(self) -> str:
        """A digest of video, prompt and truth: equal for the same question, wherever in the file it
        stands."""
        content = json.dumps([self.video, self.prompt, asdict(self.wanted)])
        return hashlib.sha256(content.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class QuestionSet:
    """The questions of a benchmark, and in words what of its files is no question to be asked here."""

    questions: tuple[Question, ...]
    notes: tuple[str, ...] = ()


def letters_for(options: tuple[str, ...], where: str) -> tuple[str, ...]:
    """A letter for each option. Raises `UsageError` for fewer than two, or more than the alphabet has."""
    if not 2 <= len(options) <= len(_ALPHABET):
        raise UsageError(f"{where}: {len(options)} options", "A question has 2 to 26 options.")
    return tuple(_ALPHABET[: len(options)])


def one_of(letters: tuple[str, ...], right: str, where: str) -> OneOf:
    """Return a choice among letters. UsageError: the right letter is not among the options'."""
    if right not in letters:
        raise UsageError(
            f"{where}: the answer {right!r} is not among the options {', '.join(letters)}",
            "Correct the record; splits without published answers cannot be scored here.",
        )
    return OneOf(letters, right)
