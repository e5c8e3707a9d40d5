"""Which videos need work, and why. Reads the listing and the index, and of videos only the ends of those
files on a disk that may be copies."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from jobs.planning.reasons.copies import Known, is_helped_by, like_known, with_rows_of
from jobs.planning.reasons.stale_rows import StaleRows
from jobs.planning.reasons.staleness import Staleness
from schemas.commit import CommitState
from schemas.failures import FailureClass
from schemas.identity import VideoId, VideoObject, number_of
from schemas.plan import COSTLY, PlannedVideo, Reason
from schemas.recipe import RecipeRecord
from storage.index.batches import batches
from storage.index.publishing.published import CurrentCommit
from storage.library.walk import shows_bad_name
from storage.query.plans import PlannedVideos

PAGE = 1000  # videos looked up in the index at once
_LOOKUPS = 16  # requests to the index under way


class CommitLookup(Known, Protocol):
    """Interface of the index for planning."""

    def current_commits(self, video_ids: Sequence[VideoId]) -> Mapping[str, CurrentCommit]:
        """The latest word on each of these videos that has one."""

    def commits_with_content(self, content_revs: Sequence[str]) -> Iterable[CurrentCommit]:
        """The latest word on the videos that have, or had, these bytes."""

    def is_committed(self, video_id: VideoId, analysis_key: str) -> bool:
        """Whether the bundle exists, visible or not."""

    def recipe(self, recipe_id: str) -> RecipeRecord | None:
        """Return what a recipe id stands for; None where nobody said."""

    def unfinished(self) -> frozenset[VideoId]:
        """The ids of the videos that runs so far could not settle."""


@dataclass(frozen=True)
class Findings:
    """The findings of one look at library and index, video by video."""

    costly: PlannedVideos  # with a reason to spend a GPU's time
    relinked: PlannedVideos  # moved or duplicate: rows that another name has
    to_publish: tuple[tuple[VideoId, str], ...]  # (video_id, analysis_key): committed, not visible
    reasons: Counter[Reason]
    seen: AbstractSet[int]  # video ids that are in the library
    recipes: tuple[RecipeRecord, ...] = ()  # that planned videos will have, besides the run's


def examine(
    videos: Iterable[VideoObject],
    index: CommitLookup,
    recipe: RecipeRecord,
    is_local: bool,
    of_sidecars: tuple[str, ...] = (),
    tasks_of_said: tuple[str, ...] = (),
) -> Findings:
    """Look every listed video up in the index. `is_local`: a library whose objects have no etags.

    `of_sidecars` are the recipe's signals that read what lies beside a video, `tasks_of_said` its prompts
    that tell what is said there.
    """
    stale_rows = StaleRows(index.recipe, recipe, of_sidecars, tasks_of_said)
    examiner = _Examiner(index, recipe, is_local, stale_rows)
    costly = PlannedVideos.of(examiner.costly(videos))
    equal, not_equal = examiner.settle_twins()
    if not_equal:
        costly = PlannedVideos.of((*costly, *not_equal))
    if copies := examiner.copies_of_known(costly):
        costly = costly.without(copy.video.video_id for copy in copies)
    relinked = PlannedVideos.of((*equal, *copies))
    return Findings(
        costly, relinked, tuple(examiner.to_publish), examiner.reasons, examiner.seen, stale_rows.recipes
    )


def still_to_do(videos: PlannedVideos, index: CommitLookup, recipe_id: str) -> Findings:
    """The videos planned for this recipe that nobody has committed or set aside since."""
    reasons: Counter[Reason] = Counter()
    to_do, to_publish = [], []
    with ThreadPoolExecutor(_LOOKUPS) as pool:
        for page in batches(videos, PAGE):
            current = index.current_commits([one.video.video_id for one in page])
            committed = pool.map(lambda one: index.is_committed(one.video.video_id, one.analysis_key), page)
            for one, is_committed in zip(page, committed, strict=True):
                now = current.get(one.video.video_id)
                reason = one.reason
                if now and now.analysis_key == one.analysis_key:
                    reason = Reason.UNCHANGED
                elif now and now.object_rev == one.video.object_rev and _is_kept_aside(now, recipe_id):
                    reason = Reason.QUARANTINED
                elif is_committed:
                    reason = Reason.COMMITTED
                    to_publish.append((one.video.video_id, one.analysis_key))
                else:
                    to_do.append(one)
                reasons[reason] += 1
    nothing = PlannedVideos.of(())
    return Findings(PlannedVideos.of(to_do), nothing, tuple(to_publish), reasons, frozenset())


class _Examiner:
    """One pass over a listing; keeps what can be told at its end only."""

    def __init__(
        self, index: CommitLookup, recipe: RecipeRecord, is_local: bool, stale_rows: StaleRows
    ) -> None:
        self.reasons: Counter[Reason] = Counter()
        self.to_publish: list[tuple[VideoId, str]] = []
        self.seen: set[int] = set()
        self._index = index
        self._recipe = recipe
        self._is_local = is_local
        self._stale_rows = stale_rows
        self._twins: list[
            tuple[PlannedVideo, CurrentCommit]
        ] = []  # of which it depends on the rest of the listing

    @cached_property
    def _unfinished(self) -> frozenset[VideoId]:
        return self._index.unfinished()

    def costly(self, videos: Iterable[VideoObject]) -> Iterator[PlannedVideo]:
        """The videos with a reason to spend, in listing order; counts all."""
        with ThreadPoolExecutor(_LOOKUPS) as pool:
            for page in batches(videos, PAGE):
                self.seen.update(number_of(video.video_id) for video in page)
                yield from self._costly_of(page, pool)

    def _costly_of(self, page: list[VideoObject], pool: ThreadPoolExecutor) -> Iterator[PlannedVideo]:
        current = self._index.current_commits([video.video_id for video in page])
        found = [self._examine(video, current.get(video.video_id)) for video in page]
        to_ask = [number for number, one in enumerate(found) if one.reason in COSTLY]
        answers = pool.map(self._unless_committed, [found[number] for number in to_ask])
        for number, one in zip(to_ask, answers, strict=True):
            found[number] = one
        twins = self._find_twins([one for one in found if one.reason in COSTLY])
        for one in found:
            if twin := twins.get(one.video.video_id):
                self._twins.append((one, twin))
                continue
            self.reasons[one.reason] += 1
            if one.reason is Reason.COMMITTED:
                self.to_publish.append((one.video.video_id, one.analysis_key))
            elif one.reason in COSTLY:
                yield one

    def _examine(self, video: VideoObject, current: CurrentCommit | None) -> PlannedVideo:
        key = video.analysis_key(self._recipe.recipe_id)
        planned = PlannedVideo(video, key, Reason.NEW)
        if current and current.object_rev == video.object_rev:
            if _is_kept_aside(current, self._recipe.recipe_id):
                return replace(planned, reason=Reason.QUARANTINED)
            if current.has_rows:
                planned = replace(planned, has_rows=True)
                stale = self._stale_rows.of(video, current)
                if stale is None:
                    return replace(planned, reason=Reason.UNCHANGED)
                planned = _again(planned, current, stale)
        if planned.reason is Reason.NEW:
            return replace(planned, reason=self._why_untouched(video, current))
        return planned

    def _unless_committed(self, planned: PlannedVideo) -> PlannedVideo:
        """Say COMMITTED where a bundle exists, ARCHIVED where the object is in cold storage, else its own."""
        if self._index.is_committed(planned.video.video_id, planned.analysis_key):
            return replace(planned, reason=Reason.COMMITTED)
        return replace(planned, reason=Reason.ARCHIVED) if planned.video.is_archived else planned

    def _why_untouched(self, video: VideoObject, current: CurrentCommit | None) -> Reason:
        """The reason to analyse a video without rows of its present bytes."""
        if current and current.is_visible and current.object_rev != video.object_rev:
            return Reason.CHANGED
        was_tried = current is not None and current.state != CommitState.DELETED
        return Reason.RETRY if was_tried or video.video_id in self._unfinished else Reason.NEW

    def _find_twins(self, costly: Sequence[PlannedVideo]) -> dict[VideoId, CurrentCommit]:
        """Commits under another name of the same bytes, by video, with all the answers that are wanted, or,
        for a video that nobody asked to be tried again, with the reason why there are none."""
        asked = [one for one in costly if self._is_local or one.video.tells_content]
        by_content: dict[str, list[CurrentCommit]] = {}
        for twin in self._index.commits_with_content([one.video.content_rev for one in asked]):
            by_content.setdefault(twin.content_rev, []).append(twin)
        found = {}
        for one in asked:
            twins = [t for t in by_content.get(one.video.content_rev, ()) if self._is_twin(one, t)]
            if twins:
                found[one.video.video_id] = min(twins, key=lambda twin: _TWINS.index(twin.state))
        return found

    def _is_twin(self, one: PlannedVideo, twin: CurrentCommit) -> bool:
        if twin.video_id == one.video.video_id or twin.state not in _TWINS:
            return False
        if twin.state == CommitState.QUARANTINED:
            is_kept = one.reason is Reason.NEW and _is_kept_aside(twin, self._recipe.recipe_id)
            return is_kept and not (self._is_local and self._had_bad_name(twin))
        if not is_helped_by(one, twin.sidecars_rev):
            return False
        if one.tasks == ():  # it keeps answers that it has
            return self._stale_rows.has_all_of(one.recipe_id, twin.recipe_id)
        stale = self._stale_rows.of_recipe(twin.recipe_id)
        if stale is None:
            return True
        return stale.tasks == () and bool(self._recipe.tasks)  # signals are read later, the model is spared

    def _had_bad_name(self, twin: CurrentCommit) -> bool:
        """Set aside for what it may have been called, which says nothing of its bytes under another name."""
        return shows_bad_name(self._index.uri_of(twin.video_id, twin.analysis_key))

    def settle_twins(self) -> tuple[list[PlannedVideo], list[PlannedVideo]]:
        """Videos with another one's bytes, and those of which that is not certain.

        A disk has no etags: size and time of change are taken for proof only if the other file is gone, or
        is this one by another path.
        """
        equal, doubtful = [], []
        for one, twin in self._twins:
            if self._is_local and self._is_another_file(one, twin):
                doubtful.append(one)
                continue
            is_moved = number_of(twin.video_id) not in self.seen and not one.has_rows
            reason = Reason.MOVED if is_moved else Reason.DUPLICATE
            equal.append(replace(with_rows_of(one, twin), reason=reason))
        self.reasons.update(one.reason for one in (*equal, *doubtful))
        return equal, doubtful

    def copies_of_known(self, costly: PlannedVideos) -> list[PlannedVideo]:
        """Files on a disk that look like one whose rows there are, whenever written and of any library."""
        if not self._is_local:
            return []
        copies = []
        for one, original in like_known(costly, self._index):
            if self._is_twin(one, original):
                copies.append(replace(with_rows_of(one, original), reason=Reason.DUPLICATE))
                self.reasons.update({one.reason: -1, Reason.DUPLICATE: 1})
        return copies

    def _is_another_file(self, one: PlannedVideo, twin: CurrentCommit) -> bool:
        path = self._index.uri_of(twin.video_id, twin.analysis_key)
        return os.path.lexists(path) and os.path.realpath(path) != one.video.uri


# Whose bundle a video with the same bytes can have, the best first.
_TWINS = (CommitState.ROWS, CommitState.DELETED, CommitState.QUARANTINED)


def _is_kept_aside(current: CurrentCommit, recipe_id: str) -> bool:
    """A file that cannot be read stays so; what a model fell over may go better with another recipe."""
    if current.state != CommitState.QUARANTINED:
        return False
    return current.failure_class == FailureClass.MEDIA or current.recipe_id == recipe_id


def _again(planned: PlannedVideo, current: CurrentCommit, stale: Staleness) -> PlannedVideo:
    """Rows of the video's present bytes are there: do anew what is stale of them."""
    recipe_id = stale.recipe.recipe_id
    is_of_other_model = stale.reason is Reason.STALE_MODEL
    return replace(
        planned,
        analysis_key=planned.video.analysis_key(recipe_id),
        reason=stale.reason,
        tasks=stale.tasks,
        signals=None if stale.has_all_anew else stale.signals,
        recipe_id=recipe_id,
        # Rows of other weights may have to stay, which its bundle tells.
        carried_key=None if stale.has_all_anew and not is_of_other_model else current.analysis_key,
    )
