"""What is left once the model is done with a video: boundaries move to cuts, rows get keyframes and a bundle.

The answers are paid for by then: whatever is wrong with the file, its storage or the task costs the cuts and
keyframes, and `videos.warnings` says so; the rows are made all the same. Knows nothing of Ray.
"""

import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from jobs.answers.analysis import Analysis
from jobs.answers.answer_rows import AnswerRows
from jobs.answers.keyframes import keyframe_rows, wanted_keyframes
from jobs.answers.moves import cuts_by_shots, movable_ms, moves_of
from jobs.answers.rows import RowBuilder
from jobs.attempts.tries import AttemptHistory, Postprocessed
from jobs.attempts.work import Work
from jobs.failures import Stage, VideoFailure, classify
from jobs.prompts.recipe import Recipe
from jobs.signals.reading import SignalsRead
from jobs.workers.deadlines import killed_when_hanging
from jobs.workers.postprocessing.signals import index_signals, read_video_signals, unread
from jobs.workers.reading.scratch import drop_copy, hold_copy
from jobs.workers.reading.spans import Source
from schemas.failures import AttemptOutcome
from schemas.measured import Shot
from schemas.tables import Keyframe
from schemas.usage import Usage
from storage.index.commits.bundles import encode_with_stream
from videoxl2.frames.reading.cuts import cuts_near
from videoxl2.frames.reading.stills.keyframes import read_keyframes

Taken = tuple[tuple[Keyframe, ...], tuple[str, ...]]  # keyframes, and warnings about those that are missing


@dataclass(frozen=True)
class PostprocessJob:
    """A video that the model is done with, or that no model sees; its last try goes on here."""

    video: AttemptHistory
    answers: bytes | None  # a pickled `Analysis`: the driver only hands it on
    killed: VideoFailure | None = None  # how its task ended while it read signals, which it now leaves alone


def postprocess(
    source: Source, job: PostprocessJob, recipe: Recipe, run_id: str
) -> Postprocessed | VideoFailure:
    """Read signals, snap, take keyframes, encode. With answers only a bug in making the rows is a
    `VideoFailure`.

    Drops this node's copy of the video at the end.
    """
    begun = time.perf_counter()
    work = job.video.work
    try:
        if job.answers is None:
            return index_signals(source, job.video, recipe, run_id, job.killed)
        analysis: Analysis = pickle.loads(job.answers)
        builder = RowBuilder(work, recipe, run_id, datetime.now(UTC))
        signals = read_video_signals(source, analysis.info, builder, analysis.before, job.killed)
        moves_ms = find_moves(source, work, analysis, shots_known(analysis, signals))
        take = partial(take_keyframes, source, work, analysis)
        return _encode(job.video, analysis, builder, moves_ms, take, signals, begun)
    except Exception as error:
        return postprocess_unsnapped(job, recipe, run_id, classify(error, Stage.READ), begun)
    finally:
        with suppress(OSError):  # it goes when room is needed
            drop_copy(work.video, source.scratch)


def postprocess_unsnapped(
    job: PostprocessJob, recipe: Recipe, run_id: str, why: VideoFailure, begun: float
) -> Postprocessed | VideoFailure:
    """Encode with the times that the model said, without a look at the file, and warnings. Without answers
    there is nothing to encode."""
    if job.answers is None:
        return why
    missing = ("boundaries are not snapped to cuts", "no keyframes")
    warnings = tuple(f"{what}: {why.message}" for what in missing)
    analysis: Analysis = pickle.loads(job.answers)
    builder = RowBuilder(job.video.work, recipe, run_id, datetime.now(UTC))
    signals = unread(recipe, job.video.work, why)
    return _encode(job.video, analysis, builder, {}, lambda _: ((), warnings), signals, begun)


def shots_known(analysis: Analysis, signals: SignalsRead) -> tuple[Shot, ...]:
    """The video's shots, read just now or before; nothing where they were not."""
    rows = signals.rows.get("shots") or dict(analysis.carried.measured).get("shots", ())
    return tuple(row for row in rows if isinstance(row, Shot))


def find_moves(source: Source, work: Work, analysis: Analysis, shots: Sequence[Shot] = ()) -> dict[int, int]:
    """Find where boundaries of timed answers move, in ms: to borders of shots, or where none are known to
    cuts.

    Raises `storage.errors`, `MediaError` and OSError.
    """
    all_ms = movable_ms(analysis)
    if not all_ms:
        return {}
    if shots:
        return moves_of(analysis, cuts_by_shots(shots, all_ms))
    with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging():
        return moves_of(analysis, cuts_near(path, analysis.info, all_ms, limits=source.limits))


def take_keyframes(source: Source, work: Work, analysis: Analysis, rows: AnswerRows) -> Taken:
    """A picture for every timed row, out of the file where no pass kept one; without one where the file does
    not give it."""
    try:
        pictures = dict(analysis.before.watched.stills) if analysis.before.watched else {}
        wanted = wanted_keyframes(rows, pictures)
        unread_ms = {ms for one in wanted for ms in one.candidates_ms} - set(pictures)
        if unread_ms:
            with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging():
                pictures |= read_keyframes(path, analysis.info, unread_ms, limits=source.limits)
        taken = tuple(keyframe_rows(wanted, pictures))
    except Exception as error:
        return (), (f"no keyframes: {classify(error, Stage.READ).message}",)
    num_missing = len(wanted) - len(taken)
    lost = f"no keyframes: of {num_missing} of {len(wanted)} rows, as the file is damaged there"
    return taken, (lost,) if num_missing else ()


def _encode(
    video: AttemptHistory,
    analysis: Analysis,
    builder: RowBuilder,
    moves_ms: Mapping[int, int],
    take: Callable[[AnswerRows], Taken],
    signals: SignalsRead,
    begun: float,
) -> Postprocessed | VideoFailure:
    try:
        rows = builder.answer_rows(analysis, moves_ms)
        bundle = builder.bundle(analysis, rows, *take(rows), signals)
        is_partial = bundle.videos[0].is_partial
        outcome = AttemptOutcome.PARTIAL if is_partial else AttemptOutcome.INDEXED
        finish_s = time.perf_counter() - begun - signals.wall_s
        usage = signals.usage + Usage(finish_seconds=finish_s)
        tries = video.using(usage).tries
        bundle = bundle.model_copy(update={"attempts": builder.attempts(tries, outcome)})
        return Postprocessed(*encode_with_stream(bundle), is_partial, usage)
    except Exception as error:
        return replace(classify(error, Stage.ROWS), num_frames=analysis.usage.num_frames or 0)
