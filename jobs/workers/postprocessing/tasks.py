"""Post-processing as tasks on CPUs, so that the GPU is at its next video meanwhile."""

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from jobs.answers.carried import signals_of
from jobs.attempts.actor_failures import LACKS_CODE_PAUSE_S, NODE_LACKS_CODE
from jobs.attempts.tries import AttemptHistory, Postprocessed
from jobs.attempts.work import WAITING_PER_CPU, Work
from jobs.failures import Stage, VideoFailure
from jobs.logs import follow
from jobs.prompts.recipe import Recipe
from jobs.signals.watching import most_memory
from jobs.workers.deadlines import patience_s
from jobs.workers.left_out import away_from
from jobs.workers.postprocessing.postprocess import PostprocessJob, postprocess, postprocess_unsnapped
from jobs.workers.reading.spans import TASK_OPTIONS, Source
from schemas.failures import FailureClass

MAX_LOST = 10  # times that a video's task is lost with its machine; then the driver does it, without the file
NO_CPU = VideoFailure(
    Stage.ROWS, FailureClass.LOST, "no_cpu", "no CPU came in time to look at the file", "Add a CPU node."
)
_log = logging.getLogger(__name__)


def _postprocess_task(source: Source, recipe: Recipe, run_id: str) -> Any:
    """Make the task of one run. What is the same for all its videos travels once, with the function.

    It is no `ray.put`: where a raylet ends, Ray's C++ tries to recover what the driver has put, finds the
    raylet's object store gone and ends the driver's process with code 1 and no word.
    """

    def postprocess_video(job: PostprocessJob) -> Postprocessed | VideoFailure:
        follow(source.log_dir, "worker")
        outcome = postprocess(source, job, recipe, run_id)
        uri, code = job.video.work.video.uri, outcome.code if isinstance(outcome, VideoFailure) else None
        told = {"event": "postprocessed", "fields": {"uri": uri, "code": code}}
        _log.debug("postprocessed %s", uri, extra=told)
        return outcome

    more_bytes = most_memory(recipe.signals)
    options = TASK_OPTIONS | {"memory": TASK_OPTIONS["memory"] + more_bytes}
    return ray.remote(**options)(postprocess_video)


@dataclass(frozen=True)
class _UnderWay:
    """A job being done for the `times`th time, since a moment on the monotonic clock."""

    job: PostprocessJob
    times: int
    since: float


class Postprocessing:
    """The videos being post-processed. Keeps their answers, so that none is paid for twice, unopened."""

    def __init__(self, source: Source, recipe: Recipe, run_id: str, num_cpus: int) -> None:
        self._recipe = recipe
        self._run_id = run_id
        self._task = _postprocess_task(source, recipe, run_id)
        self.resize(num_cpus)
        self._waiting: dict[ray.ObjectRef[Postprocessed | VideoFailure], _UnderWay] = {}
        self._later: list[_UnderWay] = []  # to be done again from its moment on
        self._tasks: dict[str | None, Any] = {}  # by the node that they prefer
        self._left_out: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._later)

    def resize(self, num_cpus: int) -> None:
        """Note how many CPUs there are for it now; with none, one may come."""
        self._max_waiting = WAITING_PER_CPU * max(1, num_cpus)

    def keep_off(self, node_ids: Collection[str]) -> None:
        """Begin no more tasks on these nodes."""
        if self._left_out != set(node_ids):
            self._left_out = frozenset(node_ids)
            self._tasks.clear()

    @property
    def is_full(self) -> bool:
        """Whether more videos would only pile up."""
        return len(self) >= self._max_waiting

    @property
    def refs(self) -> "list[ray.ObjectRef[Postprocessed | VideoFailure]]":
        """The references to wait for."""
        return list(self._waiting)

    def submit(self, video: AttemptHistory, answers: bytes | None, node_id: str | None) -> None:
        """Begin, for an object on S3 on the node that has a copy of it, where that node is alive. Without
        answers only signals are read."""
        self._submit(PostprocessJob(video, answers), None if video.work.video.is_local else node_id)

    def take(
        self, ref: "ray.ObjectRef[Postprocessed | VideoFailure]", outcome: Postprocessed | VideoFailure
    ) -> tuple[AttemptHistory, Postprocessed | VideoFailure] | None:
        """A video and what its task's outcome makes of it; None where the task was lost with its machine and
        is done again."""
        under_way = self._waiting.pop(ref)
        job = under_way.job
        if isinstance(outcome, VideoFailure) and outcome.failure_class is not FailureClass.BUG:
            if outcome.code == NODE_LACKS_CODE:
                self._later.append(_UnderWay(job, under_way.times, time.monotonic() + LACKS_CODE_PAUSE_S))
                return None
            if outcome.failure_class is FailureClass.LOST and under_way.times < MAX_LOST:
                self._submit(job, None, under_way.times + 1)
                return None
            if self._may_be_of_signals(job, outcome):
                self._submit(replace(job, killed=outcome), None)
                return None
            outcome = postprocess_unsnapped(job, self._recipe, self._run_id, outcome, time.perf_counter())
        return self._timed(under_way), outcome

    def _may_be_of_signals(self, job: PostprocessJob, outcome: VideoFailure) -> bool:
        """Whether its process died, and may not without reading signals."""
        is_read = job.killed is None and bool(signals_of(self._recipe.signals, job.video.work))
        return outcome.is_death and is_read

    def finish_here(self) -> list[tuple[AttemptHistory, Postprocessed | VideoFailure]]:
        """Make the rows of what has answers in this process, as no CPU comes for its tasks."""
        finished = []
        for ref, one in [*self._waiting.items(), *((None, one) for one in self._later)]:
            if one.job.answers is not None:
                self._drop(ref, one)
                made = postprocess_unsnapped(one.job, self._recipe, self._run_id, NO_CPU, time.perf_counter())
                finished.append((self._timed(one), made))
        return finished

    def _drop(self, ref: "ray.ObjectRef[Postprocessed | VideoFailure] | None", one: _UnderWay) -> None:
        if ref is None:
            self._later.remove(one)
        else:
            del self._waiting[ref]
            ray.cancel(ref, force=True)

    def unfinished(self) -> list[AttemptHistory]:
        """The videos under way."""
        return [one.job.video for one in (*self._waiting.values(), *self._later)]

    def redo_frozen(self) -> None:
        """Begin anew what no task can take so long for; the frozen one keeps its place on its machine.

        And what has waited for a node without the code to be left out.
        """
        now, later, self._later = time.monotonic(), self._later, []
        for one in later:
            if one.since <= now:
                self._submit(one.job, None, one.times)
            else:
                self._later.append(one)
        for ref, one in list(self._waiting.items()):
            if time.monotonic() - one.since > self._patience_s(one.job.video.work):
                del self._waiting[ref]
                ray.cancel(ref, force=True)
                self._submit(one.job, None, one.times + 1)

    def _patience_s(self, work: Work) -> float:
        """Longer than all tries of a task at this video can take, whatever its length is."""
        return patience_s(signals_of(self._recipe.signals, work), work.video.size_bytes)

    def cancel(self) -> None:
        """Stop what is under way."""
        for ref in self._waiting:
            ray.cancel(ref, force=True)
        self._waiting.clear()
        self._later.clear()

    def _timed(self, under_way: _UnderWay) -> AttemptHistory:
        """The video's tries; where no actor timed the last one, this task did."""
        job = under_way.job
        is_timed = job.answers or job.video.last.failure
        return job.video if is_timed else job.video.lasting(time.monotonic() - under_way.since)

    def _submit(self, job: PostprocessJob, node_id: str | None, times: int = 1) -> None:
        ref = self._task_on(node_id).remote(job)
        self._waiting[ref] = _UnderWay(job, times, time.monotonic())

    def _task_on(self, node_id: str | None) -> Any:
        """The task, on that node if it is alive. Made once: Ray checks options whenever they are given."""
        if node_id not in self._tasks:
            where = NodeAffinitySchedulingStrategy(node_id, soft=True) if node_id else "DEFAULT"
            elsewhere = away_from(self._left_out)
            self._tasks[node_id] = self._task.options(scheduling_strategy=where, **elsewhere)
        return self._tasks[node_id]
