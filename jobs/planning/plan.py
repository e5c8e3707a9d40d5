"""A plan: what one command does to which videos, out of all that could be done."""

import os
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from jobs.planning.ceiling import Ceiling, Refused, split_costly
from jobs.planning.preflight import Preflight, check_plan
from jobs.planning.reasons.copies import split_copies
from jobs.planning.reasons.reasons import PAGE, Findings, examine, still_to_do
from jobs.settings.config import Settings
from schemas.failures import UsageError
from schemas.identity import VideoId, new_run_id, number_of, video_id_of
from schemas.plan import CHANGED, COSTLY, MISSING, STALE, PlanSummary, Reason
from storage.index.batches import batches
from storage.index.index import NOT_MADE
from storage.query.catalog import open_catalog
from storage.query.plans import PlannedVideos, decode_plan, encode_plan

NO_VIDEOS = PlannedVideos.of(())
MANY_DELETED = 10  # from so many on, more than half of the library is taken for the wrong library


@dataclass(frozen=True)
class Goal:
    """The purpose of a command: the reasons for which it spends. At most one run of a kind is at work."""

    kind: str
    reasons: frozenset[Reason]


NIGHTLY = Goal("run", CHANGED)


def backfill_goal(stale: bool, failed: bool, missing: bool, everything: bool) -> Goal:
    """Return the goal of a backfill. UsageError: nothing was asked for."""
    wanted = {
        Reason.RETRY: failed,
        **dict.fromkeys(MISSING, missing),
        **dict.fromkeys(STALE | {Reason.NEW_SIDECARS}, stale),
    }
    reasons = frozenset(reason for reason, is_wanted in wanted.items() if is_wanted)
    if everything:
        reasons = COSTLY - {Reason.NEW}
    if not reasons:
        raise UsageError("backfill was not told which videos", "Say --stale, --failed, --missing or --all.")
    return Goal("backfill", reasons)


def planned_goal(stale: bool, failed: bool, missing: bool, everything: bool) -> Goal:
    """Return the goal of a plan: a backfill where one of these is asked for, else the nightly."""
    is_backfill = stale or failed or missing or everything
    return backfill_goal(stale, failed, missing, everything) if is_backfill else NIGHTLY


@dataclass(frozen=True)
class Plan:
    """A plan: `videos` are those to spend on; what else was found costs nothing and is done on the way."""

    summary: PlanSummary
    videos: PlannedVideos
    found: Findings
    copies: PlannedVideos = NO_VIDEOS  # of videos that are planned: they get their rows
    deleted: frozenset[VideoId] = frozenset()  # video ids: gone from the library
    doubt: str | None = None  # why what seems deleted is not taken for it
    refused: tuple[Refused, ...] = ()  # they would cost too much
    ceiling: Ceiling | None = None  # for those of which nobody knows before they are read

    @property
    def num_listed(self) -> int:
        """Videos that were looked at."""
        return self.found.reasons.total()

    def without(self, video_ids: Iterable[VideoId]) -> "Plan":
        """The same for all but these videos, which another run has claimed."""
        videos = self.videos.without(video_ids)
        claimed = Counter({Reason.CLAIMED: len(self.videos) - len(videos)})
        copies = _copies_of(videos, self.copies)
        return replace(self, videos=videos, copies=copies, summary=_counted(self.summary, videos, claimed))


def preview(
    settings: Settings, goal: Goal, on_ignored: Callable[[str, str], None] | None = None
) -> tuple[Preflight, Plan]:
    """The plan that a run with these settings would make now. Nothing is written.

    `on_ignored` is told URI and reason of what is listed and no video to index. Raises as `check_plan` does.
    """
    checked = check_plan(settings)
    plan_id = new_run_id(datetime.now(UTC), uuid.uuid4().hex)
    return checked, make_plan(checked, goal, plan_id, on_ignored)


def save_plan(plan: Plan, file: Path) -> None:
    """Write the plan for `load_plan`. UsageError: the file cannot be written."""
    try:
        file.write_bytes(encode_plan(plan.summary, plan.videos))
    except OSError as error:
        raise UsageError(f"plan {file}: {error.strerror}", "Name another file with --save.") from None


def make_plan(
    checked: Preflight, goal: Goal, plan_id: str, on_ignored: Callable[[str, str], None] | None = None
) -> Plan:
    """List the library and look at every video, then choose what the goal and the limits let through."""
    library, index, recipe = checked.library, checked.index, checked.recipe.record
    listing = library.list_videos(checked.selection)
    listing.on_ignored = on_ignored
    told = checked.recipe.of_sidecars, checked.recipe.tasks_of_said
    found = examine(listing, index, recipe, library.is_local, *told)
    deleted = frozenset(_deleted(checked, found) if listing.is_whole else ())
    wanted = _where(checked.settings, found.costly.for_reasons(goal.reasons))
    originals, copies = split_copies(wanted)
    affordable, refused, ceiling = split_costly(originals, checked)
    videos = _limited(checked.settings, affordable)
    change = Counter({Reason.DUPLICATE: len(copies), Reason.TOO_COSTLY: len(refused)})
    change.subtract(wanted.count_reasons() - affordable.count_reasons())
    summary = PlanSummary(
        plan_id=plan_id,
        index_id=index.index_id,
        library=library.url,
        recipe_id=recipe.recipe_id,
        created_at=datetime.now(UTC),
        reasons=found.reasons + change + Counter({Reason.DELETED: len(deleted)}),
        num_ignored=listing.num_ignored,
        num_links_out=listing.num_links_out,
        listed_as_of=listing.as_of,
        num_videos=len(videos),
        video_bytes=sum(videos.sizes),
        recipes=found.recipes,
    )
    doubt = _doubt(checked, found, len(deleted))
    return Plan(
        summary,
        videos,
        found,
        _copies_of(videos, copies),
        frozenset() if doubt else deleted,
        doubt,
        refused,
        ceiling,
    )


def load_plan(checked: Preflight, file: Path) -> Plan:
    """A saved plan, less what was done since and what these settings' limits leave out.

    UsageError: no plan, changed, or of other settings.
    """
    try:
        summary, videos = decode_plan(file.read_bytes(), str(file))
    except OSError as error:
        hint = "Make one with `media-index plan --save FILE`."
        raise UsageError(f"plan {file}: {error.strerror}", hint) from None
    for what, planned, now in (
        ("index", summary.index_id, checked.index.index_id),
        ("library", summary.library, checked.library.url),
        ("recipe", summary.recipe_id, checked.recipe.recipe_id),
    ):
        if planned not in (now, NOT_MADE):  # one that was still to be made is now
            raise UsageError(
                f"plan {file} was made for {what} {planned}, and the settings say {now}",
                "Use the settings that it was made with, or make a new one.",
            )
    found = still_to_do(videos, checked.index, summary.recipe_id)
    affordable, refused, ceiling = split_costly(_where(checked.settings, found.costly), checked)
    videos = _limited(checked.settings, affordable)
    summary = summary.model_copy(update={"reasons": Counter({Reason.TOO_COSTLY: len(refused)})})
    summary = _counted(summary, videos, found.reasons)
    return Plan(summary, videos, found, refused=refused, ceiling=ceiling)


def _counted(summary: PlanSummary, videos: PlannedVideos, more: Counter[Reason]) -> PlanSummary:
    counts = {"num_videos": len(videos), "video_bytes": sum(videos.sizes), "reasons": summary.reasons + more}
    return summary.model_copy(update=counts)


def _copies_of(videos: PlannedVideos, copies: PlannedVideos) -> PlannedVideos:
    """Those copies whose first one is among the videos."""
    if not len(copies):
        return copies
    ids = set(videos.video_ids)
    return copies.take([row for row, one in enumerate(copies) if one.carried_id in ids])


def _where(settings: Settings, chosen: PlannedVideos) -> PlannedVideos:
    if settings.where is None:
        return chosen
    with open_catalog(settings.index, settings.endpoint_url, must_exist=False) as catalog:
        return chosen.where(settings.where, catalog)


def _limited(settings: Settings, chosen: PlannedVideos) -> PlannedVideos:
    if settings.sample is not None:
        chosen = chosen.sample(settings.sample)
    return chosen if settings.limit is None else chosen.first(settings.limit)


def _deleted(checked: Preflight, found: Findings) -> Iterator[VideoId]:
    """What readers see, belongs to this library and selection, and was not listed; and of a folder also other
    names, by way of a link, of files that were listed and have, or get, rows of their own."""
    root = checked.library.url.rstrip("/") + "/"
    by_link: list[tuple[VideoId, VideoId]] = []  # the video, and the one that the link leads to
    for commit, uri in checked.index.visible_commits():
        if number_of(commit.video_id) in found.seen:
            continue
        is_ours = uri.startswith(root) and checked.selection.takes(uri[len(root) :])
        if not checked.library.is_local or not _may_exist(uri):
            if is_ours:
                yield commit.video_id
        elif number_of(real_id := video_id_of(os.path.realpath(uri))) in found.seen:
            by_link.append((commit.video_id, real_id))
    have_rows = {one.video.video_id for one in found.relinked}
    for page in batches({real_id for _, real_id in by_link} - have_rows, PAGE):
        have_rows |= {c.video_id for c in checked.index.current_commits(page).values() if c.is_visible}
    yield from (video_id for video_id, real_id in by_link if real_id in have_rows)


def _may_exist(path: str) -> bool:
    """Also where it cannot be looked at."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def _doubt(checked: Preflight, found: Findings, num_deleted: int) -> str | None:
    num_left = len(found.seen)
    if checked.settings.allow_mass_deletion or num_deleted < MANY_DELETED or num_deleted <= num_left:
        return None
    return (
        f"{num_deleted} of {num_deleted + num_left} videos are no longer in {checked.library.url}: "
        "not taken for deleted; if they are, say --allow-mass-deletion"
    )
