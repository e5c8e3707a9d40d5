"""Words into rows that are read at a glance: a sentence, or as much of it as fits."""

from collections.abc import Iterable, Iterator

from videoxl2.speech.decoding.hearing import RunHeard
from videoxl2.speech.decoding.marks import ends_sentence
from videoxl2.speech.records import Said, Word

_MOST_MS, _MOST_LETTERS = 7_000, 84

Spoken = tuple[str, Word]  # as the decoder writes it, with the space before it; in its time


def rows_of(
    heard: RunHeard, words: Iterable[Spoken], language: str | None, language_probability: float | None
) -> Iterator[Said]:
    """The rows of one run."""
    if heard.hearing is None:
        return
    for group in _groups(words):
        said = [word for _, word in group]
        yield Said(
            said[0].start_ms,
            said[-1].end_ms,
            _text(group),
            tuple(said),
            language,
            language_probability,
            sum(word.probability for word in said) / len(said),
            heard.hearing.logprob,
            heard.hearing.no_speech_probability,
        )


def _groups(words: Iterable[Spoken]) -> Iterator[list[Spoken]]:
    group: list[Spoken] = []
    for one in words:
        if group and not _fits(group, one):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _fits(group: list[Spoken], one: Spoken) -> bool:
    (_, first), (_, last), (_, word) = group[0], group[-1], one
    if word.start_ms < last.start_ms or word.end_ms - first.start_ms > _MOST_MS:
        return False
    return not ends_sentence(last.word) and len(_text([*group, one])) <= _MOST_LETTERS


def _text(group: list[Spoken]) -> str:
    return "".join(written for written, _ in group).strip()
