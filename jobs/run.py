"""The verb `run`: preflight, plan, execute, publish, record."""

import getpass
import signal
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jobs.actor import place_actors, start_actor
from jobs.budget import check_budgets
from jobs.cluster import join_cluster
from jobs.config import Settings
from jobs.finishing import Finishing
from jobs.plan import FREE, Plan, make_plan
from jobs.progress import Progress
from jobs.prompt_pack import load_packs, own_tables
from jobs.reading import Source
from jobs.recipe import Recipe
from jobs.runner import Runner
from jobs.settle import IndexSettler
from jobs.since import parse_since
from jobs.weights import Weights, find_weights
from schemas.commit import RunRecord
from schemas.failures import ExitCode, MediaIndexError, PreflightError
from schemas.identity import new_run_id
from schemas.tables import Run
from storage.errors import ObjectError
from storage.index import Index, open_index
from storage.library import Library, open_library
from storage.selection import VIDEO_EXTENSIONS, Selection


@dataclass(frozen=True)
class Preflight:
    """Everything a run needs, opened and checked before anything is spent."""

    settings: Settings
    library: Library
    selection: Selection
    weights: Weights
    recipe: Recipe
    scratch: Path
    index: Index


def check_preflight(settings: Settings) -> Preflight:
    """Open library, weights and, last, the index. Raises `PreflightError` or `UsageError`."""
    extensions = frozenset(e.lower().removeprefix(".") for e in settings.extensions) or VIDEO_EXTENSIONS
    selection = Selection(
        extensions, settings.include, settings.exclude, settings.prefixes, _since_ns(settings.since)
    )
    library = open_library(settings.library, settings.endpoint_url, settings.inventory)
    prompts = load_packs(settings.packs)
    weights = find_weights(settings.model)
    check_budgets(prompts, weights.folder)
    recipe = Recipe(
        model_id=weights.model_id,
        model_revision=weights.revision,
        dtype=settings.dtype,
        fps=settings.fps,
        max_frames=settings.max_frames,
        prompts=prompts,
        is_split=settings.split,
    )
    scratch = settings.scratch or Path(tempfile.gettempdir()) / f"media-index-{getpass.getuser()}"
    _check_writable(scratch)
    index = open_index(settings.index, settings.endpoint_url, create=True, own=own_tables(prompts))
    return Preflight(settings, library, selection, weights, recipe, scratch, index)


def _since_ns(since: str | None) -> int | None:
    return int(parse_since(since, datetime.now(UTC)).timestamp()) * 1_000_000_000 if since else None


def _check_writable(scratch: Path) -> None:
    try:
        scratch.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=scratch).close()
    except OSError as error:
        raise PreflightError(
            f"scratch folder {scratch}: {error.strerror}", "name another with --scratch"
        ) from None


def run(settings: Settings, progress: Progress) -> Run:
    """Index what is new or changed; the returned row is what the `runs` table says about it.

    Raises `MediaIndexError` for what stops a run as a whole; what was committed until then is published
    and recorded. An interrupt is no error: the row's exit code says 130.
    """
    started_at = datetime.now(UTC)
    run_id = new_run_id(started_at, uuid.uuid4().hex)
    checked = check_preflight(settings)
    listing = checked.library.list_videos(checked.selection)
    plan = make_plan(listing, checked.index, checked.recipe.recipe_id, settings.max_frames)
    progress.planned(plan, listing, checked.weights)
    settler = IndexSettler(checked.index, checked.recipe, run_id, progress)
    for work in plan.to_publish:
        settler.already_committed(work)

    def record(exit_code: ExitCode) -> Run:
        row = _run_row(checked, plan, settler, run_id, started_at, listing.num_ignored, exit_code)
        settler.publish(RunRecord(run=row, failures=tuple(settler.tally.unfinished)))
        return row

    if not plan.to_analyse:
        return record(ExitCode.DONE)
    try:
        was_stopped = _execute(checked, plan, run_id, settler, progress)
    except Exception as error:
        try:
            record(error.exit_code if isinstance(error, MediaIndexError) else ExitCode.INTERNAL)
        except ObjectError as second:
            error.add_note(f"and what was committed could not be published: {second}")
        raise
    return record(_exit_code(plan, settler, was_stopped))


def _execute(checked: Preflight, plan: Plan, run_id: str, settler: IndexSettler, progress: Progress) -> bool:
    """Analyse the plan's videos. Returns whether the user stopped it."""
    settings = checked.settings
    source = Source(
        checked.library, checked.scratch, settings.fps, checked.weights.image_size, settings.split
    )
    with join_cluster(settings.ray_address) as cluster, _stop_on_signal() as stop:
        placement = place_actors(cluster, settings.num_actors)
        runner = Runner(
            plan.to_analyse,
            lambda: start_actor(placement, source, checked.recipe),
            placement.num_actors,
            Finishing(source, checked.recipe, run_id, cluster.num_cpus),
            settler,
        )
        with progress.working(len(plan.to_analyse)):
            runner.run(stop)
        if stop.is_set():
            progress.stopped()
        settler.finish()
        return stop.is_set()


@contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """The first Ctrl-C or SIGTERM asks the run to stop; a second Ctrl-C ends it at once.

    Entered after Ray has started, which installs a handler of its own for SIGTERM.
    """
    stop = threading.Event()

    def ask(signum: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit_code(plan: Plan, settler: IndexSettler, was_stopped: bool) -> ExitCode:
    tally = settler.tally
    num_unfinished = len(plan.to_analyse) - tally.num_settled
    if was_stopped and num_unfinished > len(tally.unfinished):
        return ExitCode.INTERRUPTED
    if tally.num_partial or tally.num_quarantined or num_unfinished:
        return ExitCode.DONE_WITH_FAILURES
    return ExitCode.DONE


def _run_row(
    checked: Preflight,
    plan: Plan,
    settler: IndexSettler,
    run_id: str,
    started_at: datetime,
    num_ignored: int,
    exit_code: ExitCode,
) -> Run:
    tally = settler.tally
    return Run(
        run_id=run_id,
        started_at=started_at,
        ended_at=datetime.now(UTC),
        exit_code=exit_code,
        library=checked.library.url,
        model_id=checked.recipe.model_id,
        model_revision=checked.recipe.model_revision,
        recipe_id=checked.recipe.recipe_id,
        settings_json=checked.settings.model_dump_json(),
        num_listed=plan.num_listed,
        num_ignored=num_ignored,
        num_unchanged=sum(plan.reasons[reason] for reason in FREE) + tally.num_elsewhere,
        num_planned=len(plan.to_analyse),
        num_indexed=tally.num_indexed,
        num_partial=tally.num_partial,
        num_quarantined=tally.num_quarantined,
        num_unfinished=len(plan.to_analyse) - tally.num_settled,
        video_ms=tally.video_ms,
        num_frames=tally.num_frames,
        num_prompt_tokens=tally.num_prompt_tokens,
        num_output_tokens=tally.num_output_tokens,
        prefill_seconds=tally.prefill_seconds,
        generate_seconds=tally.generate_seconds,
    )
