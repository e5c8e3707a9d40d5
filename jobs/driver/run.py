"""The verbs `run` and `backfill`: preflight, plan, claim, execute, publish, record."""

import uuid
from contextlib import suppress
from datetime import UTC, datetime

from jobs.cluster.address import chosen_address
from jobs.driver.execution import Execution
from jobs.driver.stopping import Stop
from jobs.driver.telling.last_run import told_at_the_end
from jobs.driver.telling.progress import Progress
from jobs.folders import make_writable
from jobs.logs import follow
from jobs.planning.plan import NIGHTLY, Goal, Plan, load_plan, make_plan
from jobs.planning.preflight import Preflight, check_preflight
from jobs.settings.config import Settings
from schemas.identity import new_run_id
from schemas.tables import Run
from storage.errors import ObjectError
from storage.index.layout import plan_key
from storage.index.leases import KeptLease, Lease, acquire
from storage.query.plans import decode_plan, encode_plan


def run(
    settings: Settings,
    progress: Progress,
    goal: Goal = NIGHTLY,
    makes_index: bool = False,
    owns_process: bool = False,
) -> Run:
    """Do what the goal says to the library's videos; the returned row is what the table `runs` says about it.

    An index is made with `makes_index` only, and then there must be none. A run that `owns_process` also
    handles SIGINT and SIGTERM, and keeps what Ray writes off stderr.

    Raises `MediaIndexError` for what stops a run as a whole; what was committed until then is published
    and recorded. An interrupt is no error: the row's exit code says 130.
    """
    with told_at_the_end(settings.metrics_file, goal.kind) as told:
        told.run = _run(settings, progress, goal, makes_index, owns_process)
        return told.run


def _run(settings: Settings, progress: Progress, goal: Goal, makes_index: bool, owns_process: bool) -> Run:
    started_at = datetime.now(UTC)
    run_id = new_run_id(started_at, uuid.uuid4().hex)
    address = chosen_address(settings.ray_address)
    if settings.log_dir is not None:
        make_writable(settings.log_dir, "log folder", "Name another with --log-dir.")
    follow(settings.log_dir, "driver")
    progress.started(run_id)
    checked = check_preflight(settings, makes_index)
    stop = Stop()
    with KeptLease(acquire(checked.index.store, goal.kind, run_id, progress.waiting), stop.lose) as lease:
        plan = plan_for(checked, goal, run_id)
        plan = _claim(checked, plan, lease)
        progress.planned(plan, checked.weights, checked.recipe.fps)
        execution = Execution(checked, plan, run_id, goal.kind, started_at, progress, owns_process, address)
        try:
            return execution.run(stop)
        finally:
            with suppress(ObjectError):  # with the lease gone it says nothing any more
                checked.index.store.delete(plan_key(run_id))


def plan_for(checked: Preflight, goal: Goal, plan_id: str) -> Plan:
    """The saved plan that the settings name, or one made now."""
    if checked.settings.plan is not None:
        return load_plan(checked, checked.settings.plan)
    return make_plan(checked, goal, plan_id)


def _claim(checked: Preflight, plan: Plan, lease: Lease) -> Plan:
    """Have the plan's videos for ourselves, but for those that another run at work had claimed before."""
    store, key = checked.index.store, plan_key(lease.run_id)
    store.put_if_absent(key, encode_plan(plan.summary, plan.videos))
    for other in lease.claim(key):
        with suppress(ObjectError):  # that run has just ended
            _, theirs = decode_plan(store.read(other), f"{store.url}/{other}")
            plan = plan.without(theirs.video_ids)
    return plan
