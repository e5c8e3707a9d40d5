"""What is left once the model is done with a video: boundaries move to cuts, rows get keyframes and a bundle.

A task on a CPU, so that the GPU is at its next video meanwhile. The answers are paid for by then: whatever
is wrong with the file, its storage or the task costs the cuts and keyframes, and `videos.warnings` says so;
the rows are made all the same. The functions above the task run as well without Ray.
"""

import pickle
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from jobs.answers.analysis import Analysis
from jobs.answers.answer_rows import AnswerRows
from jobs.answers.keyframes import keyframe_rows, wanted_keyframes
from jobs.answers.moves import movable_ms, moves_of
from jobs.answers.rows import RowBuilder
from jobs.attempts.tries import Try
from jobs.attempts.work import Work
from jobs.failures import Stage, Trouble, classify
from jobs.prompts.recipe import Recipe
from jobs.workers.reading import ALL_TRIES_S, TASK_OPTIONS, Source, killed_when_hanging
from jobs.workers.scratch import drop_copy, hold_copy
from schemas.failures import AttemptOutcome, FailureClass
from schemas.tables import Keyframe
from storage.index.bundles import encode_with_stream
from videoxl2.frames.reading.cuts import cuts_near
from videoxl2.frames.reading.keyframes import read_keyframes

WAITING_PER_CPU = 2  # analysed videos that wait to be finished; with more, no new video is begun
MAX_LOST = (
    10  # times that a video's finishing is lost with its machine; then the driver does it, without the file
)

Taken = tuple[tuple[Keyframe, ...], tuple[str, ...]]  # keyframes, and warnings about those that are missing


@dataclass(frozen=True)
class Indexed:
    """A video's finished rows, encoded for the commit, with the figures the run reports."""

    bundle: bytes
    stream: bytes  # the same rows, for publishing
    is_partial: bool
    video_ms: int
    num_frames: int
    num_prompt_tokens: int
    num_output_tokens: int
    prefill_seconds: float
    generate_seconds: float


@dataclass(frozen=True)
class Paid:
    """A video that the model is done with. `tries` are all at it in this run; the last one goes on here."""

    work: Work
    answers: bytes  # a pickled `Analysis`: the driver only hands it on
    tries: tuple[Try, ...]


def finish(source: Source, paid: Paid, recipe: Recipe, run_id: str) -> Indexed | Trouble:
    """Snap, take keyframes, encode. Only a bug in making the rows is a `Trouble`.

    Drops this node's copy of the video at the end.
    """
    begun = time.perf_counter()
    work = paid.work
    try:
        analysis: Analysis = pickle.loads(paid.answers)
        moves_ms = find_moves(source, work, analysis)
        take = partial(take_keyframes, source, work, analysis)
        return _encode(paid, analysis, recipe, run_id, moves_ms, take, begun)
    except Exception as error:
        return finish_unsnapped(paid, recipe, run_id, classify(error, Stage.READ), begun)
    finally:
        with suppress(OSError):  # it goes when room is needed
            drop_copy(work.video, source.scratch)


def finish_unsnapped(
    paid: Paid, recipe: Recipe, run_id: str, why: Trouble, begun: float
) -> Indexed | Trouble:
    """Encode with the times that the model said, without a look at the file, and warnings."""
    missing = ("boundaries are not snapped to cuts", "no keyframes")
    warnings = tuple(f"{what}: {why.message}" for what in missing)
    analysis: Analysis = pickle.loads(paid.answers)
    return _encode(paid, analysis, recipe, run_id, {}, lambda _: ((), warnings), begun)


def find_moves(source: Source, work: Work, analysis: Analysis) -> dict[int, int]:
    """Where boundaries of timed answers move, in ms.

    Raises `storage.errors`, `MediaError` and OSError.
    """
    all_ms = movable_ms(analysis)
    if not all_ms:
        return {}
    with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging():
        return moves_of(analysis, cuts_near(path, analysis.info, all_ms, limits=source.limits))


def take_keyframes(source: Source, work: Work, analysis: Analysis, rows: AnswerRows) -> Taken:
    """A picture for every timed row; without one where the file does not give it."""
    try:
        wanted = wanted_keyframes(rows)
        instants_ms = {ms for one in wanted for ms in one.candidates_ms}
        if not instants_ms:
            return (), ()
        with hold_copy(source.library, work.video, source.scratch) as path, killed_when_hanging():
            pictures = read_keyframes(path, analysis.info, instants_ms, limits=source.limits)
        taken = tuple(keyframe_rows(wanted, pictures))
    except Exception as error:
        return (), (f"no keyframes: {classify(error, Stage.READ).message}",)
    num_missing = len(wanted) - len(taken)
    lost = f"no keyframes: of {num_missing} of {len(wanted)} rows, as the file is damaged there"
    return taken, (lost,) if num_missing else ()


def _encode(
    paid: Paid,
    analysis: Analysis,
    recipe: Recipe,
    run_id: str,
    moves_ms: Mapping[int, int],
    take: Callable[[AnswerRows], Taken],
    begun: float,
) -> Indexed | Trouble:
    try:
        builder = RowBuilder(paid.work, recipe, run_id, datetime.now(UTC))
        rows = builder.answer_rows(analysis, moves_ms)
        bundle = builder.bundle(analysis, rows, *take(rows))
        outcome = AttemptOutcome.PARTIAL if bundle.videos[0].is_partial else AttemptOutcome.INDEXED
        attempts = builder.attempts(paid.tries, outcome, time.perf_counter() - begun)
        bundle = bundle.model_copy(update={"attempts": attempts})
        encoded, stream = encode_with_stream(bundle)
    except Exception as error:
        return replace(classify(error, Stage.ROWS), num_frames=len(analysis.sampled_ms))
    return Indexed(
        bundle=encoded,
        stream=stream,
        is_partial=bundle.videos[0].is_partial,
        video_ms=analysis.info.duration_ms,
        num_frames=len(analysis.sampled_ms),
        num_prompt_tokens=analysis.num_prompt_tokens,
        num_output_tokens=analysis.num_output_tokens,
        prefill_seconds=analysis.prefill_seconds,
        generate_seconds=analysis.generate_seconds,
    )


def _finishing_task(source: Source, recipe: Recipe, run_id: str) -> Any:
    """Make the task of one run. What is the same for all its videos travels once, with the function.

    It is no `ray.put`: where a raylet ends, Ray's C++ tries to recover what the driver has put, finds the
    raylet's object store gone and ends the driver's process with code 1 and no word.
    """

    def finish_video(paid: Paid) -> Indexed | Trouble:
        return finish(source, paid, recipe, run_id)

    return ray.remote(**TASK_OPTIONS)(finish_video)


@dataclass(frozen=True)
class _UnderWay:
    """A video being finished for the `times`th time, since a moment on the monotonic clock."""

    paid: Paid
    times: int
    since: float


class Finishing:
    """The videos being finished. Keeps their answers, so that none is paid for twice; never opens them."""

    def __init__(self, source: Source, recipe: Recipe, run_id: str, num_cpus: int) -> None:
        self._recipe = recipe
        self._run_id = run_id
        self._task = _finishing_task(source, recipe, run_id)
        self._max_waiting = WAITING_PER_CPU * num_cpus
        self._waiting: dict[ray.ObjectRef[Indexed | Trouble], _UnderWay] = {}
        self._tasks: dict[str | None, Any] = {}  # by the node that they prefer

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether more videos would only pile up."""
        return len(self._waiting) >= self._max_waiting

    @property
    def refs(self) -> "list[ray.ObjectRef[Indexed | Trouble]]":
        """What to wait for."""
        return list(self._waiting)

    def submit(self, work: Work, answers: bytes, tries: tuple[Try, ...], node_id: str) -> None:
        """Begin. An object on S3 is finished on the node that has a copy of it, where that node is alive."""
        self._submit(Paid(work, answers, tries), None if work.video.is_local else node_id)

    def take(
        self, ref: "ray.ObjectRef[Indexed | Trouble]", outcome: Indexed | Trouble
    ) -> tuple[Work, Indexed | Trouble, tuple[Try, ...]] | None:
        """A video, what its task's outcome makes of it and its tries; None where its finishing was lost with
        its machine and is done again."""
        under_way = self._waiting.pop(ref)
        paid = under_way.paid
        if isinstance(outcome, Trouble) and outcome.failure_class is not FailureClass.BUG:
            if outcome.failure_class is FailureClass.LOST and under_way.times < MAX_LOST:
                self._submit(paid, None, under_way.times + 1)
                return None
            outcome = finish_unsnapped(paid, self._recipe, self._run_id, outcome, time.perf_counter())
        return paid.work, outcome, paid.tries

    def unfinished(self) -> list[tuple[Work, tuple[Try, ...]]]:
        """The videos under way, and their tries."""
        return [(one.paid.work, one.paid.tries) for one in list(self._waiting.values())]

    def redo_frozen(self) -> None:
        """Begin anew what no task can take so long for; the frozen one keeps its place on its machine."""
        for ref, one in list(self._waiting.items()):
            if time.monotonic() - one.since > ALL_TRIES_S:
                del self._waiting[ref]
                ray.cancel(ref, force=True)
                self._submit(one.paid, None, one.times + 1)

    def cancel(self) -> None:
        """Stop what is under way."""
        for ref in self._waiting:
            ray.cancel(ref, force=True)
        self._waiting.clear()

    def _submit(self, paid: Paid, node_id: str | None, times: int = 1) -> None:
        ref = self._task_on(node_id).remote(paid)
        self._waiting[ref] = _UnderWay(paid, times, time.monotonic())

    def _task_on(self, node_id: str | None) -> Any:
        """The task, on that node if it is alive. Made once: Ray checks options whenever they are given."""
        if node_id not in self._tasks:
            where = NodeAffinitySchedulingStrategy(node_id, soft=True) if node_id else "DEFAULT"
            self._tasks[node_id] = self._task.options(scheduling_strategy=where)
        return self._tasks[node_id]
