"""What would be spent on which videos, and spending it."""

from dataclasses import dataclass
from pathlib import Path

from jobs.planning.estimate import Estimate, estimate_of
from jobs.planning.lines import estimate_lines, plan_lines
from jobs.planning.plan import NIGHTLY, Goal, Plan, backfill_goal, planned_goal, preview, save_plan
from jobs.settings.config import Settings
from schemas.failures import ExitCode
from schemas.tables import Run


@dataclass(frozen=True)
class Preview:
    """A plan and what it would take. `print` shows it as `media-index plan` does."""

    plan: Plan
    estimate: Estimate

    @property
    def reasons(self) -> dict[str, int]:
        """The count of videos for each reason, `new` and `unchanged` for example."""
        return {str(reason): count for reason, count in self.plan.summary.reasons.items() if count}

    @property
    def uris(self) -> list[str]:
        """The videos that a run would spend on."""
        return [planned.video.uri for planned in self.plan.videos]

    def save(self, file: Path) -> None:
        """Write it, for `Settings.of(plan=file, …)`. UsageError: the file cannot be written."""
        save_plan(self.plan, file)

    def __str__(self) -> str:
        return "\n".join((*plan_lines(self.plan), *estimate_lines(self.estimate)))


def plan(
    settings: Settings,
    *,
    stale: bool = False,
    failed: bool = False,
    missing: bool = False,
    everything: bool = False,
) -> Preview:
    """Say what `run` would do with these settings, and what it would cost. Nothing is written.

    With `stale`, `failed`, `missing` or `everything`: what `backfill` would do.

    Raises:
        UsageError: A setting does not go with another one, or with the index.
        PreflightError: Library, weights or index cannot be used.
    """
    checked, made = preview(settings, planned_goal(stale, failed, missing, everything))
    return Preview(made, estimate_of(made, checked))


def run(settings: Settings, *, new_index: bool = False) -> Run:
    """Index every video that is new or changed, and retry what failed; the row that says what was done.

    Ray is started for it, or joined (`Settings.ray_address`), and left at the end. `exit_code` of the row is
    that of the command (docs/operations.md): 0 done, 3 done but for some videos, 4 too many failures,
    6 deadline reached. Repeat the call to go on.

    Args:
        settings: `Settings.of(library=…, index=…, model=…)`.
        new_index: Make the index, where there is none yet.

    Raises:
        UsageError, PreflightError: As `plan`; nothing was spent.
        LeaseHeldError: Another run is at work on the index.
        KeyboardInterrupt: Ctrl-C came, or the notebook's stop button. What was committed is published; videos
            under way are left to the next run. A second one ends it at once.
    """
    return _spend(settings, NIGHTLY, new_index)


def backfill(
    settings: Settings,
    *,
    stale: bool = False,
    failed: bool = False,
    missing: bool = False,
    everything: bool = False,
) -> Run:
    """Go over videos that are known already; as `run`, which it may be at work beside.

    Args:
        settings: As for `run`.
        stale: Those whose model, sampling or prompts have changed.
        failed: Those that runs before could not settle, or that were released.
        missing: Those that were never asked what is asked now.
        everything: All of these, and changed ones.
    """
    return _spend(settings, backfill_goal(stale, failed, missing, everything), new_index=False)


def _spend(settings: Settings, goal: Goal, new_index: bool) -> Run:
    from jobs.driver.run import run as execute
    from jobs.driver.telling.progress import Progress  # they load Ray, which a plan does without

    row = execute(settings, Progress(None), goal, new_index)
    if row.exit_code == ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    return row
