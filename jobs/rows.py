"""An analysis becomes the rows of one bundle. Pure: same analysis, same rows."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeVar

from jobs.analysis import Analysis
from jobs.asking import PromptAnswer, Record
from jobs.failures import Stage, Trouble
from jobs.plan import Work
from jobs.recipe import Recipe
from schemas.answers import Answer, CharacterAnswer, HighlightAnswer, SceneAnswer, SummaryAnswer
from schemas.commit import Bundle, Commit
from schemas.failures import FailureAction, FailureClass
from schemas.tables import Appearance, Character, Failure, Highlight, Scene, Video

MAX_EVIDENCE = 16

A = TypeVar("A", bound=Answer)


class RowBuilder:
    """Makes all rows of one video; holds the lineage that they share."""

    def __init__(self, work: Work, recipe: Recipe, run_id: str, now: datetime) -> None:
        self.work = work
        self.recipe = recipe
        video = work.video
        self._settled: dict[str, Any] = {
            "video_id": video.video_id,
            "object_rev": video.object_rev,
            "recipe_id": recipe.recipe_id,
            "analysis_key": work.analysis_key,
            "run_id": run_id,
            "created_at": now,
        }
        self._lineage = self._settled | {
            "model_id": recipe.model_id,
            "model_revision": recipe.model_revision,
        }

    def bundle(self, analysis: Analysis) -> Bundle:
        """The rows of an analysed video; answers that are not valid become failures with their text."""
        characters = self._characters(analysis)
        scenes = self._scenes(analysis, {row.label.casefold(): row.character_id for row in characters})
        appearances = self._appearances(scenes)
        return Bundle(
            commit=self._commit(is_quarantined=False),
            videos=(self._video(analysis),),
            scenes=scenes,
            characters=tuple(_seen_in(row, appearances) for row in characters),
            appearances=appearances,
            highlights=self._highlights(analysis, scenes),
            failures=tuple(self._invalid_answer(a) for a in analysis.answers if a.problem is not None),
        )

    def quarantine(self, trouble: Trouble) -> Bundle:
        """The bundle that sets this revision of the video aside."""
        failure = self.failure(trouble, FailureAction.QUARANTINED)
        return Bundle(commit=self._commit(is_quarantined=True), failures=(failure,))

    def failure(self, trouble: Trouble, action: FailureAction) -> Failure:
        """The row that says why the whole video is missing."""
        return Failure(
            **self._settled,
            uri=self.work.video.uri,
            stage=trouble.stage,
            failure_class=trouble.failure_class,
            code=trouble.code,
            message=trouble.message,
            hint=trouble.hint,
            action=action,
            attempts=self.work.attempt,
            prompt_id=None,
            answer_text=None,
            traceback=trouble.traceback,
        )

    def _commit(self, is_quarantined: bool) -> Commit:
        return Commit(**self._settled, uri=self.work.video.uri, is_quarantined=is_quarantined)

    def _video(self, analysis: Analysis) -> Video:
        video, info = self.work.video, analysis.info
        summaries = [r.summary for _, r in _records(analysis, SummaryAnswer)]
        return Video(
            **self._lineage,
            prompt_id=next(
                (a.prompt.prompt_id for a in analysis.answers if a.prompt.name == "summary"), None
            ),
            uri=video.uri,
            size_bytes=video.size_bytes,
            etag=video.etag,
            version_id=video.version_id,
            modified_at=datetime.fromtimestamp(video.modified_ns / 1e9, UTC),
            title=info.title,
            summary=summaries[0] if summaries else None,
            duration_ms=info.duration_ms,
            container_start_ms=info.start_ms,
            width=info.width,
            height=info.height,
            rotation=info.rotation,
            fps_num=info.fps_num,
            fps_den=info.fps_den,
            is_vfr=info.is_vfr,
            start_timecode=info.start_timecode,
            container=info.container,
            video_codec=info.video_codec,
            audio_codecs=list(info.audio_codecs),
            num_frames_sampled=len(analysis.sampled_ms),
            effective_fps=float(analysis.grid.effective_fps),
            is_partial=any(a.problem is not None for a in analysis.answers),
            is_degraded=self.work.max_frames < self.recipe.max_frames,
            warnings=list(analysis.warnings),
        )

    def _characters(self, analysis: Analysis) -> list[Character]:
        return [
            Character(
                **self._lineage,
                **how,
                character_id=f"C{number}",
                label=record.label,
                kind=record.kind,
                description=record.description,
                first_seen_ms=None,
                last_seen_ms=None,
            )
            for number, (how, record) in enumerate(_records(analysis, CharacterAnswer), start=1)
        ]

    def _scenes(self, analysis: Analysis, ids: dict[str, str]) -> tuple[Scene, ...]:
        rows = []
        for index, (how, record) in enumerate(_records(analysis, SceneAnswer)):
            start_ms, end_ms = _span_ms(record, analysis)
            rows.append(
                Scene(
                    **self._lineage,
                    **how,
                    scene_index=index,
                    start_ms=start_ms,
                    end_ms=end_ms,
                    title=record.title,
                    summary=record.summary,
                    setting=record.setting,
                    time_of_day=record.time_of_day,
                    mood=record.mood,
                    actions=_unique(record.actions),
                    objects=_unique(record.objects),
                    tags=_unique(record.tags),
                    character_ids=_unique(ids[label.casefold()] for label in record.characters),
                    evidence_ms=_evidence(analysis.sampled_ms, start_ms, end_ms),
                )
            )
        return tuple(rows)

    def _appearances(self, scenes: tuple[Scene, ...]) -> tuple[Appearance, ...]:
        return tuple(
            Appearance(
                **self._lineage,
                prompt_id=scene.prompt_id,
                character_id=character_id,
                scene_index=scene.scene_index,
                start_ms=scene.start_ms,
                end_ms=scene.end_ms,
            )
            for scene in scenes
            for character_id in scene.character_ids
        )

    def _highlights(self, analysis: Analysis, scenes: tuple[Scene, ...]) -> tuple[Highlight, ...]:
        best_first = sorted(_records(analysis, HighlightAnswer), key=lambda found: -found[1].score)
        rows = []
        for rank, (how, record) in enumerate(best_first, start=1):
            start_ms, end_ms = _span_ms(record, analysis)
            middle = (start_ms + end_ms) // 2
            rows.append(
                Highlight(
                    **self._lineage,
                    **how,
                    rank=rank,
                    start_ms=start_ms,
                    end_ms=end_ms,
                    kind=record.kind,
                    title=record.title,
                    reason=record.reason,
                    score=record.score,
                    scene_index=next(
                        (s.scene_index for s in scenes if s.start_ms <= middle < s.end_ms), None
                    ),
                )
            )
        return tuple(rows)

    def _invalid_answer(self, answer: PromptAnswer) -> Failure:
        return Failure(
            **self._settled,
            uri=self.work.video.uri,
            stage=Stage.MODEL,
            failure_class=FailureClass.ANSWER,
            code="invalid_answer",
            message=answer.problem or "",
            hint="answer_text holds what the model wrote; the other answers became rows",
            action=FailureAction.KEPT_VALID_PART,
            attempts=1,
            prompt_id=answer.prompt.prompt_id,
            answer_text=answer.text,
            traceback=None,
        )


def _records(analysis: Analysis, kind: type[A]) -> list[tuple[dict[str, Any], A]]:
    """The records of one kind, each with the columns that say how it was written."""
    return [
        (_how(answer, record), record.answer)
        for answer in analysis.answers
        for record in answer.records or ()
        if isinstance(record.answer, kind)
    ]


def _how(answer: PromptAnswer, record: Record) -> dict[str, Any]:
    return {
        "prompt_id": answer.prompt.prompt_id,
        "confidence": record.confidence,
        "is_truncated": record.is_truncated,
        "is_looped": record.is_looped,
    }


def _span_ms(record: SceneAnswer | HighlightAnswer, analysis: Analysis) -> tuple[int, int]:
    """The model's tenths of a second in ms; the last tenth may reach past the last picture's end."""
    end_ms = min(round(record.end_s * 1000), analysis.info.duration_ms)
    return min(round(record.start_s * 1000), end_ms - 1), end_ms


def _seen_in(character: Character, appearances: tuple[Appearance, ...]) -> Character:
    mine = [a for a in appearances if a.character_id == character.character_id]
    if not mine:
        return character
    return character.model_copy(
        update={"first_seen_ms": min(a.start_ms for a in mine), "last_seen_ms": max(a.end_ms for a in mine)}
    )


def _evidence(sampled_ms: tuple[int, ...], start_ms: int, end_ms: int) -> list[int]:
    inside = [ms for ms in sampled_ms if start_ms <= ms < end_ms]
    stride = -(-len(inside) // MAX_EVIDENCE) or 1
    return inside[::stride]


def _unique(items: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(items))
