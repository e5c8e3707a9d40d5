"""Records that say the same again: the usual way in which a long answer goes wrong."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, get_origin

from schemas.answers import Answer, TimedAnswer

_GRAM = 4  # words
_ALIKE = 0.8  # Jaccard similarity of the word groups
_BEFORE = 3  # records that one is compared with
_FEW_WORDS = 8  # shorter texts are alike by nature: a second goal is a goal


def repeats(answers: Sequence[Answer], number: int) -> bool:
    """Whether a record's free text is that of one of the three before it."""
    mine = _grams(answers[number])
    before = answers[max(0, number - _BEFORE) : number]
    return bool(mine) and any(_similarity(mine, _grams(answer)) > _ALIKE for answer in before)


def says_the_same(answer: Answer, other: Answer) -> bool:
    """Whether two records are told in the same words or, without free text, are alike otherwise."""
    words = _words(answer)
    if words or _words(other):
        return words == _words(other) or repeats([other, answer], 1)
    span = set(TimedAnswer.model_fields)
    return answer.model_dump(exclude=span) == other.model_dump(exclude=span)


def _similarity(a: frozenset[tuple[str, ...]], b: frozenset[tuple[str, ...]]) -> float:
    return len(a & b) / len(a | b)


def _grams(answer: Answer) -> frozenset[tuple[str, ...]]:
    words = _words(answer)
    if len(words) < _FEW_WORDS:
        return frozenset()
    return frozenset(tuple(words[i : i + _GRAM]) for i in range(len(words) - _GRAM + 1))


def _words(answer: Answer) -> list[str]:
    return [word for text in _texts(answer) for word in text.lower().split()]


def _texts(answer: Answer) -> Iterator[str]:
    """What the model worded itself; words from a list are alike by nature."""
    for name, info in type(answer).model_fields.items():
        value: Any = getattr(answer, name)
        if isinstance(value, str) and get_origin(info.annotation) is not Literal:
            yield value
