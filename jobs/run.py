"""The verb `run`: preflight, plan, execute, publish, record."""

import signal
import tempfile
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jobs.actor import ModelSpec, start_actor
from jobs.cluster import join_cluster
from jobs.config import Settings
from jobs.plan import FREE, Reason, Work, plan_videos
from jobs.progress import Progress
from jobs.prompt_pack import load_prompts
from jobs.reading import Source
from jobs.recipe import Recipe
from jobs.runner import Runner
from jobs.settle import Desk
from jobs.weights import Weights, find_weights
from schemas.commit import RunRecord
from schemas.failures import ExitCode, UsageError
from schemas.identity import new_run_id
from schemas.tables import Run
from storage.index import Index, open_index
from storage.library import Library, open_library
from storage.selection import VIDEO_EXTENSIONS, Selection


@dataclass(frozen=True)
class Surroundings:
    """What preflight found: everything a run needs, opened before anything is spent."""

    settings: Settings
    library: Library
    index: Index
    weights: Weights
    recipe: Recipe


def preflight(settings: Settings) -> Surroundings:
    """Open library, index and weights' folder. Raises `PreflightError` or `UsageError`."""
    library = open_library(settings.library, settings.endpoint_url)
    weights = find_weights(settings.model)
    recipe = Recipe(
        model_id=weights.model_id,
        model_revision=weights.revision,
        fps=settings.fps,
        max_frames=settings.max_frames,
        prompts=load_prompts(),
    )
    index = open_index(settings.index, settings.endpoint_url, create=True)
    return Surroundings(settings, library, index, weights, recipe)


@dataclass(frozen=True)
class Plan:
    """What one look at library and index says is to be done."""

    to_analyse: tuple[Work, ...]
    to_publish: tuple[Work, ...]  # committed by an interrupted run, or by an earlier revision
    reasons: Counter[Reason]
    num_ignored: int

    @property
    def num_listed(self) -> int:
        """Videos that the filters let through."""
        return self.reasons.total()


def make_plan(around: Surroundings) -> Plan:
    """List the library and look every video up in the index."""
    settings = around.settings
    extensions = frozenset(e.lower().removeprefix(".") for e in settings.extensions) or VIDEO_EXTENSIONS
    selection = Selection(extensions, settings.include, settings.exclude)
    reasons: Counter[Reason] = Counter()
    to_analyse, to_publish = [], []
    listing = around.library.list_videos(selection)
    for work in plan_videos(listing, around.index, around.recipe.recipe_id, settings.max_frames):
        reasons[work.reason] += 1
        if work.reason is Reason.COMMITTED:
            to_publish.append(work)
        elif work.reason not in FREE:
            to_analyse.append(work)
    return Plan(tuple(to_analyse), tuple(to_publish), reasons, listing.num_ignored)


def run(settings: Settings, progress: Progress) -> Run:
    """Index what is new or changed; the returned row is what the `runs` table says about it.

    Raises `MediaIndexError` for what stops a run as a whole. An interrupt is no error: what is committed
    is published and recorded, and the row's exit code says 130.
    """
    started_at = datetime.now(UTC)
    run_id = new_run_id(started_at, uuid.uuid4().hex)
    around = preflight(settings)
    plan = make_plan(around)
    progress.planned(plan.reasons, plan.num_ignored, around.weights)
    desk = Desk(around.index, around.recipe, run_id, progress)
    for work in plan.to_publish:
        desk.already_committed(work)
    with _stop_on_signal(progress) as stop:
        try:
            if plan.to_analyse:
                _execute(around, plan.to_analyse, run_id, desk, progress, stop)
        except BaseException:
            desk.publish()  # what is committed becomes visible, however the run ends
            raise
    row = _run_row(around, plan, desk, run_id, started_at, was_stopped=stop.is_set())
    desk.publish(RunRecord(run=row, failures=tuple(desk.tally.unfinished)) if plan.to_analyse else None)
    return row


def _execute(
    around: Surroundings,
    works: tuple[Work, ...],
    run_id: str,
    desk: Desk,
    progress: Progress,
    stop: threading.Event,
) -> None:
    settings = around.settings
    with join_cluster(settings.ray_address) as cluster:
        num_actors = settings.num_actors or max(1, cluster.num_gpus)
        on_gpu = cluster.num_gpus > 0
        if on_gpu and num_actors > cluster.num_gpus:
            raise UsageError(
                f"{num_actors} actors for {cluster.num_gpus} GPUs",
                "one model is pinned per GPU: lower --num-actors",
            )
        # On CPUs, actors share the cores that readers leave, and readers always have one.
        cores = 0 if on_gpu else max(1, (cluster.num_cpus - 1) // num_actors)
        spec = ModelSpec(
            around.weights.model_id, settings.dtype, device="cuda" if on_gpu else "cpu", num_threads=cores
        )
        source = Source(
            library=around.library,
            scratch=settings.scratch or Path(tempfile.gettempdir()) / "media-index",
            fps=settings.fps,
            image_size=around.weights.image_size,
        )
        with progress.working(len(works)):
            Runner(
                works,
                lambda: start_actor(
                    spec, source, around.recipe, run_id, leave_cpus=cluster.num_cpus > num_actors
                ),
                num_actors,
                desk,
            ).run(stop)


@contextmanager
def _stop_on_signal(progress: Progress) -> Iterator[threading.Event]:
    """The first Ctrl-C or SIGTERM asks the run to stop; a second Ctrl-C ends it at once."""
    stop = threading.Event()

    def ask(signum: int, frame: object) -> None:
        stop.set()
        progress.stopping()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_row(
    around: Surroundings, plan: Plan, desk: Desk, run_id: str, started_at: datetime, was_stopped: bool
) -> Run:
    tally = desk.tally
    num_settled = tally.num_indexed + tally.num_partial + tally.num_quarantined
    num_unfinished = len(plan.to_analyse) - num_settled
    if was_stopped and num_unfinished > len(tally.unfinished):
        exit_code = ExitCode.INTERRUPTED
    elif tally.num_partial or tally.num_quarantined or num_unfinished:
        exit_code = ExitCode.DONE_WITH_FAILURES
    else:
        exit_code = ExitCode.DONE
    return Run(
        run_id=run_id,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        exit_code=exit_code,
        library=around.library.url,
        model_id=around.recipe.model_id,
        model_revision=around.recipe.model_revision,
        recipe_id=around.recipe.recipe_id,
        settings_json=around.settings.model_dump_json(),
        num_listed=plan.num_listed,
        num_ignored=plan.num_ignored,
        num_unchanged=sum(plan.reasons[reason] for reason in FREE),
        num_planned=len(plan.to_analyse),
        num_indexed=tally.num_indexed,
        num_partial=tally.num_partial,
        num_quarantined=tally.num_quarantined,
        num_unfinished=num_unfinished,
        video_ms=tally.video_ms,
        num_frames=tally.num_frames,
        num_prompt_tokens=tally.num_prompt_tokens,
        num_output_tokens=tally.num_output_tokens,
        prefill_seconds=tally.prefill_seconds,
        generate_seconds=tally.generate_seconds,
    )
