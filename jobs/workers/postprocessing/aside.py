"""A video set aside for its model: signals become rows, and a failure says why there is nothing else."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from jobs.answers.analysis import Analysis
from jobs.answers.carried import NOTHING_CARRIED, carried_from
from jobs.answers.rows import RowBuilder
from jobs.attempts.tries import AttemptHistory, Postprocessed
from jobs.failures import VideoFailure
from jobs.prompts.recipe import Recipe
from jobs.signals.reading import SignalsRead
from schemas.failures import AttemptOutcome, FailureAction, FailureClass
from schemas.tables import Failure, Video
from schemas.usage import Usage
from storage.index.commits.bundles import encode_with_stream, rows_of
from videoxl2.frames import MediaInfo


def encode_aside(
    old: Any,
    video: AttemptHistory,
    builder: RowBuilder,
    info: MediaInfo,
    signals: SignalsRead,
    usage: Usage,
) -> Postprocessed | VideoFailure:
    """Encode the signals of a video whose last try says that it is outside its model's domain.

    `old` is the bundle that it has, or None. Rows that the same weights made are dropped; where another model
    made them they stay, and the failure is handed back.
    """
    if old is not None and _is_of_another_model(old, builder.recipe):
        return video.failure
    work = replace(video.work, tasks=None)
    kept = NOTHING_CARRIED if old is None else carried_from(old, work, (), builder.recipe.signals)
    analysis = replace(Analysis.unasked(info), carried=kept)
    unasked = builder.without_model()
    bundle = unasked.bundle(analysis, unasked.answer_rows(analysis, {}), signals=signals)
    why = builder.failure(video.failure, FailureAction.QUARANTINED)
    changes = {
        "commit": builder.commit(FailureClass.DOMAIN),
        "failures": (*bundle.failures, why),
        "attempts": builder.attempts(video.tries, AttemptOutcome.QUARANTINED),
    }
    encoded = encode_with_stream(bundle.model_copy(update=changes))
    return Postprocessed(*encoded, is_partial=False, usage=usage, is_aside=True)


def class_aside(failures: Iterable[Failure]) -> FailureClass | None:
    """Return the class of failures that a commit says of a video with rows; None: none."""
    is_aside = any(failure.failure_class == FailureClass.DOMAIN for failure in failures)
    return FailureClass.DOMAIN if is_aside else None


def _is_of_another_model(old: Any, recipe: Recipe) -> bool:
    revisions = {video.model_revision for video in rows_of(old, "videos", Video)}
    return bool(revisions - {None, recipe.model_revision})
