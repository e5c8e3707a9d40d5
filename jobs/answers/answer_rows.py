"""What the model said about a video becomes rows of the tables that answers fill. Pure."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from jobs.answers.analysis import Analysis
from jobs.answers.asking import PromptAnswer
from jobs.answers.records import Record
from schemas.answer_tables import RECORD_INDEX, row_type
from schemas.answers import (
    Answer,
    CharacterAnswer,
    CharacterText,
    HighlightAnswer,
    HighlightText,
    SceneAnswer,
    SceneText,
    TimedAnswer,
)
from schemas.rows import Row, columns_of
from schemas.tables import Appearance, Character, Described, Highlight, Scene

MAX_EVIDENCE = 16

A = TypeVar("A", bound=Answer)
Columns = Mapping[str, Any]


class AnswerRows:
    """The rows of one analysis. `moves_ms` says where boundaries that the model named are moved to."""

    def __init__(self, lineage: Columns, analysis: Analysis, moves_ms: Mapping[int, int]) -> None:
        self._lineage = lineage
        self._analysis = analysis
        self._moves_ms = moves_ms
        self._seen_ms = sorted(set(analysis.sampled_ms))
        carried = analysis.carried
        self.characters = carried.characters or self._characters()
        self.scenes = carried.scenes or self._scenes()
        self.appearances = self._appearances()
        self.characters = tuple(_seen_in(row, self.appearances) for row in self.characters)
        self.highlights = tuple(map(self._in_scene, carried.highlights or self._highlights()))
        self.own = self._own()  # by table; those that prompt packs bring

    def _own(self) -> dict[str, tuple[Row, ...]]:
        return dict(self._analysis.carried.own) | {
            answer.prompt.name: tuple(self._own_rows(answer))
            for answer in self._analysis.answers
            if answer.prompt.own
        }

    def _characters(self) -> tuple[Character, ...]:
        return tuple(
            Character(
                **how,
                **_text(CharacterText, said),
                character_id=f"C{number}",
                first_seen_ms=None,
                last_seen_ms=None,
            )
            for number, (how, said) in enumerate(self._records(CharacterAnswer), start=1)
        )

    def _scenes(self) -> tuple[Scene, ...]:
        ids = {row.label.casefold(): row.character_id for row in self.characters}
        return tuple(
            Scene(
                **how,
                **_text(SceneText, said),
                scene_index=index,
                character_ids=[ids[label.casefold()] for label in said.characters],
            )
            for index, (how, said) in enumerate(self._records(SceneAnswer))
        )

    def _appearances(self) -> tuple[Appearance, ...]:
        shared = set(Appearance.model_fields) & set(Scene.model_fields)
        return tuple(
            Appearance(character_id=character_id, **scene.model_dump(include=shared))
            for scene in self.scenes
            for character_id in scene.character_ids
        )

    def _highlights(self) -> tuple[Highlight, ...]:
        best_first = sorted(self._records(HighlightAnswer), key=lambda found: -found[1].score)
        return tuple(
            Highlight(
                **how,
                **_text(HighlightText, said),
                rank=rank,
                scene_index=None,
            )
            for rank, (how, said) in enumerate(best_first, start=1)
        )

    def _in_scene(self, highlight: Highlight) -> Highlight:
        ms = (highlight.start_ms + highlight.end_ms) // 2
        found = (scene.scene_index for scene in self.scenes if scene.start_ms <= ms < scene.end_ms)
        return highlight.model_copy(update={"scene_index": next(found, None)})

    def _own_rows(self, answer: PromptAnswer) -> Iterator[Row]:
        kind = row_type(answer.prompt.answer)
        for index, record in enumerate(answer.records or ()):
            said = record.answer.model_dump(exclude=set(TimedAnswer.model_fields))
            yield kind(**self._how(answer, record), **{RECORD_INDEX: index}, **said)

    def _records(self, kind: type[A]) -> list[tuple[dict[str, Any], A]]:
        """The records of one kind, each with the columns that say how it was written and where it is."""
        return [
            (self._how(answer, record), record.answer)
            for answer in self._analysis.answers
            for record in answer.records or ()
            if isinstance(record.answer, kind)
        ]

    def _how(self, answer: PromptAnswer, record: Record) -> dict[str, Any]:
        spoken = record.answer
        return {
            **self._lineage,
            "prompt_id": answer.prompt.prompt_id,
            **columns_of(Described, record),
            **(self._where(spoken) if isinstance(spoken, TimedAnswer) else {}),
        }

    def _where(self, spoken: TimedAnswer) -> dict[str, Any]:
        model_ms = spoken.start_ms, spoken.end_ms
        start_ms, end_ms = self._moved(model_ms)
        evidence = self._pictures(start_ms, end_ms)
        return {
            "start_ms": start_ms,
            "end_ms": end_ms,
            "model_start_ms": model_ms[0],
            "model_end_ms": model_ms[1],
            "evidence_ms": evidence,
            "is_grounded": bool(evidence),
        }

    def _moved(self, model_ms: tuple[int, int]) -> tuple[int, int]:
        """Both ends where they move to; neither, where nothing or no picture would be left between them."""
        start_ms, end_ms = (self._moves_ms.get(ms, ms) for ms in model_ms)
        if start_ms >= end_ms or (self._pictures(*model_ms) and not self._pictures(start_ms, end_ms)):
            return model_ms
        return start_ms, end_ms

    def _pictures(self, start_ms: int, end_ms: int) -> list[int]:
        """Pictures seen inside the span."""
        inside = self._seen_ms[bisect_left(self._seen_ms, start_ms) : bisect_left(self._seen_ms, end_ms)]
        stride = -(-len(inside) // MAX_EVIDENCE) or 1
        return inside[::stride]


def _text(fields: type[Any], said: Answer) -> dict[str, Any]:
    return said.model_dump(include=set(fields.model_fields))


def _seen_in(character: Character, appearances: Sequence[Appearance]) -> Character:
    mine = [a for a in appearances if a.character_id == character.character_id and a.is_grounded]
    first_ms, last_ms = (
        min((a.start_ms for a in mine), default=None),
        max((a.end_ms for a in mine), default=None),
    )
    return character.model_copy(update={"first_seen_ms": first_ms, "last_seen_ms": last_ms})
