"""Signals of one video, read where its file is: beside answers of the model, or alone.

The functions run as well without Ray.
"""

import socket
import time
from datetime import UTC, datetime

from jobs.answers.analysis import Analysis
from jobs.answers.carried import earlier_bundle, is_about_any, moved_to, signals_of
from jobs.answers.rows import RowBuilder
from jobs.attempts.tries import ActorLocation, AttemptHistory, Postprocessed
from jobs.attempts.work import Work
from jobs.failures import Stage, VideoFailure, classify
from jobs.prompts.recipe import Recipe
from jobs.signals.reading import NO_SIGNALS_READ, SignalFailure, SignalsRead, read_signals
from jobs.signals.signal import Beforehand, signal_id
from jobs.signals.watching import look_of
from jobs.workers.deadlines import killed_when_hanging, longest_s
from jobs.workers.postprocessing.aside import class_aside, encode_aside
from jobs.workers.reading.scratch import hold_copy
from jobs.workers.reading.spans import Source, file_of, probe_for
from schemas.commit import Bundle
from schemas.failures import AttemptOutcome, FailureClass
from schemas.measured import Measured
from schemas.tables import Failure
from schemas.usage import Usage
from storage.index.commits.bundles import encode_renewed, encode_with_stream, rows_of
from videoxl2.frames import MediaInfo


def read_video_signals(
    source: Source,
    info: MediaInfo,
    builder: RowBuilder,
    before: Beforehand,
    killed: VideoFailure | None = None,
) -> SignalsRead:
    """Read what the work wants of its video; `before` is what was read of it already, `killed` how
    a process ended that read them: they are left alone then.

    Whatever goes wrong becomes a failure of those signals.
    """
    work = builder.work
    wanted = signals_of(builder.recipe.signals, work)
    if not wanted:
        return NO_SIGNALS_READ
    if killed is not None:
        return unread(builder.recipe, work, killed)
    try:
        deadline_s = longest_s(wanted, info.duration_ms / 3_600_000, look_of(info))
        with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging(deadline_s):
            file = file_of(source, work, path, info, before)
            return read_signals(file, wanted, builder.signal_lineage)
    except Exception as error:
        return unread(builder.recipe, work, classify(error, Stage.READ))


def unread(recipe: Recipe, work: Work, why: VideoFailure) -> SignalsRead:
    """Say of all signals of the work that they could not be read, for one reason."""
    wanted = signals_of(recipe.signals, work)
    rows: dict[str, tuple[Measured, ...]] = {table: () for signal in wanted for table in signal.tables}
    failures = tuple(SignalFailure(signal_id(signal), why) for signal in wanted)
    return SignalsRead(rows, failures)


def index_signals(
    source: Source,
    video: AttemptHistory,
    recipe: Recipe,
    run_id: str,
    killed: VideoFailure | None = None,
) -> Postprocessed | VideoFailure:
    """Read a video's signals, and nothing else, into a bundle; what else it has already is kept.

    With `killed` they are failures: a process that read them ended so.
    """
    work, stage, begun = video.work, Stage.FETCH, time.perf_counter()
    builder = RowBuilder(work, recipe, run_id, datetime.now(UTC))
    try:
        with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging():
            info, texts = probe_for(() if killed else recipe.signals, work, path, source.limits)
        signals = read_video_signals(source, info, builder, Beforehand(texts), killed)
        if why := _worth_another_try(signals):
            return why
        stage = Stage.ROWS
        finish_s = time.perf_counter() - begun - signals.wall_s
        usage = signals.usage + Usage(video_ms=info.duration_ms, finish_seconds=finish_s)
        timed = video.using(usage)
        if not video.last.failure:  # no actor had it
            timed = timed.lasting(signals.wall_s).at(_here())
        return _encode(source, timed, builder, info, signals, usage)
    except Exception as error:
        return classify(error, stage)


def _here() -> ActorLocation:
    """This process. Without a model every device is the CPU."""
    return ActorLocation("", socket.gethostname(), "cpu")


def _worth_another_try(signals: SignalsRead) -> VideoFailure | None:
    """What stood in a signal's way and may be over later: storage that does not answer."""
    failures = (one.failure for one in signals.failures)
    return next((one for one in failures if one.failure_class is FailureClass.TRANSIENT), None)


def _encode(
    source: Source,
    video: AttemptHistory,
    builder: RowBuilder,
    info: MediaInfo,
    signals: SignalsRead,
    usage: Usage,
) -> Postprocessed | VideoFailure:
    work = video.work
    old = earlier_bundle(source.bundles, work)
    if video.last.failure:
        return encode_aside(old, video, builder, info, signals, usage)
    if old is None:
        analysis = Analysis.unasked(info)
        bundle = builder.bundle(analysis, builder.answer_rows(analysis, {}), signals=signals)
    else:
        anew = signals_of(builder.recipe.signals, work)
        found = rows_of(old, "failures", Failure)
        kept = [moved_to(work, one) for one in found if not is_about_any(one, anew)]
        failures = (*kept, *builder.signal_failures(signals))
        commit = builder.commit(class_aside(failures))
        bundle = Bundle(commit=commit, measured=signals.rows, failures=failures)
    is_partial = bundle.is_partial
    outcome = AttemptOutcome.PARTIAL if is_partial else AttemptOutcome.INDEXED
    bundle = bundle.model_copy(update={"attempts": builder.attempts(video.tries, outcome)})
    renewed = {"failures", "attempts", *signals.rows}
    encoded = encode_with_stream(bundle) if old is None else encode_renewed(old, bundle, renewed)
    return Postprocessed(*encoded, is_partial, usage)
