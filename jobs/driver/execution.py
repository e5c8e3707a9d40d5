"""One plan being carried out: what costs nothing first, then videos on actors, then the run's own row."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

from jobs.attempts.work import WAITING_PER_CPU, Work
from jobs.cluster.joining import join_cluster
from jobs.cluster.nodes import Nodes
from jobs.driver.loop.gate import Gate
from jobs.driver.loop.runner import Runner
from jobs.driver.loop.supervise import supervise
from jobs.driver.node_check import needs_of, with_checked_nodes
from jobs.driver.settling.relinking import Relinking, deleted_marks, texts_to_read
from jobs.driver.settling.settle import IndexSettler
from jobs.driver.settling.tidying import Tidying
from jobs.driver.stopping import Stop, stop_on_signal
from jobs.driver.telling.metrics import Meters
from jobs.driver.telling.pace import pace_of
from jobs.driver.telling.progress import Progress
from jobs.driver.telling.watching import Watching
from jobs.planning.plan import Plan
from jobs.planning.preflight import Preflight, copies_of
from jobs.settings.limits import Ending, Limits
from jobs.workers.actor import start_actor
from jobs.workers.domain import DomainGuard
from jobs.workers.left_out import away_from
from jobs.workers.placement import NO_ACTORS, place_actors
from jobs.workers.postprocessing.tasks import Postprocessing
from jobs.workers.reading.spans import Source, admission_remote
from schemas.commit import RunRecord
from schemas.failures import ExitCode, MediaIndexError
from schemas.plan import COSTLY, PlannedVideo, Reason
from schemas.tables import Run
from storage.errors import ObjectError
from videoxl2.frames import Limits as FileLimits

_COPIES = {Reason.MOVED, Reason.DUPLICATE}


def gate_of(source: Source, num_cpus: int, where: Callable[[], dict[str, Any]] = dict) -> Gate:
    """The gate of a run: closed where a checkpoint says which videos it was made for. `where` says as Ray's
    options on which nodes videos are looked at."""
    if source.guard is None:
        return Gate()

    def look(work: Work) -> Any:
        return admission_remote.options(**where()).remote(source, work)

    return Gate(look, WAITING_PER_CPU * max(1, num_cpus))


class Execution:
    """One plan being carried out."""

    def __init__(
        self,
        checked: Preflight,
        plan: Plan,
        run_id: str,
        kind: str,
        started_at: datetime,
        progress: Progress,
        owns_process: bool,
        address: str,
    ) -> None:
        self._checked = checked
        self._plan = plan
        self._run_id = run_id
        self._kind = kind
        self._started_at = started_at
        self._progress = progress
        self._owns_process = owns_process
        self._address = address
        place, at = (checked.settings.index, checked.settings.endpoint_url), checked.settings.compact_at
        self._tidying = Tidying(*place, at, progress, checked.settings.scratch)
        self._settler = IndexSettler(checked.index, checked.recipe, run_id, progress, self._tidying)
        self._relinking = Relinking(
            checked.index, checked.recipe.recipe_id, run_id, bool(checked.recipe.of_sidecars)
        )
        self._num_planned = len(plan.videos)

    def run(self, stop: Stop) -> Run:
        """Carry it out, publish and record it."""
        if len(self._plan.videos) or len(self._plan.found.relinked):
            for record in (self._checked.recipe.record, *self._plan.summary.recipes):
                self._checked.index.declare_recipe(record)
        try:
            self._settler.mark(deleted_marks(self._checked.index, self._plan.deleted, self._run_id))
            for pair in self._plan.found.to_publish:
                self._settler.already_committed(*pair)
            works = list(self._works())
            self._publish_relinked()  # what costs nothing is seen before the models are loaded
            works += self._works_beside_others()
            self._num_planned = len(works)
            ending = self._execute(works, stop) if works else Ending.DONE
            self._relinking.relink_copies()
        except Exception as error:
            self._settler.finish(wait_s=0.0)
            try:
                self._record(error.exit_code if isinstance(error, MediaIndexError) else ExitCode.INTERNAL)
            except ObjectError as second:
                error.add_note(f"and what was committed could not be published: {second}")
            raise
        row = self._record(self._exit_code(stop, ending))
        if stop.lost:
            raise stop.lost
        return row

    def _works(self) -> Iterator[Work]:
        """Return what is left to analyse once rows have been relinked."""
        videos, copies = self._plan.videos, self._plan.copies
        relinked = self._relinking.relink(self._plan.found.relinked)
        for planned in (*videos, *relinked, *self._relinking.expect(videos, copies)):
            yield self._work(planned)

    def _works_beside_others(self) -> Iterator[Work]:
        """Return the work on texts beside videos that have just got rows of others."""
        if not self._relinking.beside_others:
            return
        found = texts_to_read(self._relinking.beside_others, self._checked)
        for record in found.recipes:
            self._checked.index.declare_recipe(record)
        yield from map(self._work, found.costly)

    def _work(self, planned: PlannedVideo) -> Work:
        return Work.first(planned, self._checked.settings.max_frames, self._checked.weights is not None)

    def _publish_relinked(self) -> None:
        for pair in self._relinking.relinked:
            self._settler.already_committed(*pair)
        self._relinking.relinked.clear()
        self._settler.publish()

    def _execute(self, works: list[Work], stop: Stop) -> Ending:
        checked, settings = self._checked, self._checked.settings
        deadline = settings.deadline.at(self._started_at) if settings.deadline else None
        source = Source(
            checked.library,
            checked.scratch,
            checked.recipe.fps,
            checked.weights.pictures.within(settings.pixels) if checked.weights else None,
            settings.split,
            checked.index.store,
            self._plan.ceiling,
            FileLimits(
                max_pixels=settings.max_pixels,
                max_duration_s=settings.max_duration.seconds,
                max_streams=settings.max_streams,
            ),
            settings.log_dir,
            reads_said=bool(checked.recipe.tasks_of_said),
            tasks_of_heard=checked.recipe.tasks_of_heard,
            signals=checked.recipe.signals,
            guard=DomainGuard.of(checked.weights),
            max_frames=settings.max_frames,
            weights=copies_of(settings),
        )
        owns = self._owns_process
        with (
            join_cluster(self._address, keeps_quiet=owns) as cluster,
            stop_on_signal(stop.event) if owns else nullcontext(),
        ):
            is_for_model = any(work.is_for_model for work in works)
            if not cluster.is_private:
                cluster = with_checked_nodes(cluster, needs_of(checked))
            nodes = cluster.nodes.look() or Nodes()
            weights = checked.weights if is_for_model else None
            placement = place_actors(settings, weights, nodes, cluster.is_private) if weights else NO_ACTORS
            runner = Runner(
                works,
                lambda: start_actor(placement, source, checked.recipe, cluster.nodes.left_out),
                placement,
                Postprocessing(source, checked.recipe, self._run_id, nodes.num_cpus),
                self._settler,
                Limits(len(works), settings.max_failures, deadline, settings.wait_for_gpus.seconds),
                Watching(self._settler.tally, Meters(), self._progress, cluster.nodes),
                cluster,
                gate_of(source, nodes.num_cpus, lambda: away_from(cluster.nodes.left_out)),
            )
            pace = pace_of(
                self._plan, works, checked, placement.num_actors or nodes.room_for(placement.num_gpus)
            )
            with self._progress.working(pace):
                ending = supervise(runner, cluster, stop.event)
            if ending is Ending.STOPPED:
                self._progress.stopped()
            self._settler.finish()
            return ending

    def _record(self, exit_code: ExitCode) -> Run:
        """A run that found nothing to do leaves the index as it is: what was built from it stays current."""
        self._publish_relinked()
        row, tally = self._row(exit_code), self._settler.tally
        if self._num_planned or self._settler.has_published or exit_code:
            record = RunRecord(run=row, failures=tuple(tally.unfinished), attempts=tuple(tally.attempts))
            self._settler.publish(record)
        self._tidying.finish()
        self._progress.ended(row)
        return row

    def _exit_code(self, stop: Stop, ending: Ending) -> ExitCode:
        tally = self._settler.tally
        num_unfinished = self._num_planned - tally.num_settled
        if stop.lost:
            return ExitCode.LEASE_HELD
        is_cut_short = num_unfinished > len(tally.unfinished)
        if ending is Ending.STOPPED and is_cut_short:
            return ExitCode.INTERRUPTED
        if ending is Ending.FAILURES:
            return ExitCode.TOO_MANY_FAILURES
        if ending is Ending.DEADLINE and is_cut_short:
            return ExitCode.DEADLINE
        if ending is Ending.NO_MACHINES and is_cut_short:
            return ExitCode.NO_MACHINES
        if tally.num_partial or tally.num_quarantined or num_unfinished:
            return ExitCode.DONE_WITH_FAILURES
        return ExitCode.DONE

    def _row(self, exit_code: ExitCode) -> Run:
        checked, tally, reasons = self._checked, self._settler.tally, self._plan.summary.reasons
        return Run(
            run_id=self._run_id,
            kind=self._kind,
            started_at=self._started_at,
            ended_at=datetime.now(UTC),
            exit_code=exit_code,
            library=checked.library.url,
            model_id=checked.recipe.model_id,
            model_revision=checked.recipe.model_revision,
            recipe_id=checked.recipe.recipe_id,
            settings_json=checked.settings.model_dump_json(),
            num_listed=self._plan.num_listed,
            num_ignored=self._plan.summary.num_ignored,
            num_unchanged=tally.num_elsewhere + sum(reasons[free] for free in set(Reason) - COSTLY - _COPIES),
            num_copied=self._relinking.num_relinked,
            num_planned=self._num_planned,
            num_indexed=tally.num_indexed,
            num_partial=tally.num_partial,
            num_quarantined=tally.num_quarantined,
            num_unfinished=self._num_planned - tally.num_settled,
            **tally.committed.columns(Run.model_fields),
        )
