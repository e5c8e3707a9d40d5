"""An analysis becomes the rows of one bundle. Pure: same analysis, same rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from jobs.answers.analysis import Analysis
from jobs.answers.answer_rows import AnswerRows
from jobs.answers.asking import PromptAnswer
from jobs.attempts.fingerprints import fingerprint
from jobs.attempts.tries import AttemptHistory, Try
from jobs.attempts.work import Work
from jobs.failures import Stage, VideoFailure
from jobs.prompts.kv import kv_text
from jobs.prompts.recipe import Recipe
from jobs.signals.reading import NO_SIGNALS_READ, SignalsRead
from jobs.signals.signal import Lineage
from schemas.answers import SummaryAnswer
from schemas.commit import Bundle, Commit, CommitState
from schemas.failures import AttemptOutcome, FailureAction, FailureClass
from schemas.identity import VideoObject, digest, moment_of
from schemas.rows import columns_of
from schemas.tables import Attempt, Failure, Keyframe, Video
from videoxl2.errors import NonFiniteError


class RowBuilder:
    """Makes all rows of one video; holds the lineage that they share."""

    def __init__(self, work: Work, recipe: Recipe, run_id: str, now: datetime) -> None:
        self.work = work
        self.recipe = recipe
        video = work.video
        self._settled: dict[str, Any] = {
            "video_id": video.video_id,
            "object_rev": video.object_rev,
            "recipe_id": work.recipe_id or recipe.recipe_id,
            "analysis_key": work.analysis_key,
            "run_id": run_id,
            "created_at": now,
        }
        self._lineage = self._settled | {
            "model_id": recipe.model_id,
            "model_revision": recipe.model_revision,
        }

    def without_model(self) -> "RowBuilder":
        """The same for rows that owe nothing to the recipe's model."""
        work = replace(self.work, recipe_id=self._settled["recipe_id"])
        recipe = replace(self.recipe, model_id=None, model_revision=None)
        return RowBuilder(work, recipe, self._settled["run_id"], self._settled["created_at"])

    def answer_rows(self, analysis: Analysis, moves_ms: Mapping[int, int]) -> AnswerRows:
        """Return the rows of what the model said. `moves_ms` says where boundaries that it named are moved
        to."""
        return AnswerRows(self._lineage, analysis, moves_ms)

    def signal_lineage(self, signal: str) -> Lineage:
        """The columns that all rows of a signal share; `signal` is its id."""
        return self._settled | {
            "model_id": None,
            "model_revision": None,
            "prompt_id": None,
            "signal_id": signal,
        }

    def bundle(
        self,
        analysis: Analysis,
        rows: AnswerRows,
        keyframes: Sequence[Keyframe] = (),
        warnings: Sequence[str] = (),
        signals: SignalsRead = NO_SIGNALS_READ,
    ) -> Bundle:
        """All rows of an analysed video; what is missing from an answer, or a signal, becomes a failure.

        `warnings` join those of the analysis.
        """
        failures = (
            *analysis.carried.failures,
            *(self._incomplete_answer(answer) for answer in analysis.answers if answer.is_partial),
            *self.signal_failures(signals),
        )
        return Bundle(
            commit=self.commit(),
            videos=(self._video(analysis, warnings, is_partial=bool(failures)),),
            scenes=rows.scenes,
            characters=rows.characters,
            appearances=rows.appearances,
            highlights=rows.highlights,
            keyframes=tuple(keyframes),
            measured=dict(analysis.carried.measured) | signals.rows,
            own=rows.own,
            failures=failures,
        )

    def signal_failures(self, signals: SignalsRead) -> tuple[Failure, ...]:
        """The rows that say why signals are missing."""
        return tuple(
            self.failure(one.failure, FailureAction.KEPT_VALID_PART).model_copy(
                update={"signal_id": one.signal_id}
            )
            for one in signals.failures
        )

    def quarantine(self, video: AttemptHistory) -> Bundle:
        """The bundle that sets this revision of the video aside, under a key of its own: a later try may
        commit rows under the analysis key."""
        key = {"analysis_key": self.quarantine_key}
        attempts = self.attempts(video.tries, AttemptOutcome.QUARANTINED)
        return Bundle(
            commit=self.commit(video.failure.failure_class).model_copy(update=key),
            failures=(self.failure(video.failure, FailureAction.QUARANTINED).model_copy(update=key),),
            attempts=tuple(attempt.model_copy(update=key) for attempt in attempts),
        )

    @property
    def quarantine_key(self) -> str:
        """Names the bundle that `quarantine` makes."""
        return digest("quarantine", self.work.analysis_key, self._settled["run_id"])

    def attempts(self, tries: Sequence[Try], outcome: AttemptOutcome) -> tuple[Attempt, ...]:
        """A row for each try; `outcome` is the last one's."""
        earlier = [self._attempt(one, AttemptOutcome.RETRIED) for one in tries[:-1]]
        return (*earlier, self._attempt(tries[-1], outcome))

    def _attempt(self, tried: Try, outcome: AttemptOutcome) -> Attempt:
        failure, location = tried.failure, tried.location
        uri = self.work.video.uri
        lineage = {name: self._settled[name] for name in self._settled.keys() & Attempt.model_fields.keys()}
        return Attempt(
            **lineage,
            uri=uri,
            plan_reason=self.work.reason,
            attempt=tried.attempt,
            started_at=tried.started_at,
            seconds=tried.seconds + (tried.usage.finish_seconds or 0.0),
            outcome=outcome,
            stage=failure.stage if failure else None,
            failure_class=failure.failure_class if failure else None,
            code=failure.code if failure else None,
            fingerprint=fingerprint(failure, uri) if failure else None,
            node=location.host if location else None,
            device=location.device if location else None,
            **asdict(tried.usage),
        )

    def failure(self, failure: VideoFailure, action: FailureAction) -> Failure:
        """The row that says why the whole video is missing."""
        return Failure(
            **self._settled,
            **columns_of(Failure, failure),
            uri=self.work.video.uri,
            action=action,
            attempts=self.work.attempt,
            prompt_id=None,
            answer_text=None,
        )

    def commit(self, failure_class: FailureClass | None = None) -> Commit:
        """Return what the index says of the video from then on; with a class of failures, that it is set
        aside: altogether, or for a model that was not made for it."""
        is_aside = failure_class not in (None, FailureClass.DOMAIN)
        return Commit(
            **self._settled,
            content_rev=self.work.video.content_rev,
            uri=self.work.video.uri,
            state=CommitState.QUARANTINED if is_aside else CommitState.ROWS,
            failure_class=failure_class,
            sidecars_rev=self.work.video.sidecars_rev,
        )

    def _video(self, analysis: Analysis, warnings: Sequence[str], is_partial: bool) -> Video:
        video, info = self.work.video, analysis.info
        answers, carried = analysis.answers, analysis.carried
        said = [r.answer for a in answers for r in a.records or ()]
        summary = " ".join(one.summary for one in said if isinstance(one, SummaryAnswer))
        prompt_id = next((a.prompt.prompt_id for a in answers if a.prompt.name == "summary"), None)
        if carried.video:
            summary, prompt_id = carried.video.summary or "", carried.video.prompt_id
        rate, place = info.timecode_rate, info.metadata.place
        values = self._lineage | {
            "prompt_id": prompt_id,
            "summary": summary or None,
            "container_start_ms": info.start_ms,
            "timecode_fps_num": rate.numerator if rate else None,
            "timecode_fps_den": rate.denominator if rate else None,
            "location": place.text if place else None,
            "latitude": place.latitude if place else None,
            "longitude": place.longitude if place else None,
            "num_frames_sampled": len(analysis.sampled_ms),
            "effective_fps": float(analysis.grid.effective_fps) if analysis.grid else 0.0,
            "shown_width": analysis.shown.width if analysis.shown else None,
            "shown_height": analysis.shown.height if analysis.shown else None,
            "kv": kv_text(self.recipe.kv) if self.recipe.model_id else None,
            "weight_bits": self.recipe.weight_bits if self.recipe.model_id else None,
            "is_partial": is_partial,
            "num_dropped": sum(a.num_dropped for a in answers),
            "is_degraded": bool(self._memory_steps(analysis)),
            "warnings": [*analysis.warnings, *self._memory_steps(analysis), *_odd_time(video), *warnings],
        }
        return Video(**(columns_of(Video, info, info.metadata, video) | values))

    def _memory_steps(self, analysis: Analysis) -> list[str]:
        """The rungs of the memory ladder that this video went down."""
        steps = list(analysis.memory_steps)
        if self.work.max_frames < self.recipe.max_frames:
            what = "sections of fewer frames" if self.recipe.is_split else "fewer frames"
            steps.append(f"{what}: at most {self.work.max_frames} instead of {self.recipe.max_frames}")
        return [f"out of memory: {step}" for step in steps]

    def _incomplete_answer(self, answer: PromptAnswer) -> Failure:
        code, message = "cut_short", f"{answer.num_cut_short} windows ended with their tokens, asked twice"
        hint = "The column answer_text holds what the model wrote; what is valid became rows."
        if answer.num_lost:
            lost = NonFiniteError.of_logits()
            code, hint = "not_finite", lost.hint
            message = f"{lost.message}: {answer.num_lost} windows have no answer"
        if answer.problem:
            code, message = "invalid_answer", answer.problem
        return Failure(
            **self._settled,
            uri=self.work.video.uri,
            stage=Stage.MODEL,
            failure_class=FailureClass.ANSWER,
            code=code,
            message=message,
            hint=hint,
            action=FailureAction.KEPT_VALID_PART,
            attempts=2,  # asked again where the first answer had a fault
            prompt_id=answer.prompt.prompt_id,
            answer_text=answer.text,
            traceback=None,
        )


def _odd_time(video: VideoObject) -> Iterator[str]:
    if video.modified_at in (moment_of(-(10**30)), moment_of(10**30)):
        yield f"modified_at: the file's time, {video.modified_ns} ns after 1970, is in no year from 1 to 9999"
